#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "vecload/client.h"
#include "vecload/sharded_index.h"

namespace vecload::cli {
namespace {

// The service's own bound on top-K.
constexpr uint32_t kTopKMax = 10'000;
// Metadata can be 40 KB a vector; a table of that is no table. JSON output has it all.
constexpr size_t kMetadataBytesShown = 100;

struct QueryFlags {
  ClientOptions client;
  IndexName index;
  Query query;
  std::string like;
  bool allow_partial = false;
  OutputFormat output = OutputFormat::kText;
};

struct Answer {
  PartialNeighbors found;
  uint32_t shards = 1;
  bool is_sharded = false;
};

// Fills the query from the vector stored under `like`.
Status UseStoredVector(const ShardedIndex& index, const std::string& like, Query* query) {
  VECLOAD_ASSIGN_OR_RETURN(std::vector<Record> found, index.GetVectors({like}, true, false));
  if (found.empty()) {
    return Status::NotFound(fmt::format("--like {}: {} has no vector with this key",
                                        Printable(like), index.name().ToString()));
  }
  query->vector = std::move(found.front().vector);
  return Status::Ok();
}

Result<PartialNeighbors> Ask(const ShardedIndex& index, const Query& query, bool allow_partial) {
  if (allow_partial) return index.QueryAvailable(query);
  VECLOAD_ASSIGN_OR_RETURN(std::vector<Neighbor> neighbors, index.QueryVectors(query));
  return PartialNeighbors{.neighbors = std::move(neighbors), .failures = {}};
}

Result<Answer> FindNeighbors(const QueryFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Open(flags.client));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<ShardedIndex> index,
                           ShardedIndex::Open(std::move(client), flags.index));
  Answer answer{.shards = static_cast<uint32_t>(index->indexes().size()),
                .is_sharded = index->is_sharded()};
  Query query = flags.query;
  if (!flags.like.empty()) {
    VECLOAD_RETURN_IF_ERROR(UseStoredVector(*index, flags.like, &query));
    // The nearest to a stored vector is itself, which nobody asks for: one more, then leave it out.
    query.top_k = std::min(query.top_k + 1, kTopKMax);
  }
  VECLOAD_ASSIGN_OR_RETURN(answer.found, Ask(*index, query, flags.allow_partial));
  if (!flags.like.empty()) {
    std::vector<Neighbor>& neighbors = answer.found.neighbors;
    std::erase_if(neighbors, [&](const Neighbor& neighbor) { return neighbor.key == flags.like; });
    if (neighbors.size() > flags.query.top_k) neighbors.resize(flags.query.top_k);
  }
  return answer;
}

std::string AnswerJson(const IndexName& index, const Answer& answer) {
  JsonWriter json;
  json.BeginObject().Key("index").String(index.ToString()).Key("shards").Uint(answer.shards);
  json.Key("shards_failed").BeginArray();
  for (const ShardFailure& failure : answer.found.failures) {
    json.BeginObject().Key("index").String(failure.index.ToString());
    json.Key("error").String(failure.status.message()).EndObject();
  }
  json.EndArray().Key("neighbors").BeginArray();
  for (const Neighbor& neighbor : answer.found.neighbors) {
    json.BeginObject().Key("key").String(neighbor.key);
    json.Key("distance").Raw(FloatText(neighbor.distance));
    json.Key("metadata").Raw(neighbor.metadata.empty() ? "{}" : neighbor.metadata);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

std::string NeighborsText(const std::vector<Neighbor>& neighbors) {
  std::vector<std::vector<std::string>> rows = {{"distance", "key", "metadata"}};
  for (const Neighbor& neighbor : neighbors) {
    rows.push_back({fmt::format("{:.6f}", neighbor.distance), Printable(neighbor.key),
                    Shortened(neighbor.metadata, kMetadataBytesShown)});
  }
  return Table(rows);
}

// Not on stdout, where each line after the head is a neighbour.
void TellOfShards(const QueryFlags& flags, const Answer& answer) {
  for (const ShardFailure& failure : answer.found.failures) {
    fmt::print(stderr, "vecload: query: without shard {}: {}\n", failure.index.ToString(),
               failure.status.message());
  }
  if (!answer.is_sharded || flags.output != OutputFormat::kText) return;
  fmt::print(stderr, "vecload: query: {} of the {} shards of {} answered\n",
             answer.shards - answer.found.failures.size(), answer.shards, flags.index.ToString());
}

int RunQuery(const QueryFlags& flags) {
  const Result<Answer> answer = FindNeighbors(flags);
  if (!answer.ok()) return Fail("query", answer.status());
  fmt::print("{}", flags.output == OutputFormat::kJson ? AnswerJson(flags.index, *answer)
                                                       : NeighborsText(answer->found.neighbors));
  TellOfShards(flags, *answer);
  return answer->found.failures.empty() ? kExitOk : kExitIncomplete;
}

}  // namespace

void AddQuery(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<QueryFlags>();
  CLI::App* command = app->add_subcommand("query", "Find the nearest vectors of an index");
  AddParsed(command, "--index", &flags->index, IndexName::Parse,
            "Where to look: an index, or the base of shards")
      ->required()
      ->type_name("BUCKET/INDEX");
  CLI::Option* vector = AddParsed(command, "--vector", &flags->query.vector, ParseVector,
                                  "Near this: a JSON array of numbers");
  vector->type_name("JSON");
  command
      ->add_option("--like", flags->like,
                   "Near the vector stored under this key, which itself is left out")
      ->type_name("KEY")
      ->excludes(vector);
  command->add_option("--top-k", flags->query.top_k, "How many neighbours; default: 10")
      ->type_name("K")
      ->check(CLI::Range(1U, kTopKMax).description(""));
  command
      ->add_option("--filter", flags->query.filter,
                   "Only vectors whose metadata matches, in the service's filter language")
      ->type_name("JSON");
  command->add_flag("--allow-partial", flags->allow_partial,
                    "Of an index in shards: answer without those that fail, and exit with 3");
  AddOutputFlag(command, &flags->output);
  AddClientFlags(command, &flags->client);
  command->footer(
      "Example:\n"
      "  vecload query --index my-bucket/my-index --like ffmpeg --top-k 5 \\\n"
      "      --filter '{\"section\": \"video\"}'");
  command->callback([flags, chosen] {
    if (flags->query.vector.empty() && flags->like.empty()) {
      throw CLI::RequiredError("--vector JSON or --like KEY");
    }
    *chosen = {"query", [flags] { return RunQuery(*flags); }};
  });
}

}  // namespace vecload::cli

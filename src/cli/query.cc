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
  OutputFormat output = OutputFormat::kText;
};

// Fills the query from the vector stored under `like`.
Status UseStoredVector(Client* client, const IndexName& index, const std::string& like,
                       Query* query) {
  VECLOAD_ASSIGN_OR_RETURN(std::vector<Record> found,
                           client->GetVectors(index, {like}, true, false));
  if (found.empty()) {
    return Status::NotFound(fmt::format("--like {}: {} has no vector with this key",
                                        Printable(like), index.ToString()));
  }
  query->vector = std::move(found.front().vector);
  return Status::Ok();
}

Result<std::vector<Neighbor>> FindNeighbors(const QueryFlags& flags) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(flags.client));
  Query query = flags.query;
  if (flags.like.empty()) return client->QueryVectors(flags.index, query);

  VECLOAD_RETURN_IF_ERROR(UseStoredVector(client.get(), flags.index, flags.like, &query));
  // The nearest to a stored vector is itself, which nobody asks for: one more, then leave it out.
  query.top_k = std::min(query.top_k + 1, kTopKMax);
  VECLOAD_ASSIGN_OR_RETURN(std::vector<Neighbor> neighbors,
                           client->QueryVectors(flags.index, query));
  std::erase_if(neighbors, [&](const Neighbor& neighbor) { return neighbor.key == flags.like; });
  if (neighbors.size() > flags.query.top_k) neighbors.resize(flags.query.top_k);
  return neighbors;
}

std::string NeighborsJson(const IndexName& index, const std::vector<Neighbor>& neighbors) {
  JsonWriter json;
  json.BeginObject().Key("index").String(index.ToString()).Key("neighbors").BeginArray();
  for (const Neighbor& neighbor : neighbors) {
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

int RunQuery(const QueryFlags& flags) {
  const Result<std::vector<Neighbor>> neighbors = FindNeighbors(flags);
  if (!neighbors.ok()) return Fail("query", neighbors.status());
  fmt::print("{}", flags.output == OutputFormat::kJson ? NeighborsJson(flags.index, *neighbors)
                                                       : NeighborsText(*neighbors));
  return kExitOk;
}

}  // namespace

void AddQuery(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<QueryFlags>();
  CLI::App* command = app->add_subcommand("query", "Find the nearest vectors of an index");
  AddParsed(command, "--index", &flags->index, IndexName::Parse, "Where to look")
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

#include "journal/identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/check.h"
#include "base/json_text.h"
#include "journal/checksum.h"

namespace vecload::journal {
namespace {

constexpr std::string_view kOperationField = "operation";
constexpr std::string_view kLoad = "load";

std::string JsonList(const std::vector<std::string>& texts) {
  JsonWriter writer;
  writer.BeginArray();
  for (const std::string& text : texts) writer.String(text);
  writer.EndArray();
  return writer.Take();
}

std::optional<std::string> ValueOf(const std::vector<IdentityField>& fields,
                                   std::string_view name) {
  for (const IdentityField& field : fields) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

std::string Difference(const JobIdentity& identity, std::string_view name,
                       const std::optional<std::string>& stored,
                       const std::optional<std::string>& now) {
  const auto shown = [&](const std::optional<std::string>& value) -> std::string {
    if (!value.has_value()) return name == kOperationField ? std::string(kLoad) : "none";
    return value->empty() ? "\"\"" : *value;
  };
  return fmt::format("{} (journal: {}, this {}: {})", name, shown(stored), identity.operation,
                     shown(now));
}

// 17 digits give every double back.
std::string CreationTimeText(double time_s) { return fmt::format("{:.17g}", time_s); }

std::string ValueField(size_t shard) { return fmt::format("value of shard {:04}", shard); }
std::string CreationTimeField(size_t shard) {
  return fmt::format("creation time of shard {:04}", shard);
}

void AddValueShards(const JobIdentity& identity, std::vector<IdentityField>* fields) {
  CHECK(identity.shard_values.size() == identity.indexes.size());
  fields->push_back({"index", identity.base_arn});
  for (size_t shard = 0; shard < identity.indexes.size(); ++shard) {
    fields->push_back(
        {.name = ValueField(shard), .value = identity.shard_values[shard], .may_be_new = true});
    fields->push_back({.name = CreationTimeField(shard),
                       .value = CreationTimeText(identity.indexes[shard].creation_time_s),
                       .creation_time = true,
                       .may_be_new = true});
  }
}

// The XDG Base Directory Specification: a relative path is to be ignored.
std::optional<std::filesystem::path> StateFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return state;
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::filesystem::path(home) / ".local/state";
  return std::nullopt;
}

}  // namespace

std::vector<IdentityField> JobIdentity::Fields() const {
  std::vector<IdentityField> fields;
  // Left out of loads, so that journals from before there was anything else stay valid.
  if (operation != kLoad) fields.push_back({std::string(kOperationField), operation});
  fields.push_back({"endpoint", endpoint_url});
  if (!shard_values.empty()) AddValueShards(*this, &fields);
  for (size_t shard = 0; shard_values.empty() && shard < indexes.size(); ++shard) {
    const std::string suffix = indexes.size() == 1 ? "" : fmt::format(" of shard {}", shard);
    fields.push_back({"index" + suffix, indexes[shard].arn});
    fields.push_back(
        {"creation time" + suffix, CreationTimeText(indexes[shard].creation_time_s), true});
  }
  fields.push_back({"key column", mapping.key});
  fields.push_back({"vector column", mapping.vector});
  fields.push_back({"metadata columns", JsonList(mapping.metadata)});
  fields.push_back({"metadata JSON column", mapping.metadata_json});
  fields.push_back({"shard scheme", shard_scheme});
  fields.push_back({"part", fmt::format("{}/{}", part, parts)});
  // Left out where unset, so that journals from before there was a choice stay valid.
  if (!mapping.shard_by.empty()) fields.push_back({"shard-by column", mapping.shard_by});
  if (!on_duplicate.empty()) fields.push_back({"on-duplicate", on_duplicate});
  return fields;
}

IdentityDifference Compare(const std::vector<IdentityField>& stored,
                           const std::vector<IdentityField>& now, const JobIdentity& identity) {
  IdentityDifference difference;
  size_t shard = 0;
  for (const IdentityField& field : now) {
    const std::optional<std::string> before = ValueOf(stored, field.name);
    if (field.may_be_new && !before.has_value()) {
      difference.added.push_back(field);
    } else if (field.creation_time) {
      if (before != field.value) difference.made_again.push_back(identity.indexes[shard].arn);
      ++shard;
    } else if (before != field.value) {
      difference.other_job.push_back(Difference(identity, field.name, before, field.value));
    }
  }
  for (const IdentityField& field : stored) {
    if (!ValueOf(now, field.name).has_value()) {
      difference.other_job.push_back(Difference(identity, field.name, field.value, std::nullopt));
    }
  }
  return difference;
}

std::vector<ValueShard> ValueShardsOf(const std::vector<IdentityField>& fields) {
  std::vector<ValueShard> shards;
  while (true) {
    const std::optional<std::string> value = ValueOf(fields, ValueField(shards.size()));
    const std::optional<std::string> time = ValueOf(fields, CreationTimeField(shards.size()));
    if (!value.has_value() || !time.has_value()) return shards;
    ValueShard shard{.value = *value};
    std::from_chars(time->data(), time->data() + time->size(), shard.creation_time_s);
    shards.push_back(std::move(shard));
  }
}

Result<std::string> DefaultPath(const JobIdentity& identity) {
  const std::optional<std::filesystem::path> state = StateFolder();
  if (!state.has_value()) {
    return Status::InvalidArgument(
        "neither XDG_STATE_HOME nor HOME says where to keep the journal; pass --journal PATH");
  }
  Checksum checksum;
  for (const IdentityField& field : identity.Fields()) {
    if (!field.creation_time && !field.may_be_new) checksum.Add(field.name).Add(field.value);
  }
  const std::filesystem::path folder = *state / "vecload";
  std::error_code error;
  std::filesystem::create_directories(*state, error);
  if (!error && mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    error = std::error_code(errno, std::generic_category());
  }
  if (error) {
    return Status::Io(fmt::format("cannot make {} for the journal: {}; pass --journal PATH",
                                  folder.string(), error.message()));
  }
  return (folder / fmt::format("{:016x}.journal", checksum.value())).string();
}

}  // namespace vecload::journal

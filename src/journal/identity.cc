#include "journal/identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

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
  for (size_t shard = 0; shard < indexes.size(); ++shard) {
    const std::string suffix = indexes.size() == 1 ? "" : fmt::format(" of shard {}", shard);
    fields.push_back({"index" + suffix, indexes[shard].arn});
    // 17 digits give every double back.
    fields.push_back(
        {"creation time" + suffix, fmt::format("{:.17g}", indexes[shard].creation_time_s), true});
  }
  fields.push_back({"key column", mapping.key});
  fields.push_back({"vector column", mapping.vector});
  fields.push_back({"metadata columns", JsonList(mapping.metadata)});
  fields.push_back({"metadata JSON column", mapping.metadata_json});
  fields.push_back({"shard scheme", shard_scheme});
  fields.push_back({"part", fmt::format("{}/{}", part, parts)});
  // Left out where unset, so that journals from before there was a choice stay valid.
  if (!on_duplicate.empty()) fields.push_back({"on-duplicate", on_duplicate});
  return fields;
}

IdentityDifference Compare(const std::vector<IdentityField>& stored,
                           const std::vector<IdentityField>& now, const JobIdentity& identity) {
  IdentityDifference difference;
  size_t shard = 0;
  for (const IdentityField& field : now) {
    const std::optional<std::string> before = ValueOf(stored, field.name);
    if (field.creation_time) {
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

Result<std::string> DefaultPath(const JobIdentity& identity) {
  const std::optional<std::filesystem::path> state = StateFolder();
  if (!state.has_value()) {
    return Status::InvalidArgument(
        "neither XDG_STATE_HOME nor HOME says where to keep the journal; pass --journal PATH");
  }
  Checksum checksum;
  for (const IdentityField& field : identity.Fields()) {
    if (!field.creation_time) checksum.Add(field.name).Add(field.value);
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

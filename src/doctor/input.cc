#include "doctor/input.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "source/row_check.h"

namespace vecload::doctor {
namespace {

constexpr uint64_t kSampleRows = 500;

Check ColumnsCheck(const ColumnMapping& mapping, uint32_t dimension,
                   const std::optional<IndexInfo>& index) {
  const std::string metadata = !mapping.metadata_json.empty() ? "JSON in " + mapping.metadata_json
                               : mapping.metadata.empty()
                                   ? "none"
                                   : fmt::format("{}", fmt::join(mapping.metadata, ", "));
  Check check{.name = "columns",
              .result = CheckResult::kOk,
              .found = fmt::format("key {} ({}), vector {} of {} dimensions ({}), metadata {}",
                                   mapping.key, mapping.key_reason, mapping.vector, dimension,
                                   mapping.vector_reason, metadata)};
  if (!index || index->dimension == dimension) return check;
  check.result = CheckResult::kFailed;
  check.advice = fmt::format(
      "index {} has {} dimensions: name another column with "
      "--vector-column, or another index",
      index->name.ToString(), index->dimension);
  return check;
}

Check SampleCheck(Source* source, uint32_t dimension, const std::optional<IndexInfo>& index) {
  const SourceFile& file = source->manifest().files.front();
  source::RowRules rules{.dimension = dimension, .metric = DistanceMetric::kEuclidean};
  ReadRequest request{.file = 0, .row_end = std::min(file.rows, kSampleRows)};
  if (index) {
    rules.metric = index->metric;
    request.non_filterable_keys = index->non_filterable_keys;
  }
  uint64_t rows = 0;
  uint64_t rejected = 0;
  std::string first;
  const Status read = source->Read(request, [&](const RowBlock& block) {
    for (size_t i = 0; i < block.rows.size(); ++i) {
      ++rows;
      const RejectRule rule = source::CheckRow(block.rows[i], rules);
      if (rule == RejectRule::kNone || rejected++ > 0) continue;
      first = fmt::format("row {}: {}", block.row_begin + i,
                          source::RejectMessage(block.rows[i], rule, rules));
    }
    return Status::Ok();
  });
  Check check{.name = "rows", .result = CheckResult::kOk, .found = {}};
  if (!read.ok()) {
    check.result = CheckResult::kFailed;
    check.found = read.message();
    check.advice = "write the file again, or leave it out";
    return check;
  }
  check.found = fmt::format("{} of the first {} of {} would be rejected", rejected, rows, file.uri);
  if (rejected == 0) return check;
  check.result = CheckResult::kWarning;
  check.found += ": " + first;
  check.advice = "see `vecload plan` for a sample of all files";
  return check;
}

}  // namespace

InputChecks ChecksOfInput(const std::vector<std::string>& sources, const SourceOptions& options,
                          const std::optional<IndexInfo>& index) {
  InputChecks input;
  const auto fail = [&](const Status& status) {
    input.checks.push_back({.name = "source",
                            .result = CheckResult::kFailed,
                            .found = status.message(),
                            .advice = "see what the message names"});
    return input;
  };
  const Result<std::unique_ptr<Source>> source = OpenSource(sources, options);
  if (!source.ok()) return fail(source.status());
  const Manifest& manifest = (*source)->manifest();
  input.checks.push_back({.name = "source",
                          .result = CheckResult::kOk,
                          .found = fmt::format("{} {}, {} rows, {} bytes", manifest.files.size(),
                                               manifest.files.size() == 1 ? "file" : "files",
                                               manifest.rows, manifest.bytes)});
  const Result<uint32_t> dimension = (*source)->Dimension();
  if (!dimension.ok()) return fail(dimension.status());
  input.dimension = *dimension;
  input.checks.push_back(ColumnsCheck((*source)->mapping(), *dimension, index));
  input.checks.push_back(SampleCheck(source->get(), *dimension, index));
  return input;
}

}  // namespace vecload::doctor

#include "vecload/export.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "audit/export_columns.h"
#include "audit/export_folder.h"
#include "audit/index_reader.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/peak_memory.h"
#include "client/shards.h"
#include "source/vector_rows.h"
#include "vecload/version.h"

namespace vecload {
namespace audit {
namespace {

// So many segments in all, so that a segment that must begin again is a small part of the index;
// but an index of a set of many is one segment.
constexpr uint32_t kSegments = 16;
constexpr uint64_t kRowGroupBytesMin = 1 << 10;

// The same for indexes that are the same: made again, an index has another creation time.
std::string CreationOf(const client::ShardSet& set) {
  const double first = set.indexes.front().creation_time_s;
  if (!set.is_sharded) return fmt::format("{}", first);
  std::string text;
  for (const IndexInfo& index : set.indexes) {
    text += fmt::format("{} {}\n", index.arn, index.creation_time_s);
  }
  return fmt::format("{}, of all shards {:016x}", first, XXH3_64bits(text.data(), text.size()));
}

std::string JsonList(const std::vector<std::string>& texts) {
  JsonWriter json;
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  return json.EndArray().Take();
}

class Exporter {
 public:
  explicit Exporter(const ExportOptions& options) : options_(options) {}
  // What fails here has begun nothing.
  Status Open();
  // Everything else, told by the report.
  ExportReport Run();

 private:
  Status ChooseSegments();
  [[nodiscard]] ExportIdentity Identity() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> Notes() const;
  Status Write();
  // The first pass of a typed export.
  Status ChooseColumns();
  Status UseColumns(const ExportColumns& columns);
  // The segments that are not done, from where they are to go on.
  Result<std::vector<IndexSegment>> SegmentsLeft();
  Status ReadAll();
  Status Take(const IndexSegment& segment, VectorPage page);
  Status CheckUnchanged();
  void FillReport(double wall_s);
  void Tell(uint64_t vectors);
  void Say(const std::string& message) const {
    if (options_.on_message) options_.on_message(message);
  }
  // A segment's place in SegmentsOf.
  [[nodiscard]] uint32_t NumberOf(const IndexSegment& segment) const {
    return segment.segment.index * indexes_.size() + segment.shard;
  }
  [[nodiscard]] ReadOptions Reading(bool data) const {
    return {.data = data, .metadata = true, .threads = options_.threads, .stop = options_.stop};
  }

  const ExportOptions& options_;
  std::unique_ptr<Client> client_;
  client::ShardSet indexes_;
  uint32_t segments_per_index_ = 1;
  std::unique_ptr<ExportFolder> folder_;
  std::shared_ptr<const source::VectorColumns> columns_;
  // What is read and not written of each segment; only those that are being read have any.
  std::vector<std::unique_ptr<source::VectorRows>> rows_;
  ExportReport report_;
  std::mutex telling_;  // of what follows
  bool is_surveying_ = false;
  uint64_t vectors_ = 0;
  uint64_t pages_ = 0;
};

Status Exporter::Open() {
  if (options_.row_group_bytes_max < kRowGroupBytesMin) {
    return Status::InvalidArgument("a row group of less than 1 KiB: choose a greater one");
  }
  // The codec's name, before anything is asked for.
  VECLOAD_RETURN_IF_ERROR(
      source::PlanVectorColumns({.dimension = 1, .codec = options_.codec}).status());
  VECLOAD_ASSIGN_OR_RETURN(client_, Client::Open(options_.client));
  VECLOAD_ASSIGN_OR_RETURN(indexes_, client::FindIndexes(client_.get(), options_.index));
  VECLOAD_RETURN_IF_ERROR(ChooseSegments());
  const uint32_t segments = segments_per_index_ * indexes_.size();
  VECLOAD_ASSIGN_OR_RETURN(folder_, ExportFolder::Open(options_, Identity(), segments));
  rows_.resize(segments);
  report_.shards = indexes_.size();
  report_.vectors_resumed = folder_->rows();
  return Status::Ok();
}

// An endpoint that knows nothing of segments (an emulator; they came after the first API) gives the
// whole index for each of them, and each vector would be there so many times.
Status Exporter::ChooseSegments() {
  segments_per_index_ = std::max(1U, kSegments / indexes_.size());
  if (segments_per_index_ == 1) return Status::Ok();
  std::vector<std::string> first_keys;
  for (const uint32_t segment : {0U, 1U}) {
    VECLOAD_ASSIGN_OR_RETURN(const VectorPage page,
                             client_->ListVectors(indexes_.indexes.front().name, "", false, false,
                                                  {segment, segments_per_index_}));
    if (!page.vectors.empty()) first_keys.push_back(page.vectors.front().key);
  }
  if (first_keys.size() < 2 || first_keys[0] != first_keys[1]) return Status::Ok();
  Say("the endpoint does not list by segments, so the index is read in one");
  segments_per_index_ = 1;
  return Status::Ok();
}

ExportIdentity Exporter::Identity() const {
  const IndexInfo& index = indexes_.indexes.front();
  return {{"index", options_.index.ToString()},
          {"arn", index.arn},
          {"dimension", std::to_string(index.dimension)},
          {"shards", std::to_string(indexes_.size())},
          {"creation time", CreationOf(indexes_)},
          {"metadata", options_.typed ? "typed" : "json"},
          {"codec", options_.codec},
          {"segments", std::to_string(segments_per_index_ * indexes_.size())}};
}

// What a reader of the file may want to know of where it comes from.
std::vector<std::pair<std::string, std::string>> Exporter::Notes() const {
  const IndexInfo& index = indexes_.indexes.front();
  std::vector<std::pair<std::string, std::string>> notes = {
      {"vecload.version", kVersion},
      {"vecload.index", options_.index.ToString()},
      {"vecload.index_arn", index.arn},
      {"vecload.index_creation_time", UtcText(static_cast<int64_t>(index.creation_time_s))},
      {"vecload.dimension", std::to_string(index.dimension)},
      {"vecload.distance_metric", std::string(DistanceMetricName(index.metric))},
      {"vecload.non_filterable_keys", JsonList(index.non_filterable_keys)},
      {"vecload.export_time", UtcText(folder_->begun())}};
  if (indexes_.is_sharded) notes.emplace_back("vecload.shards", std::to_string(indexes_.size()));
  return notes;
}

void Exporter::Tell(uint64_t vectors) {
  const std::lock_guard lock(telling_);
  ++pages_;
  vectors_ += vectors;
  if (!options_.on_progress) return;
  options_.on_progress(
      {.is_surveying = is_surveying_, .vectors = vectors_, .bytes = folder_->bytes()});
}

Status Exporter::ChooseColumns() {
  if (folder_->columns()) return Status::Ok();
  if (!options_.typed) return folder_->SetColumns({});
  is_surveying_ = true;
  ColumnSurvey whole;
  std::mutex merging;
  std::vector<std::unique_ptr<ColumnSurvey>> surveys(rows_.size());
  const auto take = [&](const IndexSegment& segment, const VectorPage& page) -> Status {
    std::unique_ptr<ColumnSurvey>& survey = surveys[NumberOf(segment)];
    if (survey == nullptr) survey = std::make_unique<ColumnSurvey>();
    for (const Record& vector : page.vectors) {
      if (survey->Add(vector.metadata)) continue;
      return Status::Corrupt(
          fmt::format("ListVectors \"{}\": vector \"{}\" came with metadata "
                      "that is none",
                      indexes_.indexes[segment.shard].name.ToString(), vector.key));
    }
    if (page.next_token.empty()) {
      const std::lock_guard lock(merging);
      whole.Merge(*survey);
      survey.reset();
    }
    Tell(page.vectors.size());
    return Status::Ok();
  };
  VECLOAD_RETURN_IF_ERROR(ReadSegments(client_.get(), indexes_,
                                       SegmentsOf(indexes_, segments_per_index_),
                                       Reading(/*data=*/false), take));
  is_surveying_ = false;
  vectors_ = 0;
  return folder_->SetColumns(whole.Columns());
}

Status Exporter::UseColumns(const ExportColumns& columns) {
  VECLOAD_ASSIGN_OR_RETURN(
      columns_, source::PlanVectorColumns({.dimension = indexes_.indexes.front().dimension,
                                           .has_json = columns.has_json,
                                           .typed = columns.typed,
                                           .codec = options_.codec,
                                           .notes = Notes()}));
  folder_->UseColumns(columns_);
  report_.metadata_columns = columns.typed.size();
  report_.has_json = columns.has_json;
  report_.keys_without_column = columns.keys_without_column;
  return Status::Ok();
}

Result<std::vector<IndexSegment>> Exporter::SegmentsLeft() {
  std::vector<IndexSegment> left;
  for (IndexSegment& segment : SegmentsOf(indexes_, segments_per_index_)) {
    const uint32_t number = NumberOf(segment);
    const ExportFolder::Segment& at = folder_->segments()[number];
    if (at.is_done) continue;
    segment.next_token = at.next_token;
    if (!segment.next_token.empty()) {
      // The service says nothing of how long a token lives; so ask, with those few there are.
      const IndexName& name = indexes_.indexes[segment.shard].name;
      const auto page = client_->ListVectors(name, segment.next_token, true, true, segment.segment);
      const ServiceError* const refusal = page.status().service();
      if (!page.ok() && (refusal == nullptr || refusal->http_status != 400)) return page.status();
      if (!page.ok()) {
        Say(
            fmt::format("segment {} of {} of \"{}\" is read again from its begin: the service does "
                        "not go on where it was left ({})",
                        segment.segment.index + 1, segment.segment.count, name.ToString(),
                        page.status().message()));
        report_.vectors_resumed -= at.rows;
        ++report_.segments_restarted;
        VECLOAD_RETURN_IF_ERROR(folder_->Restart(number));
        segment.next_token.clear();
      }
    }
    left.push_back(std::move(segment));
  }
  return left;
}

Status Exporter::Take(const IndexSegment& segment, VectorPage page) {
  const uint32_t number = NumberOf(segment);
  std::unique_ptr<source::VectorRows>& rows = rows_[number];
  if (rows == nullptr) rows = std::make_unique<source::VectorRows>(columns_);
  const Status added = rows->Add(page.vectors);
  if (!added.ok()) {
    return added.WithContext("index \"" + indexes_.indexes[segment.shard].name.ToString() + "\"");
  }
  const uint64_t vectors = page.vectors.size();
  page.vectors = {};  // they are in `rows` now, and writing those takes memory too
  if (page.next_token.empty() || rows->bytes() >= options_.row_group_bytes_max) {
    VECLOAD_RETURN_IF_ERROR(folder_->Add(number, *rows, page.next_token));
    rows->Clear();
  }
  if (page.next_token.empty()) rows.reset();
  Tell(vectors);
  return Status::Ok();
}

Status Exporter::ReadAll() {
  VECLOAD_ASSIGN_OR_RETURN(std::vector<IndexSegment> left, SegmentsLeft());
  return ReadSegments(client_.get(), indexes_, std::move(left), Reading(/*data=*/true),
                      [this](const IndexSegment& segment, VectorPage page) {
                        return Take(segment, std::move(page));
                      });
}

Status Exporter::CheckUnchanged() {
  VECLOAD_ASSIGN_OR_RETURN(const client::ShardSet now,
                           client::FindIndexes(client_.get(), options_.index));
  const bool same = now.indexes.front().arn == indexes_.indexes.front().arn &&
                    CreationOf(now) == CreationOf(indexes_);
  if (same) return Status::Ok();
  return Status::Conflict(
      fmt::format("index \"{}\" was deleted and made again while it was exported; export it again "
                  "with --restart",
                  options_.index.ToString()));
}

Status Exporter::Write() {
  if (!folder_->is_whole()) {
    if (folder_->is_resumed()) {
      Say(fmt::format("going on with the export begun at {}: {} vectors are written",
                      UtcText(folder_->begun()), folder_->rows()));
    }
    VECLOAD_RETURN_IF_ERROR(ChooseColumns());
    VECLOAD_RETURN_IF_ERROR(UseColumns(*folder_->columns()));
    VECLOAD_RETURN_IF_ERROR(ReadAll());
    VECLOAD_RETURN_IF_ERROR(CheckUnchanged());
  }
  report_.vectors = folder_->rows();
  report_.row_groups = folder_->row_groups();
  VECLOAD_ASSIGN_OR_RETURN(report_.files, folder_->Complete());
  for (const std::string& file : report_.files) {
    std::error_code ignored;
    report_.bytes += std::filesystem::file_size(file, ignored);
  }
  return Status::Ok();
}

ExportReport Exporter::Run() {
  const auto begin = std::chrono::steady_clock::now();
  report_.status = Write();
  FillReport(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return std::move(report_);
}

void Exporter::FillReport(double wall_s) {
  if (!report_.status.ok()) {
    report_.vectors = folder_->rows();
    report_.row_groups = folder_->row_groups();
    report_.bytes = folder_->bytes();
  }
  report_.list_calls = pages_;
  report_.wall_s = wall_s;
  const uint64_t written = report_.vectors - std::min(report_.vectors, report_.vectors_resumed);
  report_.vectors_per_s = wall_s > 0 ? static_cast<double>(written) / wall_s : 0;
  report_.rss_bytes_max = PeakMemoryBytes();
}

}  // namespace
}  // namespace audit

Result<ExportReport> Export(const ExportOptions& options) {
  audit::Exporter exporter(options);
  VECLOAD_RETURN_IF_ERROR(exporter.Open());
  return exporter.Run();
}

}  // namespace vecload

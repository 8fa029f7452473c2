#include "vecload/verify.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "audit/differences.h"
#include "audit/digest_table.h"
#include "audit/entry_spill.h"
#include "audit/index_reader.h"
#include "audit/record_digest.h"
#include "audit/rejected_rows.h"
#include "client/shards.h"
#include "client/value_shards.h"
#include "source/row_check.h"
#include "source/shard_values.h"
#include "wire/limits.h"

namespace vecload {
namespace audit {
namespace {

constexpr uint32_t kBlockRows = 500;
constexpr uint32_t kSegmentsOfOneIndex = 4;
// A key in the second pass, about; a wrong guess costs only memory or parts.
constexpr uint64_t kKeyBytesGuess = 40;

class Verification {
 public:
  // The source lives longer.
  Verification(const VerifyOptions& options, Source* source)
      : options_(options),
        source_(source),
        rules_{options.keys_only, options.metadata_numbers == MetadataNumbers::kFloat32} {}
  Result<VerifyReport> Run();

 private:
  // What a pass does with a row that is not listed as rejected, or with a vector of the index.
  using TakeRow = std::function<Status(const SourceRow&, uint32_t file, uint64_t row,
                                       RecordDigester* digester)>;
  using TakeVector = std::function<Status(const Record&, uint32_t shard, RecordDigester* digester)>;

  Status Open();
  // With --shard-by those of the values that the source has.
  Result<client::ShardSet> FindIndexes();
  Status ReadValues();
  Status CompareAll();
  Status CompareSample();
  Status CheckUnchanged();
  Status NameDifferences();
  Status ReadBoth(const TakeRow& take_row, const TakeVector& take_vector);
  Status ReadSource(const TakeRow& take);
  Status ReadFiles(const TakeRow& take, std::atomic<uint32_t>* next);
  Status ReadIndex(const TakeVector& take);
  // Compares key by key what the spill has of both sides, and writes down what differs.
  Status NameWhatDiffers(EntrySpill* spill);
  Status AskFor(uint32_t shard, std::set<std::string>* keys, EntrySpill* spill);
  void ReportCounts();
  // Whether the index can hold the row.
  [[nodiscard]] bool Loadable(const SourceRow& row) const {
    const RejectRule rule =
        options_.keys_only ? source::CheckKey(row) : source::CheckRow(row, row_rules_);
    return rule == RejectRule::kNone;
  }
  // Nothing of a row that the index cannot hold.
  std::optional<RecordDigest> DigestOf(const SourceRow& row, RecordDigester* digester) const {
    if (!Loadable(row)) return std::nullopt;
    return digester->Of(row.key, row.vector, row.metadata, ShardOf(row));
  }
  [[nodiscard]] uint32_t ShardOf(const SourceRow& row) const {
    return values_ != nullptr ? values_->Of(row).value_or(0) : indexes_.ShardOf(row.key);
  }
  [[nodiscard]] Entry RowEntry(const SourceRow& row, uint32_t file, uint64_t number,
                               const std::optional<RecordDigest>& digest) const;
  [[nodiscard]] uint64_t SpillBytes(uint64_t entries) const {
    return entries * (EntrySpill::kEntryBytes + kKeyBytesGuess);
  }
  [[nodiscard]] bool stopped() const { return options_.stop != nullptr && *options_.stop; }
  void Tell();

  const VerifyOptions& options_;
  Source* const source_;
  DigestRules rules_;
  source::RowRules row_rules_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<const client::ValueNumbers> values_;  // null: the key says which shard it is
  client::ShardSet indexes_;
  RejectedRows rejected_;
  VerifyReport report_;
  std::unique_ptr<DigestTable> first_;
  std::atomic<bool> halt_{false};  // one side failed, or the stop: the other need not go on
  uint32_t pass_ = 1;
  std::atomic<uint64_t> rows_{0};
  std::atomic<uint64_t> vectors_{0};
  std::atomic<uint64_t> rows_rejected_{0};
  std::atomic<uint64_t> rows_unloadable_{0};
  std::atomic<uint64_t> pages_{0};
  std::mutex telling_;
};

Result<client::ShardSet> Verification::FindIndexes() {
  if (values_ == nullptr) return client::FindIndexes(client_.get(), options_.index);
  const client::ShardBy by{.base = options_.index, .column = options_.source.shard_by};
  VECLOAD_ASSIGN_OR_RETURN(auto found,
                           client::FindValueIndexes(client_.get(), by, values_->values()));
  return client::WholeSet(by, values_->values(), std::move(found));
}

Status Verification::ReadValues() {
  if (options_.source.shard_by.empty()) return Status::Ok();
  VECLOAD_RETURN_IF_ERROR(client::CheckValueBase(options_.index));
  VECLOAD_ASSIGN_OR_RETURN(source::ShardValues found,
                           source::FindShardValues(source_, client::kShardsMax, options_.stop));
  std::vector<std::string> values;
  for (source::ShardValues::Value& value : found.values) values.push_back(std::move(value.text));
  values_ = std::make_unique<const client::ValueNumbers>(std::move(values));
  return Status::Ok();
}

Status Verification::Open() {
  VECLOAD_ASSIGN_OR_RETURN(client_, Client::Open(options_.client));
  VECLOAD_RETURN_IF_ERROR(ReadValues());
  VECLOAD_ASSIGN_OR_RETURN(indexes_, FindIndexes());
  VECLOAD_ASSIGN_OR_RETURN(rejected_,
                           RejectedRows::Read(options_.rejects_path, source_->manifest()));
  const uint32_t dimension = source_->mapping().dimension;
  const IndexInfo& index = indexes_.indexes.front();
  if (dimension != 0 && dimension != index.dimension && !options_.keys_only) {
    return Status::InvalidArgument(fmt::format(
        "the vectors of the source have length {} and index \"{}\" has dimension {}: this is not "
        "what was loaded; check --index and --vector-column",
        dimension, index.name.ToString(), index.dimension));
  }
  row_rules_ = {.dimension = index.dimension, .metric = index.metric};
  report_.shards = indexes_.size();
  return Status::Ok();
}

void Verification::Tell() {
  if (!options_.on_progress) return;
  const std::lock_guard lock(telling_);
  options_.on_progress({.pass = pass_,
                        .source_rows = rows_,
                        .source_rows_total = source_->manifest().rows,
                        .index_vectors = vectors_});
}

Status Verification::ReadFiles(const TakeRow& take, std::atomic<uint32_t>* next) {
  RecordDigester digester(rules_);
  const std::vector<SourceFile>& files = source_->manifest().files;
  for (uint32_t file = (*next)++; file < files.size(); file = (*next)++) {
    const ReadRequest request{.file = file,
                              .row_end = files[file].rows,
                              .block_rows_max = kBlockRows,
                              .non_filterable_keys = indexes_.indexes.front().non_filterable_keys,
                              .keys_only = options_.keys_only};
    const auto deliver = [&](const RowBlock& block) -> Status {
      if (halt_ || stopped()) return Status::Cancelled("stopped on request");
      for (size_t i = 0; i < block.rows.size(); ++i) {
        const uint64_t row = block.row_begin + i;
        if (rejected_.Has(file, row)) {
          ++rows_rejected_;
          continue;
        }
        if (values_ != nullptr) VECLOAD_RETURN_IF_ERROR(values_->Find(block.rows[i]).status());
        VECLOAD_RETURN_IF_ERROR(take(block.rows[i], file, row, &digester));
      }
      rows_ += block.rows.size();
      Tell();
      return Status::Ok();
    };
    VECLOAD_RETURN_IF_ERROR(source_->Read(request, deliver));
  }
  return Status::Ok();
}

Status Verification::ReadSource(const TakeRow& take) {
  std::atomic<uint32_t> next{0};
  const size_t files = source_->manifest().files.size();
  // A source reads different files at once, never one; a sample asks in one thread.
  const size_t threads =
      options_.sample != 0 ? 1 : std::clamp<size_t>((options_.threads + 1) / 2, 1, files);
  std::vector<Status> results(threads);
  const auto read = [&](size_t i) {
    results[i] = ReadFiles(take, &next);
    if (!results[i].ok()) halt_ = true;
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(read, i);
  read(0);
  for (std::thread& other : others) other.join();
  // A failure stops the others, which call that cancelled: it is not the one to tell.
  Status worst;
  for (const Status& result : results) {
    if (worst.ok() || worst.code() == Code::kCancelled) worst = result.ok() ? worst : result;
  }
  return worst;
}

Status Verification::ReadIndex(const TakeVector& take) {
  const uint32_t segments = indexes_.size() > 1 ? 1 : kSegmentsOfOneIndex;
  const ReadOptions reading{.data = !options_.keys_only,
                            .metadata = !options_.keys_only,
                            .threads = options_.threads,
                            .stop = &halt_};
  return ReadSegments(client_.get(), indexes_, SegmentsOf(indexes_, segments), reading,
                      [&](const IndexSegment& segment, const VectorPage& page) -> Status {
                        if (stopped()) return Status::Cancelled("stopped on request");
                        RecordDigester digester(rules_);
                        for (const Record& record : page.vectors) {
                          VECLOAD_RETURN_IF_ERROR(take(record, segment.shard, &digester));
                        }
                        ++pages_;
                        vectors_ += page.vectors.size();
                        Tell();
                        return Status::Ok();
                      });
}

Status Verification::ReadBoth(const TakeRow& take_row, const TakeVector& take_vector) {
  rows_ = vectors_ = rows_rejected_ = rows_unloadable_ = 0;
  Status index_status;
  std::thread index_reader([&] {
    index_status = ReadIndex(take_vector);
    if (!index_status.ok()) halt_ = true;
  });
  Status source_status = ReadSource(take_row);
  index_reader.join();
  const bool source_tells = !source_status.ok() && source_status.code() != Code::kCancelled;
  return source_tells || index_status.ok() ? source_status : index_status;
}

Entry Verification::RowEntry(const SourceRow& row, uint32_t file, uint64_t number,
                             const std::optional<RecordDigest>& digest) const {
  Entry entry =
      EntryOf(row.key, digest.value_or(RecordDigest{.key_hash = KeyHash(row.key)}), ShardOf(row));
  entry.row = number;
  entry.file = file;
  entry.is_loadable = digest.has_value();
  return entry;
}

void Verification::ReportCounts() {
  report_.source_rows = rows_;
  report_.index_vectors = vectors_;
  report_.rows_rejected = rows_rejected_;
  report_.rows_unloadable = rows_unloadable_;
}

Status Verification::CompareAll() {
  first_ = std::make_unique<DigestTable>();
  VECLOAD_RETURN_IF_ERROR(ReadBoth(
      [&](const SourceRow& row, uint32_t, uint64_t, RecordDigester* digester) {
        const std::optional<RecordDigest> digest = DigestOf(row, digester);
        if (digest.has_value()) {
          first_->Add(*digest);
        } else {
          ++rows_unloadable_;
        }
        return Status::Ok();
      },
      [&](const Record& record, uint32_t shard, RecordDigester* digester) {
        first_->Subtract(digester->Of(record.key, record.vector, record.metadata, shard));
        return Status::Ok();
      }));
  ReportCounts();
  for (uint32_t bucket = 0; bucket < DigestTable::kBuckets; ++bucket) {
    report_.buckets_differing += first_->Differs(bucket) ? 1 : 0;
  }
  if (report_.buckets_differing > 0) return NameDifferences();
  VECLOAD_RETURN_IF_ERROR(CheckUnchanged());
  return Differences(options_, source_->manifest(), indexes_, &report_).Close();
}

// Reads both sides again, and keeps of them what is in the differing buckets.
Status Verification::NameDifferences() {
  pass_ = 2;
  const uint64_t records = report_.source_rows + report_.index_vectors;
  EntrySpill spill(SpillBytes(records * report_.buckets_differing / DigestTable::kBuckets),
                   options_.memory_bytes_max);
  auto second = std::make_unique<DigestTable>();
  VECLOAD_RETURN_IF_ERROR(ReadBoth(
      [&](const SourceRow& row, uint32_t file, uint64_t number, RecordDigester* digester) {
        if (!first_->Differs(DigestTable::BucketOf(KeyHash(row.key)))) return Status::Ok();
        const std::optional<RecordDigest> digest = DigestOf(row, digester);
        if (digest.has_value()) second->Add(*digest);
        return spill.Add(RowEntry(row, file, number, digest));
      },
      [&](const Record& record, uint32_t shard, RecordDigester* digester) {
        if (!first_->Differs(DigestTable::BucketOf(KeyHash(record.key)))) return Status::Ok();
        const RecordDigest digest = digester->Of(record.key, record.vector, record.metadata, shard);
        second->Subtract(digest);
        return spill.Add(EntryOf(record.key, digest, shard));
      }));
  bool same = rows_ == report_.source_rows && vectors_ == report_.index_vectors;
  for (uint32_t bucket = 0; bucket < DigestTable::kBuckets && same; ++bucket) {
    same = !first_->Differs(bucket) || first_->SameAs(*second, bucket);
  }
  if (!same) {
    return Status::Conflict(fmt::format(
        "index \"{}\" (or the source) was written to while it was compared: read twice, it was "
        "not the same; nothing can be said; verify again when no load is running",
        options_.index.ToString()));
  }
  second.reset();
  first_.reset();  // room for the parts
  return NameWhatDiffers(&spill);
}

Status Verification::NameWhatDiffers(EntrySpill* spill) {
  // Before anybody is accused.
  VECLOAD_RETURN_IF_ERROR(CheckUnchanged());
  Differences differences(options_, source_->manifest(), indexes_, &report_);
  VECLOAD_RETURN_IF_ERROR(spill->ForEachPart([&](std::span<Entry> entries) {
    if (stopped()) return Status::Cancelled("stopped on request");
    return differences.Compare(entries);
  }));
  return differences.Close();
}

Status Verification::AskFor(uint32_t shard, std::set<std::string>* keys, EntrySpill* spill) {
  if (keys->empty()) return Status::Ok();
  VECLOAD_ASSIGN_OR_RETURN(
      const std::vector<Record> found,
      client_->GetVectors(indexes_.indexes[shard].name, {keys->begin(), keys->end()},
                          !options_.keys_only, !options_.keys_only));
  RecordDigester digester(rules_);
  for (const Record& record : found) {
    const RecordDigest digest = digester.Of(record.key, record.vector, record.metadata, shard);
    VECLOAD_RETURN_IF_ERROR(spill->Add(EntryOf(record.key, digest, shard)));
  }
  vectors_ += found.size();
  keys->clear();
  return Status::Ok();
}

// The keys whose hashes are lowest are as good as drawn by lot, and the same at each call.
Status Verification::CompareSample() {
  const uint64_t rows = std::max<uint64_t>(source_->manifest().rows, 1);
  const double share = static_cast<double>(options_.sample) / static_cast<double>(rows);
  const uint64_t hash_max =
      share >= 1 ? UINT64_MAX : static_cast<uint64_t>(share * 18446744073709551616.0);
  EntrySpill spill(SpillBytes(2 * std::min(options_.sample, rows)), options_.memory_bytes_max);
  std::vector<std::set<std::string>> asked(indexes_.size());
  const auto take = [&](const SourceRow& row, uint32_t file, uint64_t number,
                        RecordDigester* digester) {
    const bool loadable = Loadable(row);
    rows_unloadable_ += loadable ? 0 : 1;
    if (KeyHash(row.key) > hash_max) return Status::Ok();
    ++report_.sampled_rows;
    const Entry entry = RowEntry(row, file, number, DigestOf(row, digester));
    VECLOAD_RETURN_IF_ERROR(spill.Add(entry));
    if (!loadable) return Status::Ok();
    std::set<std::string>& keys = asked[entry.shard];
    keys.emplace(row.key);
    return keys.size() < wire::kGetVectorsMax ? Status::Ok() : AskFor(entry.shard, &keys, &spill);
  };
  VECLOAD_RETURN_IF_ERROR(ReadSource(take));
  for (uint32_t shard = 0; shard < asked.size(); ++shard) {
    VECLOAD_RETURN_IF_ERROR(AskFor(shard, &asked[shard], &spill));
  }
  ReportCounts();
  return NameWhatDiffers(&spill);
}

Status Verification::CheckUnchanged() {
  VECLOAD_ASSIGN_OR_RETURN(const client::ShardSet now, FindIndexes());
  const auto same = [](const IndexInfo& left, const IndexInfo& right) {
    return left.arn == right.arn && left.creation_time_s == right.creation_time_s;
  };
  if (std::ranges::equal(now.indexes, indexes_.indexes, same)) return Status::Ok();
  return Status::Conflict(
      fmt::format("index \"{}\" was deleted and made again while it was compared; verify again",
                  options_.index.ToString()));
}

Result<VerifyReport> Verification::Run() {
  const auto begin = std::chrono::steady_clock::now();
  VECLOAD_RETURN_IF_ERROR(Open());
  VECLOAD_RETURN_IF_ERROR(options_.sample != 0 ? CompareSample() : CompareAll());
  report_.list_calls = pages_;
  report_.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report_;
}

Status CheckStream(const VerifyOptions& options, const Source& source) {
  if (!source.CanReadAgain() || source.manifest().rows >= kRowsUnknown) {
    return Status::InvalidArgument(
        "what differs is found by a second pass over the source, and this stream passes by once; "
        "verify a table that holds its rows, or files");
  }
  if (options.source.shard_by.empty()) return Status::Ok();
  return Status::InvalidArgument(
      "the values of a column are found by a pass over it, which is of files");
}

}  // namespace
}  // namespace audit

Result<VerifyReport> Verify(const VerifyOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, options.source));
  return audit::Verification(options, source.get()).Run();
}

Result<VerifyReport> Verify(const VerifyOptions& options, Source* source) {
  VECLOAD_RETURN_IF_ERROR(audit::CheckStream(options, *source));
  return audit::Verification(options, source).Run();
}

}  // namespace vecload

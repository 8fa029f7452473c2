#include "load/encoder.h"

#include <numeric>
#include <utility>

#include "wire/delete_body.h"
#include "wire/put_body.h"

namespace vecload::load {
namespace {

// More buffers than are in flight at once are never given back together for long.
constexpr size_t kPooledMax = 64;

}  // namespace

wire::ByteBuffer BufferPool::Take() {
  const std::lock_guard lock(mutex_);
  if (buffers_.empty()) return {};
  wire::ByteBuffer buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void BufferPool::Give(wire::ByteBuffer buffer) {
  const std::lock_guard lock(mutex_);
  if (buffers_.size() < kPooledMax) buffers_.push_back(std::move(buffer));
}

Encoder::Encoder(JobKind kind, BufferPool* pool, size_t body_bytes_max)
    : kind_(kind), pool_(pool), body_bytes_max_(body_bytes_max) {}

template <typename Writer, typename AddRow>
void Encoder::Write(Writer writer, const CutBatch& batch, AddRow add, size_t* next,
                    EncodedBatch* made) {
  for (; *next < batch.rows.size(); ++*next) {
    const CutBatch::Row& row = batch.rows[*next];
    if (!add(&writer, *row.row)) break;
    made->ids.push_back(row.id);
    hasher_.Update(writer.TakeNew());
  }
  hasher_.Update(Writer::Tail());
  made->payload_hash = hasher_.Finish();
  made->body = std::move(writer).Finish();
}

std::vector<EncodedBatch> Encoder::Encode(const IndexName& index, CutBatch batch) {
  std::vector<EncodedBatch> encoded;
  if (batch.rows.empty()) {
    encoded.emplace_back().coverage = std::move(batch.coverage);
    return encoded;
  }
  size_t next = 0;
  while (next < batch.rows.size()) {
    wire::ByteBuffer buffer = pool_->Take();
    // At once: growing step by step, a body would be copied and its pages be faulted in twice.
    buffer.set_size(0);
    buffer.Reserve((batch.rows.size() - next + 1) * bytes_per_record_);
    EncodedBatch& made = encoded.emplace_back();
    if (kind_ == JobKind::kDelete) {
      const auto add = [&](wire::DeleteBodyWriter* writer, const SourceRow& row) {
        return writer->Add(row.key, body_bytes_max_);
      };
      Write(wire::DeleteBodyWriter(index, std::move(buffer)), batch, add, &next, &made);
    } else {
      const auto add = [&](wire::PutBodyWriter* writer, const SourceRow& row) {
        return writer->Add(row.key, row.vector, row.metadata, body_bytes_max_);
      };
      Write(wire::PutBodyWriter(index, std::move(buffer)), batch, add, &next, &made);
    }
    bytes_per_record_ = made.body.text().size() / made.ids.size();
    Coverage rest;
    if (next < batch.rows.size()) rest = batch.coverage.SplitOff(batch.rows[next].id);
    made.coverage = std::exchange(batch.coverage, std::move(rest));
  }
  return encoded;
}

EncodedBatch Encoder::Select(const EncodedBatch& batch, std::span<const size_t> records) {
  EncodedBatch selected;
  selected.body = wire::SelectRecords(batch.body, records, pool_->Take());
  for (const size_t record : records) selected.ids.push_back(batch.ids[record]);
  hasher_.Update(selected.body.text());
  selected.payload_hash = hasher_.Finish();
  return selected;
}

std::pair<EncodedBatch, EncodedBatch> Encoder::Divide(EncodedBatch batch, size_t at) {
  std::vector<size_t> records(batch.ids.size());
  std::iota(records.begin(), records.end(), size_t{0});
  const std::span<const size_t> all = records;
  EncodedBatch head = Select(batch, all.first(at));
  EncodedBatch tail = Select(batch, all.subspan(at));
  tail.coverage = batch.coverage.SplitOff(batch.ids[at]);
  head.coverage = std::move(batch.coverage);
  pool_->Give(std::move(batch.body.bytes));
  return {std::move(head), std::move(tail)};
}

}  // namespace vecload::load

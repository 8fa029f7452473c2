#include "audit/index_reader.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

namespace vecload::audit {
namespace {

// What the reading threads share.
class Reading {
 public:
  Reading(Client* client, const client::ShardSet& set, std::vector<IndexSegment> segments,
          const ReadOptions& options, const TakePage& take)
      : client_(client),
        set_(set),
        segments_(std::move(segments)),
        options_(options),
        take_(take) {}

  Status Run() {
    const size_t threads = std::clamp<size_t>(options_.threads, 1, segments_.size());
    std::vector<std::thread> started;
    for (size_t i = 1; i < threads; ++i) started.emplace_back([this] { ReadNextOnes(); });
    ReadNextOnes();
    for (std::thread& thread : started) thread.join();
    return failure_;
  }

 private:
  void ReadNextOnes() {
    for (size_t i = next_++; i < segments_.size() && !failed_; i = next_++) {
      const Status status = ReadOne(&segments_[i]);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex_);
      if (failure_.ok()) failure_ = status;
      failed_ = true;
    }
  }

  Status ReadOne(IndexSegment* segment) {
    const IndexName& name = set_.indexes[segment->shard].name;
    do {
      if (failed_) return Status::Ok();
      if (options_.stop != nullptr && *options_.stop)
        return Status::Cancelled("stopped on request");
      VECLOAD_ASSIGN_OR_RETURN(VectorPage page,
                               client_->ListVectors(name, segment->next_token, options_.data,
                                                    options_.metadata, segment->segment));
      if (!page.next_token.empty() && page.next_token == segment->next_token) {
        return Status::Corrupt(
            "ListVectors \"" + name.ToString() +
            "\": the pages never end; check that the endpoint speaks S3 Vectors");
      }
      std::string next = page.next_token;
      VECLOAD_RETURN_IF_ERROR(take_(*segment, std::move(page)));
      segment->next_token = std::move(next);
    } while (!segment->next_token.empty());
    return Status::Ok();
  }

  Client* client_;
  const client::ShardSet& set_;
  std::vector<IndexSegment> segments_;
  const ReadOptions& options_;
  const TakePage& take_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  Status failure_;
};

}  // namespace

std::vector<IndexSegment> SegmentsOf(const client::ShardSet& set, uint32_t per_index) {
  std::vector<IndexSegment> segments;
  // Index by index last, so that what is read at once comes from many of them.
  for (uint32_t segment = 0; segment < per_index; ++segment) {
    for (uint32_t shard = 0; shard < set.size(); ++shard) {
      segments.push_back({shard, {segment, per_index}, {}});
    }
  }
  return segments;
}

Status ReadSegments(Client* client, const client::ShardSet& set, std::vector<IndexSegment> segments,
                    const ReadOptions& options, const TakePage& take) {
  if (segments.empty()) return Status::Ok();
  return Reading(client, set, std::move(segments), options, take).Run();
}

}  // namespace vecload::audit

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "client/shards.h"
#include "vecload/client.h"
#include "vecload/status.h"

namespace vecload::audit {

// A share of one of several indexes, and how far it was read.
struct IndexSegment {
  uint32_t shard = 0;  // a position in ShardSet::indexes
  ListSegment segment;
  std::string next_token;  // where to go on; empty: at the begin
};

// All segments of a set of indexes, each index in `per_index` of them (1 to 16).
std::vector<IndexSegment> SegmentsOf(const client::ShardSet& set, uint32_t per_index);

struct ReadOptions {
  bool data = true;  // vectors too, not keys alone
  bool metadata = true;
  uint32_t threads = 4;                     // segments read at once
  const std::atomic<bool>* stop = nullptr;  // may be null
};

// A page as it came, and whose it is; its next_token is empty where the segment ends with it.
using TakePage = std::function<Status(const IndexSegment& segment, VectorPage page)>;

// Reads the segments to their ends and hands their pages to `take`, those of one segment in order
// and one at a time, those of different segments at once, on several threads. Pages are not read
// ahead, so that what `take` keeps is all the memory there is. Returns the first failure (of the
// service's, or what `take` said), or kCancelled after `stop`, once no `take` runs any more.
Status ReadSegments(Client* client, const client::ShardSet& set, std::vector<IndexSegment> segments,
                    const ReadOptions& options, const TakePage& take);

}  // namespace vecload::audit

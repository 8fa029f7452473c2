#pragma once

#include "client/shards.h"
#include "vecload/client.h"
#include "vecload/sharded_index.h"
#include "vecload/status.h"

namespace vecload::client {

// The order of neighbours in an answer, of one index and of many: by distance, then by the key's
// bytes, as the local server has it.
[[nodiscard]] bool IsNearer(const Neighbor& a, const Neighbor& b);

// Asks all shards at once and merges what they give. Pages of one shard come nearest first, so a
// shard is followed only while its last neighbour is nearer than the farthest that counts so far:
// 10,000 neighbours of 16 shards are some 150 pages of 100, not 1,600. With `go_on`, shards that
// fail are told in the answer. At any time it holds top_k neighbours and a page for each thread.
Result<PartialNeighbors> MergedQuery(Client* client, const ShardSet& set, const Query& query,
                                     bool go_on);

}  // namespace vecload::client

#include "client/merged_query.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace vecload::client {
namespace {

// Calls at once. A query of a thousand shards is 16 rounds then, within the connections that a
// transport has (256) and the service's hundreds of queries a second.
constexpr size_t kAskedAtOnce = 64;
// As Client's own: beyond it an endpoint never ends its pages.
constexpr uint32_t kPagesMax = 20'000;

// What the asking threads share.
class Asking {
 public:
  Asking(Client* client, const ShardSet& set, const Query& query, bool go_on)
      : client_(client), set_(set), query_(query), go_on_(go_on), shards_(set.size()) {}

  Result<PartialNeighbors> Run() {
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min<size_t>(set_.size(), kAskedAtOnce); ++i) {
      others.emplace_back([this] { Work(); });
    }
    Work();
    for (std::thread& other : others) other.join();
    if (!failures_.empty() && (halted_ || failures_.size() == set_.size())) {
      return Named(failures_.begin()->second);
    }
    PartialNeighbors answer{.neighbors = std::move(nearest_), .failures = {}};
    for (auto& [shard, status] : failures_) {
      answer.failures.push_back({set_.indexes[shard].name, std::move(status)});
    }
    return answer;
  }

 private:
  struct Shard {
    std::string next_token;
    std::optional<Neighbor> last;  // the farthest that it has given
    uint32_t pages = 0;
    bool is_asked = false;  // a call is under way
    bool is_done = false;
  };

  void Work() {
    std::unique_lock lock(mutex_);
    while (const std::optional<uint32_t> next = WaitForShard(&lock)) {
      Shard& shard = shards_[*next];
      shard.is_asked = true;
      ++calls_;
      const std::string token = shard.next_token;
      lock.unlock();
      Result<NeighborPage> page =
          client_->QueryVectorsPage(set_.indexes[*next].name, query_, token);
      lock.lock();
      --calls_;
      shard.is_asked = false;
      const Status status = page.ok() ? Take(*next, *std::move(page)) : page.status();
      if (!status.ok()) Fail(*next, status);
      changed_.notify_all();
    }
    changed_.notify_all();
  }

  // The shard to be asked next; nothing when no call can change the answer any more.
  std::optional<uint32_t> WaitForShard(std::unique_lock<std::mutex>* lock) {
    for (;;) {
      if (halted_) return std::nullopt;
      if (const auto next = NearestShard()) return next;
      if (calls_ == 0) return std::nullopt;
      changed_.wait(*lock);
    }
  }

  // Of the shards that may still have what counts, the one whose next is likely to be nearest.
  [[nodiscard]] std::optional<uint32_t> NearestShard() const {
    std::optional<uint32_t> found;
    for (uint32_t i = 0; i < shards_.size(); ++i) {
      const Shard& shard = shards_[i];
      if (shard.is_asked || shard.is_done || !MayCount(shard)) continue;
      if (!shard.last) return i;
      if (!found || IsNearer(*shard.last, *shards_[*found].last)) found = i;
    }
    return found;
  }

  [[nodiscard]] bool MayCount(const Shard& shard) const {
    return !shard.last || nearest_.size() < query_.top_k || IsNearer(*shard.last, nearest_.back());
  }

  Status Take(uint32_t number, NeighborPage page) {
    Shard& shard = shards_[number];
    if (++shard.pages == kPagesMax) {
      return Status::Corrupt("QueryVectors \"" + set_.indexes[number].name.ToString() +
                             "\": the pages never end; check that the endpoint speaks S3 Vectors");
    }
    shard.is_done = page.next_token.empty();
    shard.next_token = std::move(page.next_token);
    if (page.neighbors.empty()) return Status::Ok();
    // Sorted already, but for a service that breaks ties otherwise.
    std::ranges::sort(page.neighbors, IsNearer);
    const Neighbor& farthest = page.neighbors.back();
    shard.last = Neighbor{.key = farthest.key, .distance = farthest.distance, .metadata = {}};
    std::vector<Neighbor> merged;
    merged.reserve(nearest_.size() + page.neighbors.size());
    std::merge(std::make_move_iterator(nearest_.begin()), std::make_move_iterator(nearest_.end()),
               std::make_move_iterator(page.neighbors.begin()),
               std::make_move_iterator(page.neighbors.end()), std::back_inserter(merged), IsNearer);
    nearest_ = std::move(merged);
    if (nearest_.size() > query_.top_k) nearest_.resize(query_.top_k);
    return Status::Ok();
  }

  void Fail(uint32_t shard, const Status& status) {
    failures_.emplace(shard, status);
    shards_[shard].is_done = true;
    // A query that is wrong for one shard is wrong for all.
    if (!go_on_ || status.code() == Code::kInvalidArgument) halted_ = true;
  }

  [[nodiscard]] Status Named(const Status& status) const {
    if (!set_.is_sharded) return status;
    return status.WithContext(set_.name.ToString() + " is divided into " +
                              std::to_string(set_.size()) + " shards, and one failed");
  }

  Client* client_;
  const ShardSet& set_;
  const Query& query_;
  const bool go_on_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<Shard> shards_;
  std::vector<Neighbor> nearest_;  // of all pages so far, at most top_k
  std::map<uint32_t, Status> failures_;
  size_t calls_ = 0;
  bool halted_ = false;
};

}  // namespace

bool IsNearer(const Neighbor& a, const Neighbor& b) {
  return std::tie(a.distance, a.key) < std::tie(b.distance, b.key);
}

Result<PartialNeighbors> MergedQuery(Client* client, const ShardSet& set, const Query& query,
                                     bool go_on) {
  if (query.top_k == 0) return Status::InvalidArgument("a query asks for at least one neighbour");
  return Asking(client, set, query, go_on).Run();
}

}  // namespace vecload::client

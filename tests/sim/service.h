#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/credentials.h"
#include "base/random.h"
#include "http/transport.h"
#include "pace/token_bucket.h"
#include "sim/job.h"
#include "sim/world.h"

namespace vecload::sim {

// A request's body in the simulation: which rows it puts.
std::string BodyOf(std::span<const RowRange> rows);

// One bit a row: a billion are 125 MB.
class RowSet {
 public:
  explicit RowSet(uint64_t rows) : words_(rows / 64 + 1) {}
  [[nodiscard]] bool Has(uint64_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  void Remove(uint64_t row) { words_[row / 64] &= ~(uint64_t{1} << (row % 64)); }
  void Add(const RowRange& rows);
  // The first row of the range that is not in the set; rows.end where all are.
  [[nodiscard]] uint64_t FirstMissing(const RowRange& rows) const;

 private:
  std::vector<uint64_t> words_;
};

// When storms, outages and the like are on: gaps and lengths from exponential distributions.
class Spells {
 public:
  Spells(Duration gap, Duration length, uint64_t seed);
  // Times must not go back.
  bool IsOn(TimePoint now);

 private:
  Duration Draw(Duration mean);

  Duration gap_;
  Duration length_;
  Random random_;
  TimePoint begin_ = TimePoint::max();
  TimePoint end_ = TimePoint::max();
};

// Keys that expire, with the service that knows which are good.
class Keys final : public auth::CredentialProvider {
 public:
  Keys(World* world, Duration life) : world_(*world), life_(life) { (void)Refresh(); }
  [[nodiscard]] std::shared_ptr<const auth::Credentials> Current() const override { return keys_; }
  Status Refresh() override;
  [[nodiscard]] bool AreGood(std::string_view token) const;

 private:
  World& world_;
  Duration life_;                   // 0: they do not expire
  std::vector<TimePoint> made_at_;  // one a set of keys; a session token is its number
  std::shared_ptr<const auth::Credentials> keys_;
};

struct ServiceCounts {
  uint64_t attempts = 0;
  uint64_t throttled = 0;
  uint64_t failed = 0;    // any other failure
  uint64_t rows_put = 0;  // each time that one was put
};

// The index and the network before it. What was sent before a crash still arrives after it.
class Service final : public http::Transport {
 public:
  Service(World* world, const Job* job);

  void Send(http::Request request, Done done) override;

  // Whether a row, or its twin, is what the index holds of its key.
  [[nodiscard]] bool Holds(uint64_t row) const;
  [[nodiscard]] bool HoldsItself(uint64_t row) const { return index_.Has(row); }
  [[nodiscard]] const RowSet& index() const { return index_; }
  [[nodiscard]] const ServiceCounts& counts() const { return counts_; }
  [[nodiscard]] const std::shared_ptr<Keys>& keys() const { return keys_; }
  // Access was denied for a while, and is given again.
  void AllowAccess() { denied_ = false; }

 private:
  struct Call {
    http::Request request;
    Done done;
  };
  void Arrive(const std::shared_ptr<Call>& call);
  void Answer(const std::shared_ptr<Call>& call, Result<http::Reply> reply);
  // The failure that the service itself gives, if any; else the write took effect.
  http::Reply Act(const http::Request& request);
  // It was let in long ago.
  void PutLate(const http::Request& request);
  http::Reply CheckCaller(const http::Request& request);
  http::Reply CheckLoad(uint64_t vectors);
  http::Reply CheckRows(const std::vector<RowRange>& rows);
  void Put(const std::vector<RowRange>& rows);
  [[nodiscard]] http::Reply MakeReply(int status, std::string_view code, std::string body) const;
  Duration DrawLatency();
  bool Strikes(double chance) { return chance > 0 && random_.Uniform() < chance; }

  World& world_;
  const Job& job_;
  const Scenario& scenario_;
  Random random_;
  RowSet index_;
  std::shared_ptr<Keys> keys_;
  pace::TokenBucket bucket_;
  Spells storms_;
  Spells outages_;
  Spells denials_;
  bool denied_ = false;
  ServiceCounts counts_;
};

}  // namespace vecload::sim

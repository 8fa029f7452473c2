#include "sim/service.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "client/caller.h"

namespace vecload::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// As http::CurlOptions has it.
constexpr Duration kStallTimeout = seconds(60);
constexpr Duration kLateMax = minutes(30);
constexpr Duration kSkewMax = minutes(5);

std::vector<RowRange> RowsOf(std::string_view body) {
  std::vector<RowRange> rows(body.size() / sizeof(RowRange));
  std::memcpy(rows.data(), body.data(), rows.size() * sizeof(RowRange));
  return rows;
}

uint64_t CountOf(std::span<const RowRange> rows) {
  uint64_t count = 0;
  for (const RowRange& range : rows) count += range.end - range.begin;
  return count;
}

// The time in "20261124T231500Z".
WallTime SignedAt(std::string_view amz_date) {
  if (amz_date.size() != 16) return {};
  const auto number = [&](size_t begin, size_t length) {
    int value = 0;
    for (const char c : amz_date.substr(begin, length)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(6, 2)))};
  return WallTime(std::chrono::sys_days(date).time_since_epoch() +
                  std::chrono::hours(number(9, 2)) + std::chrono::minutes(number(11, 2)) +
                  seconds(number(13, 2)));
}

}  // namespace

std::string BodyOf(std::span<const RowRange> rows) {
  return {reinterpret_cast<const char*>(rows.data()), rows.size_bytes()};
}

void RowSet::Add(const RowRange& rows) {
  for (uint64_t row = rows.begin; row < rows.end;) {
    const uint64_t bit = row % 64;
    const uint64_t count = std::min(64 - bit, rows.end - row);
    words_[row / 64] |= (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << bit;
    row += count;
  }
}

uint64_t RowSet::FirstMissing(const RowRange& rows) const {
  for (uint64_t row = rows.begin; row < rows.end;) {
    const uint64_t missing = ~words_[row / 64] >> (row % 64);
    if (missing != 0) {
      return std::min(rows.end, row + static_cast<uint64_t>(__builtin_ctzll(missing)));
    }
    row = (row / 64 + 1) * 64;
  }
  return rows.end;
}

Spells::Spells(Duration gap, Duration length, uint64_t seed)
    : gap_(gap), length_(length), random_(seed) {
  if (gap_ > Duration{}) {
    begin_ = TimePoint{} + Draw(gap_);
    end_ = begin_ + Draw(length_);
  }
}

Duration Spells::Draw(Duration mean) {
  return FromSeconds(-std::log(1 - random_.Uniform()) * Seconds(mean));
}

bool Spells::IsOn(TimePoint now) {
  while (now >= end_) {
    begin_ = end_ + Draw(gap_);
    end_ = begin_ + Draw(length_);
  }
  return now >= begin_;
}

Status Keys::Refresh() {
  made_at_.push_back(world_.Now());
  const std::string number = std::to_string(made_at_.size());
  keys_ = std::make_shared<const auth::Credentials>(
      auth::Credentials{"AKID" + number, "secret-" + number, number});
  return Status::Ok();
}

bool Keys::AreGood(std::string_view token) const {
  size_t number = 0;
  std::from_chars(token.data(), token.data() + token.size(), number);
  if (number == 0 || number > made_at_.size()) return false;
  return life_ == Duration{} || world_.Now() - made_at_[number - 1] <= life_;
}

Service::Service(World* world, const Job* job)
    : world_(*world),
      job_(*job),
      scenario_(job->scenario()),
      random_(scenario_.seed ^ 0x5e41ce),
      index_(scenario_.rows),
      keys_(std::make_shared<Keys>(world, scenario_.token_life)),
      bucket_(scenario_.service_vectors_per_s, scenario_.service_burst, world->Now()),
      storms_(scenario_.storm_gap, scenario_.storm_length, scenario_.seed ^ 0x5702),
      outages_(scenario_.outage_gap, scenario_.outage_length, scenario_.seed ^ 0x007a),
      denials_(scenario_.denial_gap, seconds(1), scenario_.seed ^ 0xde41) {}

Duration Service::DrawLatency() {
  // Most answers come in about the median's time, a few take many times as long.
  const double factor = std::exp(0.3 * random_.Normal()) * (random_.Below(200) == 0 ? 10 : 1);
  return FromSeconds(Seconds(scenario_.latency) * factor);
}

void Service::Send(http::Request request, Done done) {
  ++counts_.attempts;
  auto call = std::make_shared<Call>(Call{std::move(request), std::move(done)});
  if (outages_.IsOn(world_.Now())) {
    world_.After(milliseconds(2),
                 [this, call] { Answer(call, Status::Unavailable("connection refused")); });
    return;
  }
  if (Strikes(scenario_.reset_chance)) {
    world_.After(DrawLatency() / 2, [this, call] {
      Answer(call, Status::Unavailable("connection reset while sending"));
    });
    return;
  }
  if (Strikes(scenario_.late_chance)) {
    // Nobody waits for it any more when it takes effect.
    const auto late =
        Duration(static_cast<int64_t>(random_.Uniform() * static_cast<double>(kLateMax.count())));
    world_.After(late, [this, call] { PutLate(call->request); });
    world_.After(kStallTimeout, [this, call] { Answer(call, Status::Unavailable("timed out")); });
    return;
  }
  if (Strikes(scenario_.twice_chance)) {
    world_.After(DrawLatency() * (1 + random_.Below(50)), [this, call] { PutLate(call->request); });
  }
  world_.After(DrawLatency() / 2, [this, call] { Arrive(call); });
}

void Service::Arrive(const std::shared_ptr<Call>& call) {
  http::Reply reply = Act(call->request);
  const bool lost = reply.status == 200 && Strikes(scenario_.lost_chance);
  world_.After(DrawLatency() / 2, [this, call, lost, reply = std::move(reply)]() mutable {
    if (lost) return Answer(call, Status::Unavailable("the connection broke within the reply"));
    Answer(call, std::move(reply));
  });
}

void Service::Answer(const std::shared_ptr<Call>& call, Result<http::Reply> reply) {
  if (!reply.ok() || reply->status != 200) {
    const bool throttled = reply.ok() && (reply->status == 429 || reply->status == 503);
    ++(throttled ? counts_.throttled : counts_.failed);
  }
  call->done(std::move(reply));
}

http::Reply Service::MakeReply(int status, std::string_view code, std::string body) const {
  http::Reply reply;
  reply.status = status;
  const auto now = std::chrono::floor<seconds>(world_.clock().TrueNow());
  reply.headers.emplace_back("date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", now));
  if (!code.empty()) reply.headers.emplace_back("x-amzn-errortype", code);
  reply.body = std::move(body);
  return reply;
}

http::Reply Service::Act(const http::Request& request) {
  const std::vector<RowRange> rows = RowsOf(request.body);
  http::Reply reply = CheckCaller(request);
  if (reply.status == 0) reply = CheckLoad(CountOf(rows));
  if (reply.status == 0) reply = CheckRows(rows);
  if (reply.status != 0) return reply;
  Put(rows);
  reply.status = 200;
  reply.body = "{}";
  return reply;
}

void Service::PutLate(const http::Request& request) {
  const std::vector<RowRange> rows = RowsOf(request.body);
  if (CheckRows(rows).status == 0) Put(rows);
}

http::Reply Service::CheckCaller(const http::Request& request) {
  const WallTime signed_at = SignedAt(http::FindHeader(request.headers, "x-amz-date"));
  const Duration off = signed_at - world_.clock().TrueNow();
  if (off > kSkewMax || off < -kSkewMax) {
    return MakeReply(403, "RequestTimeTooSkewed", R"({"message":"too far off"})");
  }
  if (!keys_->AreGood(http::FindHeader(request.headers, "x-amz-security-token"))) {
    return MakeReply(403, "ExpiredTokenException", R"({"message":"expired"})");
  }
  denied_ = denied_ || denials_.IsOn(world_.Now());
  if (denied_) return MakeReply(403, "AccessDeniedException", R"({"message":"not allowed"})");
  return {};
}

http::Reply Service::CheckLoad(uint64_t vectors) {
  if (Strikes(scenario_.error_chance)) {
    switch (random_.Below(5)) {
      case 0:
        return MakeReply(500, "InternalServerException", R"({"message":"oops"})");
      case 1:
        return MakeReply(502, "", "<html>bad gateway</html>");
      case 2:
        return MakeReply(504, "", "");
      case 3:
        return MakeReply(408, "RequestTimeoutException", R"({"message":"slow"})");
      default:
        return MakeReply(500, "",
                         "gar\xff"
                         "bage");
    }
  }
  const bool storm = storms_.IsOn(world_.Now()) && Strikes(scenario_.storm_chance);
  if (storm || !bucket_.TryTake(static_cast<double>(vectors), world_.Now())) {
    if (random_.Below(4) == 0) {
      return MakeReply(503, "ServiceUnavailableException", R"({"message":"busy"})");
    }
    return MakeReply(429, "TooManyRequestsException", R"({"message":"slow down"})");
  }
  return {};
}

http::Reply Service::CheckRows(const std::vector<RowRange>& rows) {
  std::string named;
  bool silently = false;
  uint64_t record = 0;
  for (const RowRange& range : rows) {
    for (uint64_t row = job_.NextSpecial(range.begin); row < range.end;
         row = job_.NextSpecial(row + 1)) {
      silently = silently || scenario_.refused_silently.Has(row);
      if (!scenario_.refused_by_name.Has(row)) continue;
      named += fmt::format(R"({}{{"path":"/vectors/{}/data","message":"bad"}})",
                           named.empty() ? "" : ",", record + row - range.begin);
    }
    record += range.end - range.begin;
  }
  if (!named.empty()) {
    return MakeReply(400, "ValidationException",
                     fmt::format(R"({{"message":"bad rows","fieldList":[{}]}})", named));
  }
  if (silently) return MakeReply(400, "ValidationException", R"({"message":"something is bad"})");
  return {};
}

void Service::Put(const std::vector<RowRange>& rows) {
  for (const RowRange& range : rows) {
    index_.Add(range);
    counts_.rows_put += range.end - range.begin;
    // The later write of a key is the one that stays.
    for (uint64_t row = job_.NextSpecial(range.begin); row < range.end;
         row = job_.NextSpecial(row + 1)) {
      if (const auto twin = job_.TwinOf(row)) index_.Remove(*twin);
    }
  }
}

bool Service::Holds(uint64_t row) const {
  if (index_.Has(row)) return true;
  const auto twin = job_.TwinOf(row);
  return twin.has_value() && index_.Has(*twin);
}

}  // namespace vecload::sim

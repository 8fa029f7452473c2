// Goal: every batch is settled exactly once whatever the service answers, the limits hold, and a
// load that cannot go on stops. Method: the scheduler is driven by hand or by a small simulated
// service with a seed; the time is made up.
#include "load/scheduler.h"

#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vecload::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Action::Kind;

constexpr TimePoint kStart{seconds(1000)};

Status Service(int http_status, const char* code) {
  return {Code::kUnavailable, std::string("refused: ") + code, ServiceError{http_status, code, ""}};
}

Answer Ok() { return {.status = Status::Ok(), .named_records = {}, .latency = milliseconds(20)}; }
Answer Fail(const Status& status, std::vector<size_t> named = {}) {
  return {.status = status, .named_records = std::move(named), .latency = milliseconds(20)};
}

// Takes actions at one time until a wait or the end.
std::vector<Action> Drain(Scheduler* scheduler, TimePoint now) {
  std::vector<Action> actions;
  while (true) {
    actions.push_back(scheduler->Next(now));
    const Kind kind = actions.back().kind;
    if (kind == Kind::kWait || kind == Kind::kFinish) return actions;
  }
}

std::string Kinds(const std::vector<Action>& actions) {
  const std::map<Kind, char> letters = {
      {Kind::kSend, 'S'},    {Kind::kCommit, 'C'}, {Kind::kReject, 'R'}, {Kind::kHalve, 'H'},
      {Kind::kRefresh, 'K'}, {Kind::kWait, 'w'},   {Kind::kFinish, 'F'}};
  std::string text;
  for (const Action& action : actions) text.push_back(letters.at(action.kind));
  return text;
}

TEST(Scheduler, SendsCommitsAndFinishes) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 500, kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "Sw");
  scheduler.OnAnswer(0, Ok(), kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "Cw");
  scheduler.OnSourceEnd();
  const auto end = Drain(&scheduler, kStart);
  EXPECT_EQ(Kinds(end), "F");
  EXPECT_TRUE(end.back().status.ok());
}

TEST(Scheduler, ABatchWithNothingToSendIsCommittedAtOnce) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 0, kStart);
  scheduler.OnSourceEnd();
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "CF");
}

TEST(Scheduler, WaitsForTokensUntilTheyAreThere) {
  Scheduler scheduler({.pace = {.rate_vectors_per_s = 500, .burst_vectors = 500}}, kStart);
  scheduler.OnBatch(0, 500, kStart);
  scheduler.OnBatch(1, 500, kStart);
  const auto actions = Drain(&scheduler, kStart);
  EXPECT_EQ(Kinds(actions), "Sw");
  EXPECT_EQ(actions.back().until, kStart + seconds(1));
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart + milliseconds(999))), "w");
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart + seconds(1))), "Sw");
  EXPECT_EQ(scheduler.wait_times().tokens, seconds(1));
}

TEST(Scheduler, KeepsToTheInFlightLimit) {
  Scheduler scheduler({.in_flight_max = 2}, kStart);
  for (BatchId id = 0; id < 3; ++id) scheduler.OnBatch(id, 1, kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "SSw");
  scheduler.OnAnswer(0, Ok(), kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "CSw");
}

TEST(Scheduler, RetriesAfterABackoffAndHonoursRetryAfter) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 500, kStart);
  (void)Drain(&scheduler, kStart);
  Answer busy = Fail(Status::Unavailable("connection reset"));
  busy.retry_after = seconds(7);
  scheduler.OnAnswer(0, busy, kStart);
  const auto actions = Drain(&scheduler, kStart);
  EXPECT_EQ(Kinds(actions), "w");
  EXPECT_EQ(actions.back().until, kStart + seconds(7));
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart + seconds(7))), "Sw");
}

TEST(Scheduler, KeysAndClockAreMendedAgainWhereOtherFailuresCameBetween) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 500, kStart);
  TimePoint now = kStart;
  EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Sw");
  for (int life = 0; life < 3; ++life) {
    scheduler.OnAnswer(0, Fail(Service(403, "ExpiredTokenException")), now);
    EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Kw");
    scheduler.OnRefreshed(Status::Ok());
    EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Sw");
    scheduler.OnAnswer(0, Fail(Service(403, "RequestTimeTooSkewed")), now);
    EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Sw");
    scheduler.OnAnswer(0, Fail(Service(500, "InternalServerException")), now);
    now += seconds(1);
    EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Sw");
  }
  // Twice in a row: new keys do not help.
  scheduler.OnAnswer(0, Fail(Service(403, "ExpiredTokenException")), now);
  EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Kw");
  scheduler.OnRefreshed(Status::Ok());
  EXPECT_EQ(Kinds(Drain(&scheduler, now)), "Sw");
  scheduler.OnAnswer(0, Fail(Service(403, "ExpiredTokenException")), now);
  EXPECT_EQ(Kinds(Drain(&scheduler, now)), "F");
}

TEST(Scheduler, NamedRecordsAreRejectedAndTheRestIsSentAgain) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 3, kStart);
  (void)Drain(&scheduler, kStart);
  scheduler.OnAnswer(0, Fail(Service(400, "ValidationException"), {1}), kStart);
  const auto actions = Drain(&scheduler, kStart);
  EXPECT_EQ(Kinds(actions), "RSw");
  EXPECT_EQ(actions[0].records, std::vector<size_t>{1});
  scheduler.OnAnswer(0, Fail(Service(400, "ValidationException"), {0, 1}), kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "RCw");
}

TEST(Scheduler, NamesBeyondTheBatchAreNotBelieved) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 4, kStart);
  (void)Drain(&scheduler, kStart);
  scheduler.OnAnswer(0, Fail(Service(400, "ValidationException"), {17}), kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "HSSw");
}

TEST(Scheduler, ExpiredKeysAreRefreshedOnceABatch) {
  Scheduler scheduler({}, kStart);
  scheduler.OnBatch(0, 4, kStart);
  (void)Drain(&scheduler, kStart);
  const Answer expired = Fail(Service(403, "ExpiredTokenException"));
  scheduler.OnAnswer(0, expired, kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "Kw") << "nothing is sent with expired keys";
  scheduler.OnRefreshed(Status::Ok());
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "Sw");
  scheduler.OnAnswer(0, expired, kStart);
  const auto end = Drain(&scheduler, kStart);
  EXPECT_EQ(Kinds(end), "F");
  EXPECT_FALSE(end.back().status.ok());
}

TEST(Scheduler, AStopAnswersWhatIsInFlightAndSendsNothingMore) {
  Scheduler scheduler({}, kStart);
  for (BatchId id = 0; id < 3; ++id) scheduler.OnBatch(id, 1, kStart);
  (void)Drain(&scheduler, kStart);
  scheduler.OnBatch(3, 1, kStart);
  scheduler.OnAnswer(0, Fail(Service(404, "NotFoundException")), kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "w");
  scheduler.OnAnswer(1, Ok(), kStart);
  EXPECT_EQ(Kinds(Drain(&scheduler, kStart)), "Cw");
  scheduler.OnAnswer(2, Fail(Status::Unavailable("reset")), kStart);
  const auto end = Drain(&scheduler, kStart + seconds(100));
  EXPECT_EQ(Kinds(end), "F");
  EXPECT_EQ(end.back().status.service()->http_status, 404);
}

TEST(Scheduler, GivesUpWithoutProgressAndSaysWhatItLastHeard) {
  for (const bool worked_once : {false, true}) {
    const seconds patience = worked_once ? seconds(600) : seconds(60);
    Scheduler scheduler({.give_up_after = seconds(600)}, kStart);
    if (worked_once) {
      scheduler.OnBatch(1, 1, kStart);
      (void)Drain(&scheduler, kStart);
      scheduler.OnAnswer(1, Ok(), kStart);
    }
    scheduler.OnBatch(0, 1, kStart);
    TimePoint now = kStart;
    std::vector<Action> actions;
    while ((actions = Drain(&scheduler, now)).back().kind != Kind::kFinish) {
      if (scheduler.in_flight() > 0) {
        scheduler.OnAnswer(0, Fail(Status::Unavailable("connection refused")), now);
      } else {
        now = actions.back().until;
        ASSERT_LE(now, kStart + patience);
      }
    }
    EXPECT_EQ(now, kStart + patience);
    EXPECT_NE(actions.back().status.message().find("connection refused"), std::string::npos);
  }
}

TEST(Scheduler, WhenEverythingFailsOneProbeAtATimeGoesOut) {
  Scheduler scheduler({}, kStart);
  constexpr BatchId kBatches = 40;
  for (BatchId id = 0; id < kBatches; ++id) scheduler.OnBatch(id, 1, kStart);
  std::set<BatchId> in_flight;
  TimePoint now = kStart;
  int failures = 0;
  size_t most_late = 0;
  while (failures < 200) {
    for (const Action& action : Drain(&scheduler, now)) {
      if (action.kind == Kind::kSend) in_flight.insert(action.batch);
      if (action.kind == Kind::kWait && in_flight.empty()) now = action.until;
    }
    if (failures > 30) most_late = std::max(most_late, in_flight.size());
    if (in_flight.empty()) continue;
    scheduler.OnAnswer(*in_flight.begin(), Fail(Status::Unavailable("refused")), now);
    in_flight.erase(in_flight.begin());
    ++failures;
  }
  EXPECT_EQ(most_late, 1U);
}

// A service with bad rows that it does not name, that throttles, fails and loses replies.
class FakeService {
 public:
  explicit FakeService(uint64_t seed) : random_(seed) {}

  Answer Put(const std::vector<int>& rows, const std::set<int>& bad, bool names) {
    const double dice = random_.Uniform();
    if (dice < 0.05) return Fail(Service(429, "TooManyRequestsException"));
    if (dice < 0.10) return Fail(Service(500, "InternalServerException"));
    std::vector<size_t> named;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (bad.contains(rows[i])) named.push_back(i);
    }
    if (!named.empty()) {
      return Fail(Service(400, "ValidationException"), names ? named : std::vector<size_t>{});
    }
    for (const int row : rows) stored.insert(row);
    if (dice < 0.15) return Fail(Status::Unavailable("reply lost"));
    return Ok();
  }

  std::set<int> stored;

 private:
  Random random_;
};

class SchedulerFaults : public ::testing::TestWithParam<int> {};

TEST_P(SchedulerFaults, EveryRowEndsStoredOrRejectedAndNeverBoth) {
  Random random(static_cast<uint64_t>(GetParam()));
  FakeService service(random.Next());
  Scheduler scheduler({.seed = random.Next()}, kStart);
  std::map<BatchId, std::vector<int>> rows;
  std::set<int> bad;
  int row_count = 0;
  for (BatchId id = 0; id < 20; ++id) {
    for (uint64_t i = random.Below(40); i > 0; --i) rows[id].push_back(row_count++);
    scheduler.OnBatch(id, rows[id].size(), kStart);
  }
  for (int row = 0; row < row_count; ++row) {
    if (random.Uniform() < 0.03) bad.insert(row);
  }
  scheduler.OnSourceEnd();
  std::set<int> committed;
  std::set<int> rejected;
  std::vector<BatchId> in_flight;
  TimePoint now = kStart;
  while (true) {
    Action action = scheduler.Next(now);
    if (action.kind == Kind::kFinish) {
      ASSERT_TRUE(action.status.ok()) << action.status.ToString();
      break;
    }
    std::vector<int>& batch = rows[action.batch];
    if (action.kind == Kind::kSend) {
      in_flight.push_back(action.batch);
    } else if (action.kind == Kind::kCommit) {
      for (const int row : batch) ASSERT_TRUE(committed.insert(row).second);
    } else if (action.kind == Kind::kReject) {
      for (const size_t record : std::views::reverse(action.records)) {
        ASSERT_TRUE(rejected.insert(batch[record]).second);
        batch.erase(batch.begin() + static_cast<ptrdiff_t>(record));
      }
    } else if (action.kind == Kind::kHalve) {
      const auto at = batch.begin() + static_cast<ptrdiff_t>(action.divide_at);
      rows[action.tail].assign(at, batch.end());
      batch.erase(at, batch.end());
    } else if (in_flight.empty()) {
      ASSERT_LT(action.until, TimePoint::max());
      now = action.until;
    } else {
      const size_t which = random.Below(in_flight.size());
      const BatchId id = in_flight[which];
      in_flight.erase(in_flight.begin() + static_cast<ptrdiff_t>(which));
      now += milliseconds(random.Below(50));
      scheduler.OnAnswer(id, service.Put(rows[id], bad, random.Uniform() < 0.5), now);
    }
  }
  EXPECT_EQ(rejected, bad);
  EXPECT_EQ(committed, service.stored);
  EXPECT_EQ(committed.size() + rejected.size(), static_cast<size_t>(row_count));
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerFaults, ::testing::Range(0, 50));

TEST(Scheduler, TwoWholeBatchesOfOnlyBadRowsStopTheLoad) {
  Scheduler scheduler({}, kStart);
  for (BatchId id = 0; id < 100; ++id) scheduler.OnBatch(id, 8, kStart);
  int sends = 0;
  std::vector<BatchId> in_flight;
  while (true) {
    const Action action = scheduler.Next(kStart);
    if (action.kind == Kind::kSend) {
      ++sends;
      in_flight.push_back(action.batch);
    } else if (action.kind == Kind::kFinish) {
      EXPECT_NE(action.status.message().find("every row of 2 whole batches"), std::string::npos);
      break;
    } else if (action.kind == Kind::kWait) {
      ASSERT_FALSE(in_flight.empty());
      const BatchId id = in_flight.back();
      in_flight.pop_back();
      scheduler.OnAnswer(id, Fail(Service(400, "ValidationException")), kStart);
    }
  }
  EXPECT_LT(sends, 100);
}

}  // namespace
}  // namespace vecload::load

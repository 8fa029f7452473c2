#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vecload/plan.h"
#include "vecload/status.h"

// What a load costs. All arithmetic is on integers, so that what is shown is what was computed.
namespace vecload::load {

// An amount of money in billionths of its unit.
struct Money {
  __int128 nanos = 0;

  // "12", "0.2", "0.000055": digits, at most nine of them behind the point and
  // twelve before it.
  static std::optional<Money> Parse(std::string_view text);
  // At least two decimals and at most six, the last one rounded half up.
  [[nodiscard]] std::string ToString() const;
};

// What AWS asks for; see kPricesToday for where the numbers come from.
struct Prices {
  std::string region;
  std::string currency;
  std::string source;
  std::string date;            // YYYY-MM-DD, on which `source` said so
  uint64_t gb_bytes = 0;       // what is a GB
  uint64_t put_bytes_min = 0;  // what a call is charged for at least
  Money put_per_gb;
  Money storage_per_gb_month;
  Money queries_per_million;               // without what a query scans
  std::optional<Money> lists_per_million;  // absent: not known
};

// The price table that comes with vecload.
Prices PricesToday();
// `json` in the form of docs/reference/cli.md; `origin` names it in errors. What it leaves out is
// as in PricesToday, but for region, source and date, which it must have. kInvalidArgument: no JSON
// object, a member that is not known, or one that is no price (names it).
Result<Prices> ReadPrices(std::string_view json, const std::string& origin);
// The same of a file; PricesToday where `path` is empty. kIo: it cannot be read.
Result<Prices> LoadPrices(const std::string& path);

// What is charged for.
struct Usage {
  uint64_t logical_bytes = 0;
  uint64_t put_requests = 0;  // taken to be of one size
  uint64_t list_requests = 0;
};
PlannedCost CostOf(const Usage& usage, const Prices& prices);

}  // namespace vecload::load

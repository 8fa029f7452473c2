#include "load/prices.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "wire/flat_object.h"

namespace vecload::load {
namespace {

constexpr size_t kDecimals = 9;
constexpr size_t kDigits = 12;  // before the point
constexpr int64_t kNanos = 1'000'000'000;
constexpr int kDecimalsShown = 6;
constexpr int64_t kNanosShown = 1'000;  // the sixth decimal
constexpr uint64_t kMillion = 1'000'000;
constexpr uint64_t kQueries = 1'000;
constexpr size_t kFileBytesMax = 64 << 10;

bool AreDigits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `price` for each `per` of `amount`, rounded half up to a billionth.
Money Charge(Money price, __int128 amount, uint64_t per) {
  return {(price.nanos * amount + per / 2) / per};
}

using Member = wire::FlatValue;

// A number's shortest text is what its writer wrote, so that 0.2 is as exact as "0.2".
std::string TextOf(const Member& member) {
  if (const auto* text = std::get_if<std::string>(&member)) return *text;
  const double number = std::get<double>(member);
  return number < 1e-4 ? fmt::format("{:.12f}", number) : fmt::format("{}", number);
}

// "0.000055000000" is exact too, and ends in zeros.
std::string_view WithoutZeros(std::string_view text) {
  if (text.find('.') == std::string_view::npos) return text;
  while (text.ends_with('0')) text.remove_suffix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

// Takes the members of a price file one by one.
class PriceFile {
 public:
  PriceFile(std::map<std::string, Member> members, const std::string& origin)
      : members_(std::move(members)), origin_(origin) {}

  Status Text(const std::string& name, std::string* out) {
    const auto found = members_.find(name);
    if (found == members_.end()) return Refuse(name, "is missing");
    const auto* text = std::get_if<std::string>(&found->second);
    if (text == nullptr || text->empty()) return Refuse(name, "is no text");
    *out = *text;
    members_.erase(found);
    return Status::Ok();
  }
  Status Price(const std::string& name, Money* out) {
    const auto found = members_.find(name);
    if (found == members_.end()) return Status::Ok();
    const std::string text = TextOf(found->second);
    const std::optional<Money> price = Money::Parse(WithoutZeros(text));
    if (!price) {
      return Refuse(name,
                    "is no price: a decimal number, not negative, below a billion, with at "
                    "most nine decimals");
    }
    *out = *price;
    members_.erase(found);
    return Status::Ok();
  }
  Status Bytes(const std::string& name, uint64_t min, uint64_t* out) {
    Money number{.nanos = __int128{*out} * kNanos};
    VECLOAD_RETURN_IF_ERROR(Price(name, &number));
    // A terabyte is beyond all that could be meant.
    if (number.nanos % kNanos != 0 || number.nanos < __int128{min} * kNanos) {
      return Refuse(name, fmt::format("is no number of bytes of at least {}", min));
    }
    *out = static_cast<uint64_t>(number.nanos / kNanos);
    return Status::Ok();
  }
  Status End() const {
    if (members_.empty()) return Status::Ok();
    return Refuse(members_.begin()->first,
                  "is not known; there are region, currency, source, date, gb_bytes, "
                  "put_bytes_min, put_per_gb, storage_per_gb_month, queries_per_million and "
                  "lists_per_million");
  }
  [[nodiscard]] bool Has(const std::string& name) const { return members_.contains(name); }

 private:
  [[nodiscard]] Status Refuse(const std::string& name, std::string_view problem) const {
    return Status::InvalidArgument(fmt::format("{}: \"{}\" {}", origin_, name, problem));
  }

  std::map<std::string, Member> members_;
  const std::string& origin_;
};

Result<std::string> ReadFile(const std::string& path) {
  const auto fail = [&] {
    return Status::Io(
        fmt::format("the prices in {} cannot be read: {}", path, std::strerror(errno)));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "re"), &fclose);
  if (file == nullptr) return fail();
  std::string text(kFileBytesMax + 1, '\0');
  text.resize(fread(text.data(), 1, text.size(), file.get()));
  if (ferror(file.get()) != 0) return fail();
  if (text.size() <= kFileBytesMax) return text;
  return Status::InvalidArgument(
      fmt::format("{}: a file of prices has at most {} bytes", path, kFileBytesMax));
}

}  // namespace

std::optional<Money> Money::Parse(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const bool has_empty_part = point != std::string_view::npos && part.empty();
  if (whole.empty() || whole.size() > kDigits || part.size() > kDecimals || has_empty_part ||
      !AreDigits(whole) || !AreDigits(part)) {
    return std::nullopt;
  }
  std::string digits(whole);
  digits += part;
  digits.append(kDecimals - part.size(), '0');
  Money money;
  for (const char digit : digits) money.nanos = money.nanos * 10 + (digit - '0');
  return money;
}

std::string Money::ToString() const {
  const __int128 shown = (nanos + kNanosShown / 2) / kNanosShown;
  constexpr auto kOne = kNanos / kNanosShown;
  std::string text = fmt::format("{}.{:0{}}", static_cast<uint64_t>(shown / kOne),
                                 static_cast<uint64_t>(shown % kOne), kDecimalsShown);
  while (text.ends_with('0') && text[text.size() - 3] != '.') text.pop_back();
  return text;
}

// us-east-1, as copies of the AWS price page had it that were read on this day. A GB is 2^30 bytes,
// as on all bills of S3. What ListVectors costs, and what a query's scanning costs, it does not say
// by one number.
Prices PricesToday() {
  return {.region = "us-east-1",
          .currency = "USD",
          .source = "https://aws.amazon.com/s3/pricing/",
          .date = "2026-11-24",
          .gb_bytes = uint64_t{1} << 30,
          .put_bytes_min = 128 << 10,
          .put_per_gb = *Money::Parse("0.20"),
          .storage_per_gb_month = *Money::Parse("0.06"),
          .queries_per_million = *Money::Parse("2.50"),
          .lists_per_million = std::nullopt};
}

Result<Prices> ReadPrices(std::string_view json, const std::string& origin) {
  auto members = wire::ReadFlatObject(json);
  if (!members.ok() || json.find('{') == std::string_view::npos) {
    return Status::InvalidArgument(origin +
                                   ": is no JSON object of numbers and texts, as a file of prices "
                                   "is");
  }
  PriceFile file(*std::move(members), origin);
  Prices prices = PricesToday();
  VECLOAD_RETURN_IF_ERROR(file.Text("region", &prices.region));
  VECLOAD_RETURN_IF_ERROR(file.Text("source", &prices.source));
  VECLOAD_RETURN_IF_ERROR(file.Text("date", &prices.date));
  if (file.Has("currency")) VECLOAD_RETURN_IF_ERROR(file.Text("currency", &prices.currency));
  VECLOAD_RETURN_IF_ERROR(file.Bytes("gb_bytes", kMillion, &prices.gb_bytes));
  VECLOAD_RETURN_IF_ERROR(file.Bytes("put_bytes_min", 0, &prices.put_bytes_min));
  VECLOAD_RETURN_IF_ERROR(file.Price("put_per_gb", &prices.put_per_gb));
  VECLOAD_RETURN_IF_ERROR(file.Price("storage_per_gb_month", &prices.storage_per_gb_month));
  VECLOAD_RETURN_IF_ERROR(file.Price("queries_per_million", &prices.queries_per_million));
  if (file.Has("lists_per_million")) {
    VECLOAD_RETURN_IF_ERROR(file.Price("lists_per_million", &prices.lists_per_million.emplace()));
  }
  VECLOAD_RETURN_IF_ERROR(file.End());
  return prices;
}

Result<Prices> LoadPrices(const std::string& path) {
  if (path.empty()) return PricesToday();
  VECLOAD_ASSIGN_OR_RETURN(const std::string json, ReadFile(path));
  return ReadPrices(json, path);
}

PlannedCost CostOf(const Usage& usage, const Prices& prices) {
  const __int128 least = __int128{usage.put_requests} * prices.put_bytes_min;
  const __int128 put_bytes = std::max(__int128{usage.logical_bytes}, least);
  PlannedCost cost{.currency = prices.currency,
                   .region = prices.region,
                   .prices_source = prices.source,
                   .prices_date = prices.date};
  cost.load = Charge(prices.put_per_gb, put_bytes, prices.gb_bytes).ToString();
  cost.storage_month =
      Charge(prices.storage_per_gb_month, usage.logical_bytes, prices.gb_bytes).ToString();
  cost.queries_1000 = Charge(prices.queries_per_million, kQueries, kMillion).ToString();
  if (prices.lists_per_million) {
    cost.verify_lists = Charge(*prices.lists_per_million, usage.list_requests, kMillion).ToString();
  }
  return cost;
}

}  // namespace vecload::load

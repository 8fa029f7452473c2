#include "source/number_text.h"

#include <bit>
#include <charconv>
#include <cmath>

#include <arrow/util/float16.h>

namespace vecload::source {
namespace {

template <typename T>
void Append(T value, std::string* out) {
  char buffer[32];
  out->append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

}  // namespace

void AppendFloat(float value, std::string* out) { Append(value, out); }

void AppendDouble(double value, std::string* out) { Append(value, out); }

double HalfToDouble(uint16_t bits) { return arrow::util::Float16::FromBits(bits).ToDouble(); }

void AppendHalf(uint16_t bits, std::string* out) {
  const double value = HalfToDouble(bits);
  char buffer[32];
  // A half has 11 bits: five digits always suffice.
  for (int digits = 1; digits <= 5; ++digits) {
    const char* end =
        std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::general, digits)
            .ptr;
    double read = 0;
    std::from_chars(buffer, end, read);
    if (arrow::util::Float16::FromDouble(read).bits() != bits) continue;
    out->append(buffer, static_cast<size_t>(end - buffer));
    return;
  }
  Append(value, out);
}

void AppendInteger(int64_t value, std::string* out) { Append(value, out); }

void AppendInteger(uint64_t value, std::string* out) { Append(value, out); }

bool DoubleHolds(uint64_t value) {
  return value == 0 || 64 - std::countl_zero(value) - std::countr_zero(value) <= 53;
}

bool DoubleHolds(int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  return DoubleHolds(value < 0 ? 0 - bits : bits);
}

void AppendDecimal(std::string_view unscaled, int32_t scale, std::string* out) {
  if (unscaled.starts_with('-')) {
    out->push_back('-');
    unscaled.remove_prefix(1);
  }
  if (scale <= 0) {
    out->append(unscaled);
    if (unscaled != "0") out->append(static_cast<size_t>(-static_cast<int64_t>(scale)), '0');
    return;
  }
  const auto decimals = static_cast<size_t>(scale);
  if (unscaled.size() <= decimals) {
    out->append("0.");
    out->append(decimals - unscaled.size(), '0');
    out->append(unscaled);
  } else {
    out->append(unscaled.substr(0, unscaled.size() - decimals));
    out->push_back('.');
    out->append(unscaled.substr(unscaled.size() - decimals));
  }
}

bool DoubleHoldsDecimal(std::string_view decimal) {
  size_t digits = 0;
  for (const char c : decimal) {
    if (c >= '1' || (c == '0' && digits > 0)) ++digits;
  }
  if (digits <= 15) return true;
  double value = 0;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
  const size_t point = decimal.find('.');
  const int scale =
      point == std::string_view::npos ? 0 : static_cast<int>(decimal.size() - point - 1);
  // 76 digits of a decimal256, its sign and point; an exponent of the scale may double that.
  char buffer[512];
  const auto written =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, scale);
  return written.ec == std::errc() && decimal == std::string_view(buffer, written.ptr);
}

}  // namespace vecload::source

// What a float costs as text: vecload's writer beside std::to_chars' shortest, on unit-length
// normal vectors as `vecload generate` makes them. ADR 0004 quotes it.
#include <charconv>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/random.h"
#include "wire/float_text.h"

namespace {

constexpr size_t kFloats = 1024;

std::vector<float> UnitVector() {
  vecload::Random random(1);
  std::vector<float> vector(kFloats);
  for (float& value : vector) value = static_cast<float>(random.Normal() / 32);
  return vector;
}

void Count(benchmark::State& state, ptrdiff_t bytes) {
  state.counters["ns/float"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kFloats) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/float"] = static_cast<double>(bytes) / static_cast<double>(kFloats);
}

template <typename Write>
void WriteAll(benchmark::State& state, Write write) {
  const std::vector<float> vector = UnitVector();
  std::vector<char> text(kFloats * 32);
  char* end = text.data();
  for (auto _ : state) {
    end = text.data();
    for (const float value : vector) {
      end = write(value, end);
      *end++ = ',';
    }
    benchmark::DoNotOptimize(text.data());
    benchmark::ClobberMemory();
  }
  Count(state, end - text.data());
}

void VecloadMany(benchmark::State& state) {
  const std::vector<float> vector = UnitVector();
  std::vector<char> text(kFloats * 32);
  char* end = text.data();
  for (auto _ : state) {
    end = vecload::wire::WriteFloat32s(vector, text.data());
    benchmark::DoNotOptimize(text.data());
    benchmark::ClobberMemory();
  }
  Count(state, end - text.data());
}
BENCHMARK(VecloadMany);

void VecloadOne(benchmark::State& state) {
  WriteAll(state, [](float value, char* out) { return vecload::wire::WriteFloat32(value, out); });
}
BENCHMARK(VecloadOne);

void ToCharsShortest(benchmark::State& state) {
  WriteAll(state, [](float value, char* out) { return std::to_chars(out, out + 32, value).ptr; });
}
BENCHMARK(ToCharsShortest);

void ToCharsNineDigits(benchmark::State& state) {
  WriteAll(state, [](float value, char* out) {
    return std::to_chars(out, out + 32, value, std::chars_format::scientific, 8).ptr;
  });
}
BENCHMARK(ToCharsNineDigits);

}  // namespace

BENCHMARK_MAIN();

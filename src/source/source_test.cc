// Goal: what Arrow wrote comes back row for row through the public Source, from every format, in
// any range and on several threads, and every bad input ends in a Status that names the file.
// Method: real files in a temporary folder, written by Arrow's own writers.
#include "vecload/source.h"

#include <cstring>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "source/testing_files.h"

// The names are the sanitizers'.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
// A damaged length makes Arrow ask for petabytes. The sanitizers would end the program there; as
// in production, the allocation is to fail and Arrow to say so.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
// Arrow's IPC reader works on threads of its own, and the wheel's library is not instrumented: TSan
// does not see the reference counts and mutexes by which they agree. Arrow never calls us back, so
// that races between our own threads still show.
extern "C" const char* __tsan_default_suppressions() { return "race:libarrow"; }
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace vecload::source {
namespace {

using testing::Column;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::PlainTable;
using testing::ReadAll;
using testing::ReadRange;
using testing::ReadRow;
using testing::TableOf;
using testing::WriteIpc;
using testing::WriteParquet;

std::unique_ptr<Source> Open(const std::vector<std::string>& locations,
                             const SourceOptions& options = {}) {
  auto source = OpenSource(locations, options);
  if (source.ok()) return *std::move(source);
  ADD_FAILURE() << source.status().ToString();
  return nullptr;
}

Status OpenError(const std::vector<std::string>& locations, const SourceOptions& options = {}) {
  return OpenSource(locations, options).status();
}

std::string Keys(const Result<std::vector<ReadRow>>& rows) {
  if (!rows.ok()) return rows.status().ToString();
  std::string text;
  for (const ReadRow& row : *rows) text += (text.empty() ? "" : " ") + row.key;
  return text;
}

std::string KeysUpTo(uint64_t begin, uint64_t end) {
  std::string text;
  for (uint64_t i = begin; i < end; ++i) {
    text += (text.empty() ? "k" : " k") + std::to_string(i);
  }
  return text;
}

// The same table in every format, in pieces of four rows.
std::vector<std::string> InEveryFormat(const TestingFolder& folder, const arrow::Table& table) {
  std::vector<std::string> paths = {folder.Path("a.parquet"), folder.Path("b.arrow"),
                                    folder.Path("c.arrows")};
  WriteParquet(paths[0], table, 4);
  WriteIpc(paths[1], table, false, 4);
  WriteIpc(paths[2], table, true, 4);
  return paths;
}

TEST(Source, ReadsEveryFormatAndTellsItByTheBytes) {
  const TestingFolder folder;
  for (const std::string& path : InEveryFormat(folder, *PlainTable(10))) {
    const std::string misnamed = path + ".txt";
    std::filesystem::rename(path, misnamed);
    const auto source = Open({misnamed});
    ASSERT_NE(source, nullptr);
    ASSERT_EQ(source->manifest().files.size(), 1u);
    const SourceFile& file = source->manifest().files[0];
    EXPECT_EQ(file.rows, 10u);
    EXPECT_EQ(file.size, std::filesystem::file_size(misnamed));
    EXPECT_THAT(file.row_group_rows, ElementsAre(4, 4, 2));
    EXPECT_EQ(source->manifest().rows, 10u);
    EXPECT_EQ(*source->Dimension(), 2u);
    const auto rows = ReadAll({misnamed});
    EXPECT_EQ(Keys(rows), KeysUpTo(0, 10));
    EXPECT_THAT((*rows)[9].vector, ElementsAre(9, 9.5));
  }
}

TEST(Source, ReadsAnyRangeOfRowsInBlocksOfAnySize) {
  const TestingFolder folder;
  for (const std::string& path : InEveryFormat(folder, *PlainTable(10))) {
    const auto source = Open({path});
    ASSERT_NE(source, nullptr);
    for (uint64_t begin = 0; begin <= 10; ++begin) {
      for (uint64_t end = begin; end <= 10; ++end) {
        for (const uint32_t block : {1u, 3u, 500u}) {
          const auto rows = ReadRange(source.get(), {.file = 0,
                                                     .row_begin = begin,
                                                     .row_end = end,
                                                     .block_rows_max = block,
                                                     .non_filterable_keys = {}});
          ASSERT_EQ(Keys(rows), KeysUpTo(begin, end)) << path;
        }
      }
    }
  }
}

TEST(Source, ReadsKeysAlone) {
  const TestingFolder folder;
  const auto table = TableOf({
      Column("embedding", arrow::list(arrow::float64()), "[[1], [2], null, [4], [5], [6]]"),
      Column("n", arrow::int64(), "[1, 2, 3, 9007199254740993, 5, 6]"),
      Column("id", arrow::binary(), R"(["k0", null, "k2", "k3", "", "k5"])"),
  });
  for (const std::string& path : InEveryFormat(folder, *table)) {
    const auto source = Open({path}, {.key_column = "id", .vector_column = "embedding"});
    ASSERT_NE(source, nullptr);
    const auto rows = ReadRange(source.get(), {.file = 0,
                                               .row_begin = 1,
                                               .row_end = 6,
                                               .block_rows_max = 3,
                                               .non_filterable_keys = {},
                                               .keys_only = true});
    EXPECT_EQ(Keys(rows), "k2 k3  k5") << path;
    EXPECT_EQ((*rows)[0].fault, RejectRule::kKeyMissing);
    for (const ReadRow& row : std::span(*rows).subspan(1)) {
      EXPECT_EQ(row.fault, RejectRule::kNone) << "of vector and metadata nothing is read";
      EXPECT_TRUE(row.vector.empty() && row.metadata.empty());
    }
  }
}

TEST(Source, KeysAloneDoNotTouchTheOtherColumns) {
  const TestingFolder folder;
  WriteParquet(folder.Path("a.parquet"), *PlainTable(1000));
  const auto source = Open({folder.Path("a.parquet")});
  ASSERT_NE(source, nullptr);
  const auto metadata = parquet::ParquetFileReader::OpenFile(folder.Path("a.parquet"))->metadata();
  const auto vectors = metadata->RowGroup(0)->ColumnChunk(1);
  std::fstream file(folder.Path("a.parquet"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(vectors->has_dictionary_page() ? vectors->dictionary_page_offset()
                                            : vectors->data_page_offset());
  file << std::string(static_cast<size_t>(vectors->total_compressed_size()), '!');
  file.close();
  ReadRequest request{
      .file = 0, .row_begin = 0, .row_end = 1000, .block_rows_max = 500, .non_filterable_keys = {}};
  const auto whole = ReadRange(source.get(), request);
  request.keys_only = true;
  const auto keys = ReadRange(source.get(), request);
  EXPECT_EQ(Keys(keys), KeysUpTo(0, 1000));
  EXPECT_FALSE(whole.ok());
}

TEST(Source, StopsWithTheStatusOfTheCallback) {
  const TestingFolder folder;
  for (const std::string& path : InEveryFormat(folder, *PlainTable(10))) {
    const auto source = Open({path});
    int blocks = 0;
    const Status status = source->Read(
        {.file = 0, .row_begin = 0, .row_end = 10, .block_rows_max = 3, .non_filterable_keys = {}},
        [&](const RowBlock&) {
          return ++blocks == 2 ? Status::Cancelled("enough") : Status::Ok();
        });
    EXPECT_EQ(status.ToString(), "cancelled: enough");
    EXPECT_EQ(blocks, 2);
  }
}

TEST(Source, ABlockOutlivesTheSource) {
  const TestingFolder folder;
  for (const std::string& path : InEveryFormat(folder, *PlainTable(10))) {
    auto source = Open({path});
    std::vector<RowBlock> blocks;
    ASSERT_TRUE(source
                    ->Read({.file = 0,
                            .row_begin = 0,
                            .row_end = 10,
                            .block_rows_max = 3,
                            .non_filterable_keys = {}},
                           [&](RowBlock block) {
                             blocks.push_back(std::move(block));
                             return Status::Ok();
                           })
                    .ok());
    source.reset();
    std::string keys;
    float sum = 0;
    for (const RowBlock& block : blocks) {
      for (const SourceRow& row : block.rows) {
        keys += std::string(row.key);
        sum += row.vector[0];
      }
    }
    EXPECT_EQ(keys, "k0k1k2k3k4k5k6k7k8k9");
    EXPECT_EQ(sum, 45);
  }
}

TEST(Source, KeepsEveryTypeOfMetadataInEveryFormat) {
  const TestingFolder folder;
  const auto dictionary = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto point = arrow::struct_({arrow::field("x", arrow::int32())});
  const auto table = TableOf({
      Column("id", arrow::int64(), "[7, 8]"),
      Column("v", arrow::list(arrow::float16()), "[[1, 2], [3, 4]]"),
      Column("s", arrow::utf8(), R"(["a", null])"),
      Column("d", dictionary, R"(["x", "y"])"),
      Column("f", arrow::float32(), "[0.1, 2]"),
      Column("b", arrow::boolean(), "[true, null]"),
      Column("m", arrow::decimal128(10, 2), R"(["1.50", null])"),
      Column("day", arrow::date32(), "[19782, null]"),
      Column("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1, null]"),
      Column("tags", arrow::list(arrow::utf8()), R"([["p", "q"], []])"),
      Column("p", point, R"([{"x": 1}, null])"),
  });
  for (const std::string& path : InEveryFormat(folder, *table)) {
    const auto rows = ReadAll({path}, {}, {"s"});
    ASSERT_TRUE(rows.ok()) << path << rows.status().ToString();
    EXPECT_EQ((*rows)[0].key, "7");
    EXPECT_THAT((*rows)[1].vector, ElementsAre(3, 4));
    EXPECT_EQ((*rows)[0].metadata,
              R"({"s":"a","d":"x","f":0.1,"b":true,"m":1.50,"day":"2024-02-29",)"
              R"("at":"1970-01-01T00:00:00.000001Z","tags":["p","q"],"p.x":1})");
    EXPECT_EQ((*rows)[1].metadata, R"({"d":"y","f":2})");
    EXPECT_EQ((*rows)[1].metadata_keys, 2u);
    EXPECT_EQ((*rows)[1].metadata_bytes, 4u + (8 + 1 + 1) + (8 + 1 + 4));
    EXPECT_EQ((*rows)[0].metadata_bytes - (*rows)[0].metadata_filterable_bytes, 8u + 1 + 1);
  }
}

TEST(Source, FaultsAreOfTheirRowsAlone) {
  const TestingFolder folder;
  const auto table = TableOf({
      Column("id", arrow::utf8(), R"(["a", null, "c", "d", null])"),
      Column("v", arrow::list(arrow::float64()), "[[1], [2], null, [4], null]"),
      Column("n", arrow::int64(), "[1, 2, 3, 9007199254740993, 9007199254740993]"),
  });
  WriteParquet(folder.Path("a.parquet"), *table);
  const auto rows = ReadAll({folder.Path("a.parquet")});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ((*rows)[0].fault, RejectRule::kNone);
  EXPECT_EQ((*rows)[0].fault_detail, "");
  EXPECT_EQ((*rows)[1].fault, RejectRule::kKeyMissing);
  EXPECT_EQ((*rows)[1].fault_detail, "column \"id\": the key is null");
  EXPECT_EQ((*rows)[2].fault, RejectRule::kVectorMissing);
  EXPECT_EQ((*rows)[3].fault, RejectRule::kMetadataIntegerRange);
  EXPECT_THAT((*rows)[3].fault_detail, HasSubstr("column \"n\": an integer that a double"));
  EXPECT_EQ((*rows)[3].metadata, "");
  EXPECT_EQ((*rows)[4].fault, RejectRule::kKeyMissing);
}

TEST(Source, ReadsMetadataFromAColumnOfJson) {
  const TestingFolder folder;
  const auto table = TableOf({
      Column("id", arrow::utf8(), R"(["a", "b", "c"])"),
      Column("v", arrow::list(arrow::float32()), "[[1], [2], [3]]"),
      Column("meta", arrow::utf8(), R"(["{\"x\": 1}", null, "[1]"])"),
      Column("rest", arrow::map(arrow::utf8(), arrow::utf8()), "[null, null, null]"),
  });
  WriteParquet(folder.Path("a.parquet"), *table);
  const auto rows = ReadAll({folder.Path("a.parquet")}, {.metadata_json = "meta"});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ((*rows)[0].metadata, R"({"x":1})");
  EXPECT_EQ((*rows)[0].metadata_bytes, 4u + 8 + 1 + 4);
  EXPECT_EQ((*rows)[1].metadata, "");
  EXPECT_EQ((*rows)[1].fault, RejectRule::kNone);
  EXPECT_EQ((*rows)[2].fault, RejectRule::kMetadataJson);
  EXPECT_THAT((*rows)[2].fault_detail, HasSubstr("column \"meta\": "));
}

TEST(Source, HivePartitionsBecomeMetadata) {
  const TestingFolder folder;
  WriteParquet(folder.Path("year=2023/lang=de/a.parquet"), *PlainTable(1, 0));
  WriteParquet(folder.Path("year=2024/lang=7/a.parquet"), *PlainTable(1, 1));
  WriteParquet(folder.Path("year=__HIVE_DEFAULT_PARTITION__/lang=8/a.parquet"), *PlainTable(1, 2));
  const auto source = Open({folder.path()});
  EXPECT_THAT(source->manifest().files[0].partitions,
              ElementsAre(Pair("year", "2023"), Pair("lang", "de")));
  EXPECT_THAT(source->mapping().metadata, ElementsAre("year", "lang"));
  const auto rows = ReadAll({folder.path()});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ((*rows)[0].metadata, R"({"year":2023,"lang":"de"})");
  EXPECT_EQ((*rows)[0].metadata_bytes, 4u + (8 + 4 + 4) + (8 + 4 + 2));
  EXPECT_EQ((*rows)[1].metadata, R"({"year":2024,"lang":"7"})");
  EXPECT_EQ((*rows)[2].metadata, R"({"lang":"8"})");
  EXPECT_EQ(Keys(ReadAll({folder.path()}, {.metadata_columns = {"none"}})), "k0 k1 k2");
}

TEST(Source, TheDimensionIsThatOfTheFirstVector) {
  const TestingFolder folder;
  const auto lists = arrow::list(arrow::float32());
  WriteParquet(folder.Path("a.parquet"),
               *TableOf({Column("id", arrow::utf8(), R"(["a"])"), Column("v", lists, "[null]")}));
  const auto nothing = Open({folder.Path("a.parquet")})->Dimension();
  EXPECT_EQ(nothing.status().code(), Code::kInvalidArgument);
  WriteParquet(folder.Path("b.parquet"), *TableOf({Column("id", arrow::utf8(), R"(["b", "c"])"),
                                                   Column("v", lists, "[[], [1, 2, 3]]")}));
  EXPECT_EQ(*Open({folder.path()})->Dimension(), 3u);
}

TEST(Source, ZeroRowsAreNoError) {
  const TestingFolder folder;
  for (const std::string& path : InEveryFormat(folder, *PlainTable(0))) {
    const auto source = Open({path});
    ASSERT_NE(source, nullptr) << path;
    EXPECT_EQ(source->manifest().rows, 0u);
    EXPECT_EQ(Keys(ReadAll({path})), "");
    EXPECT_EQ(*source->Dimension(), 2u);
  }
}

TEST(Source, NamesTheFileThatIsNotOne) {
  const TestingFolder folder;
  const Status absent = OpenError({folder.path() + "/no.parquet"});
  EXPECT_EQ(absent.code(), Code::kNotFound);
  EXPECT_THAT(absent.message(), HasSubstr("no.parquet: no such file"));
  const Status empty = OpenError({folder.Write("empty.parquet", "")});
  EXPECT_EQ(empty.code(), Code::kInvalidArgument);
  EXPECT_THAT(empty.message(), HasSubstr("empty.parquet: the file is empty"));
  const Status text = OpenError({folder.Write("text.parquet", "id,embedding\n")});
  EXPECT_EQ(text.code(), Code::kInvalidArgument);
  EXPECT_THAT(text.message(), HasSubstr("text.parquet: neither Parquet nor Arrow IPC"));
}

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Source, TruncatedFilesAreCorrupt) {
  const TestingFolder folder;
  for (const std::string& path : InEveryFormat(folder, *PlainTable(10))) {
    const std::string bytes = Bytes(path);
    for (const size_t length : {size_t{9}, size_t{40}, bytes.size() / 2, bytes.size() - 30}) {
      const std::string cut = folder.Write("cut", std::string_view(bytes).substr(0, length));
      const auto rows = ReadAll({cut});
      // A stream's end may be cut off at a batch: that cannot be told from a shorter stream.
      if (rows.ok() && path.ends_with(".arrows")) continue;
      ASSERT_FALSE(rows.ok()) << path << " " << length;
      EXPECT_EQ(rows.status().code(), Code::kCorrupt) << rows.status().ToString();
      EXPECT_THAT(rows.status().message(), HasSubstr("cut"));
    }
  }
}

// Under ASan this finds reads past the end that a damaged file could cause.
TEST(Source, DamagedBytesNeverCrash) {
  const TestingFolder folder;
  const auto dictionary = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto table = TableOf({Column("id", arrow::utf8(), R"(["a", "bb", "ccc"])"),
                              Column("v", arrow::list(arrow::float32()), "[[1, 2], [3], [4, 5]]"),
                              Column("d", dictionary, R"(["x", "y", "x"])"),
                              Column("w", arrow::utf8_view(), R"(["p", "q", "r"])")});
  for (const std::string& path : InEveryFormat(folder, *table)) {
    const std::string bytes = Bytes(path);
    for (size_t at = 8; at < bytes.size(); at += 3) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x7f);
      const auto rows = ReadAll({folder.Write("damaged", damaged)});
      if (!rows.ok()) {
        ASSERT_THAT(rows.status().message(), HasSubstr("damaged")) << at;
      }
    }
  }
}

TEST(Source, AFileThatChangedSinceThePlanIsNotRead) {
  const TestingFolder folder;
  const auto paths = InEveryFormat(folder, *PlainTable(10));
  const auto source = Open(paths);
  InEveryFormat(folder, *PlainTable(3));
  for (uint32_t i = 0; i < 3; ++i) {
    const auto rows = ReadRange(source.get(), {.file = i,
                                               .row_begin = 0,
                                               .row_end = 10,
                                               .block_rows_max = 500,
                                               .non_filterable_keys = {}});
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.status().code(), Code::kConflict) << rows.status().ToString();
    EXPECT_THAT(rows.status().message(), HasSubstr(paths[i]));
  }
}

TEST(Source, FilesThatDifferAreBothNamed) {
  const TestingFolder folder;
  WriteParquet(folder.Path("a.parquet"), *PlainTable(1));
  WriteParquet(folder.Path("b.parquet"), *TableOf({Column("id", arrow::utf8(), R"(["x"])")}));
  const Status status = OpenError({folder.path()});
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("a.parquet"));
  EXPECT_THAT(status.message(), HasSubstr("b.parquet"));
}

TEST(Source, AColumnThatIsAllNullInOneFileIsNoDifference) {
  const TestingFolder folder;
  const auto lists = arrow::list(arrow::float32());
  WriteParquet(folder.Path("a.parquet"),
               *TableOf({Column("id", arrow::utf8(), R"(["a"])"), Column("v", lists, "[[1]]"),
                         Column("m", arrow::null(), "[null]")}));
  WriteParquet(folder.Path("b.parquet"), *TableOf({Column("id", arrow::utf8(), R"(["b"])"),
                                                   Column("v", arrow::null(), "[null]"),
                                                   Column("m", arrow::int64(), "[5]")}));
  const auto rows = ReadAll({folder.path()});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ((*rows)[0].metadata, "");
  EXPECT_EQ((*rows)[1].metadata, R"({"m":5})");
  EXPECT_EQ((*rows)[1].fault, RejectRule::kVectorMissing);
}

TEST(Source, SeveralThreadsReadAtOnce) {
  const TestingFolder folder;
  const auto paths = InEveryFormat(folder, *PlainTable(200));
  const auto source = Open(paths);
  std::vector<std::string> keys(6);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      keys[i] = Keys(ReadRange(source.get(), {.file = i % 3,
                                              .row_begin = 0,
                                              .row_end = 200,
                                              .block_rows_max = 7,
                                              .non_filterable_keys = {}}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& found : keys) EXPECT_EQ(found, KeysUpTo(0, 200));
}

TEST(Source, ReadsTheDebianExample) {
  const std::string path = "examples/data/debian-packages-small.parquet";
  const Status status = OpenError({path});
  EXPECT_THAT(status.message(), HasSubstr("pass --key-column NAME; candidates: package (string), "
                                          "section (string), installed_size_kb (int64)"));
  const auto source = Open({path}, {.key_column = "package"});
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->manifest().rows, 4000u);
  EXPECT_EQ(*source->Dimension(), 384u);
  EXPECT_EQ(source->mapping().vector, "embedding");
  const auto rows = ReadRange(source.get(), {.file = 0,
                                             .row_begin = 3990,
                                             .row_end = 4000,
                                             .block_rows_max = 500,
                                             .non_filterable_keys = {}});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  for (const ReadRow& row : *rows) {
    EXPECT_EQ(row.fault, RejectRule::kNone);
    double squares = 0;
    for (const float x : row.vector) squares += x * x;
    EXPECT_NEAR(squares, 1, 0.01);
    EXPECT_THAT(row.metadata, HasSubstr("\"section\":"));
  }
}

}  // namespace
}  // namespace vecload::source

// Goal: the keys that a file lists come row by row from every format, in any range, and a list that
// is not what it seems is refused whole. Method: real files in a temporary folder; JSON Lines are
// made longer than the chunks in which they are read.
#include "source/key_source.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/json_lines_file.h"
#include "source/testing_files.h"

namespace vecload::source {
namespace {

using testing::Column;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::PlainTable;
using testing::ReadRange;
using testing::ReadRow;
using testing::TableOf;
using testing::WriteIpc;
using testing::WriteParquet;

Status AnyIndex(std::string_view /*key*/, std::string_view /*index*/) { return Status::Ok(); }

std::string Write(const TestingFolder& folder, const std::string& name, const std::string& text) {
  const std::string path = folder.Path(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Result<std::vector<ReadRow>> ReadKeys(Source* source, uint64_t begin, uint64_t end,
                                      uint32_t block_rows_max = 3) {
  return ReadRange(source, {.file = 0,
                            .row_begin = begin,
                            .row_end = end,
                            .block_rows_max = block_rows_max,
                            .non_filterable_keys = {},
                            .keys_only = true});
}

// The keys of the first file, or why there are none.
std::vector<std::string> KeysOf(const std::vector<std::string>& locations,
                                const SourceOptions& options = {}) {
  const auto source = OpenKeySource(locations, options, AnyIndex);
  if (!source.ok()) return {source.status().message()};
  const auto rows = ReadKeys(source->get(), 0, (*source)->manifest().files[0].rows);
  if (!rows.ok()) return {rows.status().message()};
  std::vector<std::string> keys;
  for (const ReadRow& row : *rows) {
    keys.push_back(row.fault == RejectRule::kNone ? row.key
                                                  : std::string(RejectRuleName(row.fault)));
  }
  return keys;
}

std::string Refusal(const TestingFolder& folder, const std::string& text,
                    const CheckIndex& check = AnyIndex) {
  const std::string path = Write(folder, "list.jsonl", text);
  const auto source = OpenKeySource(std::vector{path}, {}, check);
  return source.ok() ? "accepted" : source.status().message();
}

TEST(KeySource, ReadsFilesThatHaveNoVectors) {
  const TestingFolder folder;
  const auto table = TableOf({Column("id", arrow::utf8(), R"(["a",null,"c"])"),
                              Column("note", arrow::utf8(), R"(["x","y","z"])")});
  WriteParquet(folder.Path("a.parquet"), *table);
  WriteIpc(folder.Path("b.arrow"), *table);
  for (const char* name : {"a.parquet", "b.arrow"}) {
    EXPECT_THAT(KeysOf({folder.Path(name)}), ElementsAre("a", "key_missing", "c"));
    SourceOptions named;
    named.key_column = "note";
    EXPECT_THAT(KeysOf({folder.Path(name)}, named), ElementsAre("x", "y", "z"));
    named.key_column = "none";
    EXPECT_THAT(KeysOf({folder.Path(name)}, named), ElementsAre(HasSubstr("no column \"none\"")));
  }
  WriteParquet(folder.Path("c.parquet"), *PlainTable(2));
  EXPECT_THAT(KeysOf({folder.Path("c.parquet")}), ElementsAre("k0", "k1"));
}

TEST(KeySource, ReadsTheLinesThatVecloadWrites) {
  const TestingFolder folder;
  const std::string path = Write(folder, "list",
                                 "{\"key\":\"a \\\"1\\\"\",\"index\":\"bucket/index\"}\n"
                                 "\n"
                                 "{\"file\":\"x\",\"row\":3,\"key_base64\":\"//4=\"}\r\n"
                                 "   \t\r\n"
                                 "{\"file\":\"x\",\"row\":4,\"rule\":\"key_missing\"}\n"
                                 " {\"key\":\"\"}\n"
                                 "{\"key\":\"last\"}");
  EXPECT_THAT(KeysOf({path}), ElementsAre("a \"1\"", "key_not_utf8", "key_missing", "", "last"));
  const auto source = OpenKeySource(std::vector{path}, {}, AnyIndex);
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->mapping().key, "key");
  EXPECT_EQ((*source)->manifest().rows, 5u);
  EXPECT_EQ((*source)->Dimension().status().code(), Code::kInvalidArgument);
}

// Lines of every length around the chunk's: they end with it, begin with it, and go beyond it.
TEST(KeySource, ReadsAnyRangeOfLinesWhateverChunksTheyAreIn) {
  const TestingFolder folder;
  const size_t chunk = kJsonLinesChunkBytes;
  std::string text;
  std::vector<std::string> keys;
  const auto add = [&](size_t line_bytes) {
    keys.push_back("k" + std::to_string(keys.size()));
    text += R"({"key":")" + keys.back() + R"(","pad":")";
    const size_t without_pad = 20 + keys.back().size();
    text.append(std::max(line_bytes, without_pad) - without_pad, 'x');
    text += "\"}\n";
  };
  for (const int beyond_edge : {0, 1, -1, 40}) {
    add(100);
    const size_t edge = (text.size() / chunk + 1) * chunk;
    add(edge + static_cast<size_t>(beyond_edge) - text.size());
    add(0);
  }
  add(2 * chunk + 7);
  add(0);
  text.pop_back();
  const std::string path = Write(folder, "list.jsonl", text);
  const auto source = OpenKeySource(std::vector{path}, {}, AnyIndex);
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  ASSERT_EQ((*source)->manifest().rows, keys.size());
  EXPECT_THAT((*source)->manifest().files[0].row_group_rows, ::testing::Contains(0u))
      << "a chunk in which no line begins";
  for (uint64_t begin = 0; begin <= keys.size(); ++begin) {
    for (uint64_t end = begin; end <= keys.size(); end += 2) {
      for (const uint32_t block : {1u, 500u}) {
        const auto rows = ReadKeys(source->get(), begin, end, block);
        ASSERT_TRUE(rows.ok()) << rows.status().ToString();
        ASSERT_EQ(rows->size(), end - begin);
        for (uint64_t i = begin; i < end; ++i) ASSERT_EQ((*rows)[i - begin].key, keys[i]);
      }
    }
  }
}

TEST(KeySource, ALineThatCannotBeReadIsNamed) {
  const TestingFolder folder;
  EXPECT_THAT(Refusal(folder, "{\"key\":\"a\"}\n\n{\"key\":\"b\"\n"),
              HasSubstr("list.jsonl, line 3: not a JSON object"));
  EXPECT_THAT(Refusal(folder, "{\"key\":7}\n"), HasSubstr("line 1: not a JSON object"));
  EXPECT_THAT(Refusal(folder, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n"),
              HasSubstr(R"(no line has a "key" or a "key_base64")"));
  EXPECT_THAT(Refusal(folder, "{\"key\":\"" + std::string(20 << 20, 'x')),
              HasSubstr("a line is longer than"));
  EXPECT_THAT(Refusal(folder, "a,b\n1,2\n"), HasSubstr("neither Parquet nor Arrow IPC nor JSON"));
  EXPECT_THAT(Refusal(folder, ""), HasSubstr("the file is empty"));
  const std::vector path = {Write(folder, "x.jsonl", "{\"key\":\"a\"}\n")};
  EXPECT_THAT(OpenSource(path, {}).status().message(), HasSubstr("neither Parquet nor Arrow IPC;"))
      << "a load takes no JSON Lines";
}

TEST(KeySource, ALineThatNamesAnIndexIsJudged) {
  const TestingFolder folder;
  std::vector<std::pair<std::string, std::string>> seen;
  const auto check = [&](std::string_view key, std::string_view index) {
    seen.emplace_back(key, index);
    return key == "c" ? Status::InvalidArgument("not here") : Status::Ok();
  };
  EXPECT_THAT(Refusal(folder,
                      "{\"key\":\"a\",\"index\":\"b/i\"}\n{\"key\":\"b\"}\n"
                      "{\"key\":\"c\",\"index\":\"b/j\"}\n{\"key\":\"d\",\"index\":\"b/k\"}\n",
                      check),
              HasSubstr("list.jsonl, line 3: not here"));
  EXPECT_THAT(seen, ElementsAre(Pair("a", "b/i"), Pair("c", "b/j")));
}

TEST(KeySource, FilesOfSeveralFormatsNeedOneKeyColumn) {
  const TestingFolder folder;
  const std::string lines = Write(folder, "a.jsonl", "{\"key\":\"a\"}\n");
  WriteParquet(folder.Path("b.parquet"), *TableOf({Column("key", arrow::binary(), R"(["b"])"),
                                                   Column("more", arrow::int64(), "[1]")}));
  WriteParquet(folder.Path("c.parquet"), *TableOf({Column("id", arrow::utf8(), R"(["c"])")}));
  const auto both = OpenKeySource(std::vector{lines, folder.Path("b.parquet")}, {}, AnyIndex);
  ASSERT_TRUE(both.ok()) << both.status().ToString();
  EXPECT_EQ((*both)->manifest().rows, 2u);
  const auto other = OpenKeySource(std::vector{lines, folder.Path("c.parquet")}, {}, AnyIndex);
  EXPECT_THAT(other.status().message(), HasSubstr("c.parquet has no such column"));
}

TEST(KeySource, AListThatChangedSinceThePlanIsNotRead) {
  const TestingFolder folder;
  const std::string path = Write(folder, "a.jsonl", "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
  for (const char* changed :
       {"{\"key\":\"a\"}\n", "{\"key\":\"a\"}\nnot a line\n", "{\"key\":\"longer\"}\n"}) {
    const auto source = OpenKeySource(std::vector{path}, {}, AnyIndex);
    ASSERT_TRUE(source.ok());
    Write(folder, "a.jsonl", changed);
    const auto rows = ReadKeys(source->get(), 0, 2);
    EXPECT_EQ(rows.status().code(), Code::kConflict) << changed;
    EXPECT_THAT(rows.status().message(), HasSubstr("a.jsonl: the file has changed"));
    Write(folder, "a.jsonl", "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
  }
}

// The same number of rows in all, and as many chunks: those of the second one moved.
TEST(KeySource, AListWhoseLinesMovedSinceThePlanIsNotRead) {
  const TestingFolder folder;
  const std::string line = "{\"key\":\"a\"}\n";
  const auto blank = [](size_t bytes) { return std::string(bytes, ' ') + "\n"; };
  const size_t chunk = kJsonLinesChunkBytes;
  const std::string path = Write(folder, "a.jsonl", line + line + blank(chunk) + line);
  const auto source = OpenKeySource(std::vector{path}, {}, AnyIndex);
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  EXPECT_THAT((*source)->manifest().files[0].row_group_rows, ElementsAre(2, 1));
  Write(folder, "a.jsonl", line + blank(chunk) + line + line);
  EXPECT_EQ(ReadKeys(source->get(), 0, 3).status().code(), Code::kConflict);
}

}  // namespace
}  // namespace vecload::source

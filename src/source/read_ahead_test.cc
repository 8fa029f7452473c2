// Goal: what is read through ReadAhead is what the file holds, within the bound of memory, with as
// many requests on their way as the bound allows and no byte fetched twice; failures come to the
// read that needs the bytes; nothing waits for ever.
// Method: files in memory that write down every request and can hold all of them back (FarFile);
// random ranges, reads and bounds for the properties.
#include "source/read_ahead.h"

#include <atomic>
#include <functional>
#include <optional>

#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "base/random.h"
#include "source/testing_far_file.h"
#include "source/testing_files.h"

namespace vecload::source {
namespace {

using testing::FarFile;
using ::testing::HasSubstr;

std::string Noise(size_t bytes, uint64_t seed) {
  Random random(seed);
  std::string noise(bytes, '\0');
  for (char& c : noise) c = static_cast<char>(random.Below(256));
  return noise;
}

ReadAhead::Opened OpenedOf(const std::shared_ptr<FarFile>& file,
                           std::vector<std::vector<ByteRange>> reads) {
  return {.file = {.uri = "far", .size = *file->GetSize(), .file = file, .footer = nullptr},
          .reads = std::move(reads)};
}

// The whole of a file in ranges of one length.
std::vector<ByteRange> Cut(int64_t bytes, int64_t length) {
  std::vector<ByteRange> ranges;
  for (int64_t at = 0; at < bytes; at += length) {
    ranges.push_back({.offset = at, .bytes = std::min(length, bytes - at)});
  }
  return ranges;
}

std::string ReadText(arrow::io::RandomAccessFile* file, int64_t position, int64_t bytes) {
  const auto buffer = file->ReadAt(position, bytes);
  return buffer.ok() ? (*buffer)->ToString() : buffer.status().ToString();
}

// Files that are read once each, in ranges of 100 bytes.
class ReadAheadTest : public ::testing::Test {
 protected:
  static constexpr int64_t kRange = 100;

  void MakeFiles(size_t files, size_t bytes) {
    for (size_t i = 0; i < files; ++i) {
      texts_.push_back(Noise(bytes, i));
      files_.push_back(std::make_shared<FarFile>(texts_.back()));
      sizes_.push_back(bytes);
    }
  }
  void Start(uint32_t threads, uint64_t bytes_max = 8 * kRange) {
    ahead_.emplace(
        sizes_,
        ReadAhead::Limits{.bytes_max = bytes_max, .range_bytes_max = kRange, .threads = threads},
        [this](size_t i) -> Result<ReadAhead::Opened> {
          return OpenedOf(files_[i], {Cut(*files_[i]->GetSize(), kRange)});
        });
  }
  // Reads a file from end to end in small steps.
  std::string ReadFile(size_t i) {
    EXPECT_TRUE(ahead_->Enter(i).ok());
    const auto view = ahead_->View(0);
    std::string text;
    while (text.size() < texts_[i].size()) {
      text += ReadText(view.get(), static_cast<int64_t>(text.size()), 37);
    }
    return text;
  }

  std::vector<std::string> texts_;
  std::vector<std::shared_ptr<FarFile>> files_;
  std::vector<uint64_t> sizes_;
  std::optional<ReadAhead> ahead_;
};

TEST_F(ReadAheadTest, FetchesEachByteOnce) {
  for (const uint32_t threads : {0u, 1u, 5u}) {
    texts_.clear(), files_.clear(), sizes_.clear();
    MakeFiles(20, 1'250);
    Start(threads);
    for (size_t i = 0; i < 20; ++i) ASSERT_EQ(ReadFile(i), texts_[i]);
    for (const auto& file : files_) {
      EXPECT_EQ(file->bytes_requested(), 1'250);
      EXPECT_EQ(file->requests().size(), 13u);
    }
    EXPECT_LE(ahead_->bytes_held_max(), 800u);
    ahead_.reset();
  }
}

TEST_F(ReadAheadTest, HasAsManyRequestsOnTheirWayAsItsBoundAllows) {
  MakeFiles(1, 5'000);
  files_[0]->HoldBack();
  Start(16);
  // Seven ahead; the room of the eighth is for what the reader asks for out of turn.
  files_[0]->AwaitRequests(7);
  ASSERT_TRUE(ahead_->Enter(0).ok());
  std::string late;
  std::jthread reader([&] { late = ReadText(ahead_->View(0).get(), 4'000, 10); });
  files_[0]->AwaitRequests(8);
  EXPECT_EQ(files_[0]->bytes_at_once_max(), 800);
  files_[0]->LetGo();
  reader.join();
  EXPECT_EQ(late, texts_[0].substr(4'000, 10));
  EXPECT_EQ(files_[0]->bytes_at_once_max(), 800);
}

TEST_F(ReadAheadTest, FetchesTheNextFilesWhileOneIsRead) {
  MakeFiles(5, 200);
  Start(4);
  ASSERT_TRUE(ahead_->Enter(0).ok());
  for (size_t i = 0; i < 3; ++i) files_[i]->AwaitRequests(2);
  files_[3]->AwaitRequests(1);
  EXPECT_EQ(files_[3]->requests().size(), 1u) << "there is room for seven ranges";
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(ReadFile(i), texts_[i]);
}

TEST_F(ReadAheadTest, OpensOnlyTheFilesThatItWillSoonRead) {
  MakeFiles(10, 1'000);
  files_[0]->HoldBack();
  std::atomic<size_t> opened = 0;
  ahead_.emplace(sizes_,
                 ReadAhead::Limits{.bytes_max = 800, .range_bytes_max = kRange, .threads = 1},
                 [&](size_t i) -> Result<ReadAhead::Opened> {
                   ++opened;
                   return OpenedOf(files_[i], {Cut(1'000, kRange)});
                 });
  files_[0]->AwaitRequests(1);
  EXPECT_EQ(opened, 2u) << "of which 1,600 bytes are twice what may be held";
  files_[0]->LetGo();
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(ReadFile(i), texts_[i]);
}

TEST_F(ReadAheadTest, AFailureComesOnceToTheReadThatNeedsTheBytes) {
  for (const uint32_t threads : {0u, 3u}) {
    texts_.clear(), files_.clear(), sizes_.clear();
    MakeFiles(1, 1'000);
    files_[0]->FailOnceAt(250);
    files_[0]->FailOnceAt(450);
    Start(threads);
    ASSERT_TRUE(ahead_->Enter(0).ok());
    auto view = ahead_->View(0);
    EXPECT_EQ(ReadText(view.get(), 100, 100), texts_[0].substr(100, 100));
    EXPECT_EQ(ReadText(view.get(), 190, 20), "IOError: bytes 200 to 299: AWS Error SLOW_DOWN");
    EXPECT_EQ(ReadText(view.get(), 200, 20), texts_[0].substr(200, 20)) << "it is tried again";
    EXPECT_EQ(ReadText(view.get(), 500, 500), texts_[0].substr(500, 500))
        << "bytes that nobody needs may fail";
    view.reset();
    ahead_.reset();
  }
}

TEST_F(ReadAheadTest, AFileThatIsShorterThanPlannedFails) {
  MakeFiles(1, 150);
  ahead_.emplace(sizes_, ReadAhead::Limits{.bytes_max = 800, .range_bytes_max = 100, .threads = 2},
                 [&](size_t) -> Result<ReadAhead::Opened> {
                   auto opened = OpenedOf(files_[0], {Cut(200, 100)});
                   opened.file.size = 200;
                   return opened;
                 });
  ASSERT_TRUE(ahead_->Enter(0).ok());
  EXPECT_THAT(ReadText(ahead_->View(0).get(), 120, 10),
              HasSubstr("bytes 100 to 199: the file end"));
}

TEST_F(ReadAheadTest, AFileThatDoesNotOpenFailsWhenItIsEntered) {
  MakeFiles(3, 100);
  ahead_.emplace(sizes_, ReadAhead::Limits{.bytes_max = 800, .range_bytes_max = 100, .threads = 2},
                 [&](size_t i) -> Result<ReadAhead::Opened> {
                   if (i == 1) return Status::Conflict("far: the file has changed");
                   return OpenedOf(files_[i], {Cut(100, kRange)});
                 });
  EXPECT_EQ(ReadFile(0), texts_[0]);
  EXPECT_EQ(ahead_->Enter(1).status().ToString(), "conflict: far: the file has changed");
}

TEST_F(ReadAheadTest, EndsWhileRequestsAreOnTheirWay) {
  MakeFiles(3, 250);
  for (const auto& file : files_) file->HoldBack();
  Start(8);
  for (size_t i = 0; i < 2; ++i) files_[i]->AwaitRequests(3);
  ASSERT_TRUE(ahead_->Enter(0).ok());
  ahead_->View(0).reset();
  ASSERT_TRUE(ahead_->Enter(1).ok());
  std::jthread ending([&] { ahead_.reset(); });
  for (const auto& file : files_) file->LetGo();
  ending.join();
}

TEST_F(ReadAheadTest, DropsWhatAReadDidNotUse) {
  MakeFiles(2, 1'000);
  Start(2);
  ASSERT_TRUE(ahead_->Enter(0).ok());
  files_[0]->AwaitRequests(7);
  ahead_->View(0).reset();
  files_[1]->AwaitRequests(7);  // which have room only without those
  EXPECT_EQ(ReadFile(1), texts_[1]);
  EXPECT_LE(files_[0]->requests().size(), 8u);
}

// Columns that advance at other speeds than was thought, and leave bytes unread.
TEST_F(ReadAheadTest, StaysWithinTheBoundWhateverIsReadWhen) {
  MakeFiles(1, 20'000);
  Start(3);
  ASSERT_TRUE(ahead_->Enter(0).ok());
  const auto view = ahead_->View(0);
  for (int64_t at = 0; at + 90 < 10'000; at += 90) {
    const int64_t other = 10'000 + at / 3;
    ASSERT_EQ(ReadText(view.get(), at, 60), texts_[0].substr(static_cast<size_t>(at), 60));
    ASSERT_EQ(ReadText(view.get(), other, 30), texts_[0].substr(static_cast<size_t>(other), 30));
  }
  EXPECT_LE(ahead_->bytes_held_max(), 800u);
}

// Ranges that do not touch each other, of a random part of the file and in a random order.
std::vector<ByteRange> SomeRanges(int64_t bytes, int64_t range_bytes_max, Random* random) {
  std::vector<ByteRange> ranges;
  for (int64_t at = 0; at < bytes;) {
    const auto length = static_cast<int64_t>(
        1 + random->Below(static_cast<uint64_t>(std::min(range_bytes_max, bytes - at))));
    if (random->Below(4) > 0) {
      ranges.push_back({.offset = at, .bytes = length, .ahead = random->Below(4) > 0});
    }
    at += length;
  }
  for (size_t i = 0; i + 1 < ranges.size(); ++i) {
    if (random->Below(3) == 0) std::swap(ranges[i], ranges[i + random->Below(ranges.size() - i)]);
  }
  return ranges;
}

TEST(ReadAhead, PropertyReadsWhatTheFileHolds) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const size_t files = 1 + random.Below(4);
    const auto range_bytes = static_cast<int64_t>(1 + random.Below(400));
    const uint64_t bytes_max = static_cast<uint64_t>(range_bytes) * (2 + random.Below(6));
    std::vector<std::string> texts;
    std::vector<std::shared_ptr<FarFile>> far;
    std::vector<std::vector<std::vector<ByteRange>>> reads(files);
    std::vector<uint64_t> sizes;
    for (size_t i = 0; i < files; ++i) {
      texts.push_back(Noise(1 + random.Below(4'000), seed * 10 + i));
      far.push_back(std::make_shared<FarFile>(texts[i]));
      sizes.push_back(texts[i].size());
      for (size_t read = 0; read < 1 + random.Below(3); ++read) {
        reads[i].push_back(SomeRanges(static_cast<int64_t>(texts[i].size()), range_bytes, &random));
      }
    }
    ReadAhead ahead(
        sizes,
        {.bytes_max = bytes_max,
         .range_bytes_max = static_cast<uint64_t>(range_bytes),
         .threads = static_cast<uint32_t>(random.Below(4))},
        [&](size_t i) -> Result<ReadAhead::Opened> { return OpenedOf(far[i], reads[i]); });
    for (size_t i = 0; i < files; ++i) {
      ASSERT_TRUE(ahead.Enter(i).ok());
      for (size_t read = 0; read < reads[i].size(); ++read) {
        const auto view = ahead.View(read);
        for (uint64_t n = random.Below(40); n > 0; --n) {
          const uint64_t position = random.Below(texts[i].size());
          const uint64_t bytes = random.Below(1'000);
          ASSERT_EQ(
              ReadText(view.get(), static_cast<int64_t>(position), static_cast<int64_t>(bytes)),
              texts[i].substr(position, bytes));
        }
      }
    }
    EXPECT_LE(ahead.bytes_held_max(), bytes_max);
  }
}

// Rows that a reader of Parquet finds in a far file, read as the loader does.
std::vector<std::string> KeysThrough(const std::shared_ptr<FarFile>& far, const RowRange& range,
                                     int64_t range_bytes) {
  DataFile file{.uri = "far", .size = *far->GetSize(), .file = far, .footer = nullptr};
  file.footer = parquet::ReadMetaData(far);
  const std::vector<uint64_t> sizes = {static_cast<uint64_t>(file.size)};
  ReadAhead ahead(sizes,
                  {.bytes_max = static_cast<uint64_t>(8 * range_bytes),
                   .range_bytes_max = static_cast<uint64_t>(range_bytes),
                   .threads = 3},
                  [&](size_t) -> Result<ReadAhead::Opened> {
                    VECLOAD_ASSIGN_OR_RETURN(auto ranges, BytesOfRows(file, range, range_bytes));
                    return ReadAhead::Opened{.file = file, .reads = {std::move(ranges)}};
                  });
  DataFile entered = *ahead.Enter(0);
  entered.file = ahead.View(0);
  std::vector<std::string> keys;
  const Status status = ReadRows(entered, range, [&](const auto& batch) {
    const auto column = batch->GetColumnByName("id");
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      keys.push_back((*column->GetScalar(i))->ToString());
    }
    return Status::Ok();
  });
  EXPECT_TRUE(status.ok()) << status.ToString();
  return keys;
}

TEST(BytesOfRows, ComeInTheOrderOfTheirRows) {
  const TestingFolder folder;
  const std::string path = folder.Path("a.parquet");
  ASSERT_TRUE(
      GenerateParquet({.path = path, .rows = 2'000, .dimension = 256, .row_group_rows = 1'000})
          .ok());
  const auto reader = parquet::ParquetFileReader::OpenFile(path);
  const DataFile file{.uri = path,
                      .size = static_cast<int64_t>(std::filesystem::file_size(path)),
                      .file = nullptr,
                      .footer = reader->metadata()};
  const std::vector<std::string> columns = {"embedding", "year"};
  const std::vector<uint64_t> row_groups = {1'000, 1'000};
  const RowRange range{.columns = columns,
                       .row_begin = 0,
                       .row_end = 1'400,
                       .batch_rows_max = 100,
                       .row_group_rows = row_groups};
  const auto ranges = *BytesOfRows(file, range, 128 << 10);
  const auto place = [&](int group, int column) {
    const auto chunk = file.footer->RowGroup(group)->ColumnChunk(column);
    const int64_t at =
        chunk->has_dictionary_page() ? chunk->dictionary_page_offset() : chunk->data_page_offset();
    return std::ranges::find(ranges, at, &ByteRange::offset) - ranges.begin();
  };
  // The years stand behind the vectors of their row group and are needed with its first ones.
  EXPECT_EQ(place(0, 1), 0);
  EXPECT_EQ(place(0, 3), 1);
  EXPECT_EQ(place(1, 3), place(1, 1) + 1);
  EXPECT_GT(place(1, 1), 8);
  EXPECT_TRUE(ranges[static_cast<size_t>(place(1, 1))].ahead);
  EXPECT_FALSE(ranges.back().ahead) << "rows behind the last one";
}

TEST(BytesOfRows, AreThoseThatAReadNeedsAndNoOthers) {
  const TestingFolder folder;
  ASSERT_TRUE(GenerateParquet({.path = folder.Path("a.parquet"),
                               .rows = 3'000,
                               .dimension = 256,
                               .seed = 1,
                               .row_group_rows = 1'000})
                  .ok());
  std::ifstream in(folder.Path("a.parquet"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto far = std::make_shared<FarFile>(bytes);
  const auto metadata = parquet::ReadMetaData(far);
  const std::vector<uint64_t> row_groups = {1'000, 1'000, 1'000};
  for (const std::vector<std::string>& columns :
       {std::vector<std::string>{"id", "embedding"}, std::vector<std::string>{"id"}}) {
    for (const auto& [begin, end, groups] :
         {std::tuple{0, 3'000, 3}, std::tuple{1'200, 1'900, 1}, std::tuple{999, 1'001, 2}}) {
      int64_t needed = 0;
      for (int group = begin / 1'000; group < begin / 1'000 + groups; ++group) {
        for (size_t column = 0; column < columns.size(); ++column) {
          needed += metadata->RowGroup(group)
                        ->ColumnChunk(static_cast<int>(column))
                        ->total_compressed_size();
        }
      }
      const RowRange range{.columns = columns,
                           .row_begin = static_cast<uint64_t>(begin),
                           .row_end = static_cast<uint64_t>(end),
                           .batch_rows_max = 100,
                           .row_group_rows = row_groups};
      for (const int64_t range_bytes : {128 << 10, 4 << 20}) {
        const int64_t before = far->bytes_requested();
        const auto keys = KeysThrough(far, range, range_bytes);
        ASSERT_EQ(keys.size(), static_cast<size_t>(end - begin));
        EXPECT_EQ(keys.front(), fmt::format("v-{:09}", begin));
        EXPECT_EQ(keys.back(), fmt::format("v-{:09}", end - 1));
        const auto footer = static_cast<int64_t>(std::min<size_t>(bytes.size(), 64 << 10));
        EXPECT_LE(far->bytes_requested() - before - footer, needed);
        if (end - begin == 3'000) {
          EXPECT_EQ(far->bytes_requested() - before - footer, needed);
        }
      }
    }
  }
}

}  // namespace
}  // namespace vecload::source

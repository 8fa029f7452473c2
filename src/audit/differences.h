#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "audit/entry_spill.h"
#include "client/shards.h"
#include "vecload/source.h"
#include "vecload/status.h"
#include "vecload/verify.h"

namespace vecload::audit {

// A file of JSON Lines that has its name only once it is whole: a comparison that ends early
// leaves none. kIo names the file.
class LinesFile {
 public:
  explicit LinesFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
  LinesFile(const LinesFile&) = delete;
  LinesFile& operator=(const LinesFile&) = delete;
  ~LinesFile();
  Status Append(const std::string& line);
  // Once, at the end. Without a line there is no file, not even an earlier one.
  Status Close();

 private:
  struct Closer {
    void operator()(FILE* file) const { fclose(file); }
  };
  [[nodiscard]] Status Failed(int error) const;

  std::string path_;
  std::string part_;
  std::unique_ptr<FILE, Closer> file_;
};

// Compares the entries of both sides key by key, writes down what differs and counts it.
class Differences {
 public:
  Differences(const VerifyOptions& options, const Manifest& manifest,
              const client::ShardSet& indexes, VerifyReport* report)
      : options_(options),
        manifest_(manifest),
        indexes_(indexes),
        report_(report),
        rows_(options.differences_path),
        keys_(options.extra_path) {}

  // `entries` has all entries of its keys; sorts them. kConflict: the index gave a key twice.
  Status Compare(std::span<Entry> entries);
  Status Close();

 private:
  // All entries with one key and shard: first the rows, as the source has them, then the index's.
  Status CompareKey(std::span<const Entry> entries);
  Status WriteRow(const Entry& row, const char* difference);
  Status WriteExtra(const Entry& vector);

  const VerifyOptions& options_;
  const Manifest& manifest_;
  const client::ShardSet& indexes_;
  VerifyReport* report_;
  LinesFile rows_;
  LinesFile keys_;
};

}  // namespace vecload::audit

#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vecload/source.h"

namespace vecload::load::testing {

// Files of keys in memory; nullopt is a null key. Every row has the vector {file, row}, so that it
// tells where it is from.
class KeySource : public Source {
 public:
  using File = std::vector<std::optional<std::string>>;

  explicit KeySource(std::vector<File> files) : files_(std::move(files)) {
    for (size_t i = 0; i < files_.size(); ++i) {
      SourceFile file;
      file.uri = "file-" + std::to_string(i);
      file.rows = files_[i].size();
      manifest_.rows += file.rows;
      manifest_.files.push_back(file);
    }
  }

  [[nodiscard]] const Manifest& manifest() const override { return manifest_; }
  [[nodiscard]] const ColumnMapping& mapping() const override { return mapping_; }
  Result<uint32_t> Dimension() override { return uint32_t{2}; }

  Status Read(const ReadRequest& request, const std::function<Status(RowBlock)>& deliver) override {
    for (uint64_t row = request.row_begin; row < request.row_end; row += request.block_rows_max) {
      const uint64_t end = std::min(request.row_end, row + request.block_rows_max);
      VECLOAD_RETURN_IF_ERROR(deliver(Block(request, row, end)));
    }
    return Status::Ok();
  }

 private:
  RowBlock Block(const ReadRequest& request, uint64_t begin, uint64_t end) const {
    RowBlock block{.file = request.file, .row_begin = begin, .rows = {}, .bytes = 1, .owner = {}};
    auto floats = std::make_shared<std::vector<float>>();
    floats->reserve(2 * (end - begin));
    for (uint64_t row = begin; row < end; ++row) {
      SourceRow made;
      const auto& key = files_[request.file][row];
      if (key.has_value()) made.key = *key;
      if (!key.has_value()) made.fault = RejectRule::kKeyMissing;
      if (!request.keys_only) {
        floats->push_back(static_cast<float>(request.file));
        floats->push_back(static_cast<float>(row));
        made.vector = std::span<const float>(*floats).last(2);
      }
      block.rows.push_back(made);
    }
    block.owner = floats;
    return block;
  }

  std::vector<File> files_;
  Manifest manifest_;
  ColumnMapping mapping_;
};

}  // namespace vecload::load::testing

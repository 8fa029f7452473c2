#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::source {

// Judges a line of JSON Lines that says in which index its key is. Not ok: the source is refused.
// Called on any thread, and on several at once.
using CheckIndex = std::function<Status(std::string_view key, std::string_view index)>;

// As OpenSource, of files that list keys and need no vector: JSON Lines too, which are read through
// once, `check` being asked of each line that names an index. Of `options` the key column and the
// S3 settings count. Every row comes with its key alone, so that requests are `keys_only`.
// kInvalidArgument too: a line that cannot be read, which is named; no line of a file has a key.
// Defined beside OpenSource.
Result<std::unique_ptr<Source>> OpenKeySource(std::span<const std::string> locations,
                                              const SourceOptions& options,
                                              const CheckIndex& check);

}  // namespace vecload::source

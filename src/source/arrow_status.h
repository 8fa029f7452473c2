#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include "vecload/status.h"

namespace vecload::source {

// Arrow's failure as one of ours. `what` names the file or the action and opens the message.
Status FromArrow(const arrow::Status& status, std::string_view what);

template <typename T>
Result<T> FromArrow(arrow::Result<T> result, std::string_view what) {
  if (!result.ok()) return FromArrow(result.status(), what);
  return std::move(result).ValueUnsafe();
}

// Runs `body`, which returns a Status or a Result, at the border where exceptions end: libparquet
// throws on damaged files, everything throws when memory is out. `what` names the file.
template <typename Body>
auto Guard(std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return Status::Io(std::string(what) + ": out of memory");
  } catch (const std::exception& error) {
    return Status::Corrupt(std::string(what) + ": " + error.what());
  }
}

}  // namespace vecload::source

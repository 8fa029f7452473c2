#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/source.h"

namespace vecload {

/// What came of a check.
enum class CheckResult {
  kOk,
  kWarning,  ///< Works, but not as well as it could, or cannot be proved.
  kFailed,   ///< A load would fail.
  kSkipped,  ///< What it builds on failed.
};

/// Returns the result's word: "ok", "warning", "failed" or "skipped".
std::string_view CheckResultName(CheckResult result);

/// One thing that a load needs, and whether it is there.
struct Check {
  std::string name;  ///< "credentials", "endpoint", ...
  CheckResult result = CheckResult::kOk;
  std::string found;
  std::string advice = {};  ///< What to do about it; empty where there is nothing to do.
};

/// What to look at beyond this machine and the service.
struct DoctorOptions {
  std::optional<IndexName> index;
  std::vector<std::string> sources;
  SourceOptions source;
  ClientOptions client;
  bool measure_speed = true;  ///< Encodes for five seconds.
};

/// What a diagnosis found.
struct Diagnosis {
  std::vector<Check> checks;
  /// A check was late and still runs on a thread of its own: end the process without waiting.
  bool left_behind = false;

  [[nodiscard]] bool failed() const;
};

/// Looks at everything that a load needs, one thing after the other, in less than 30 s whatever the
/// network does; `on_check` (may be empty) is told each as it is done. Only reads: nothing is
/// written to the service or the disk. Nothing that it tells holds a secret key or session token.
Diagnosis Diagnose(const DoctorOptions& options,
                   const std::function<void(const Check&)>& on_check = {});

}  // namespace vecload

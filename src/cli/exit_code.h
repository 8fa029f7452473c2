#pragma once

namespace vecload::cli {

// What scripts branch on; docs/reference/cli.md promises them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // nothing begun, or an internal error
inline constexpr int kExitUsage = 2;
inline constexpr int kExitIncomplete = 3;  // done, but for what is told: rows, or shards
inline constexpr int kExitStopped = 4;     // the job began and can be run again
inline constexpr int kExitDifferent = 5;   // verify found differences, or plan keys that come twice

}  // namespace vecload::cli

#pragma once

namespace vecload {

/// Release of this library and program, as printed by `vecload --version`.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace vecload

#pragma once

namespace vecload::cli {

// The whole program: parses, runs the one command, returns its exit code.
int Run(int argc, const char* const* argv);

}  // namespace vecload::cli

#include "cli/report_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/processor.h"
#include "observe/report.h"
#include "observe/report_html.h"
#include "vecload/version.h"

namespace vecload::cli {
namespace {

bool IsHtml(const std::string& path) { return std::filesystem::path(path).extension() == ".html"; }

bool WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(descriptor) == 0;
}

// By another name first, so that nobody ever reads half a report.
bool Replace(const std::string& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return false;
  const bool written = WriteAll(descriptor, text);
  const int error = errno;
  const bool closed = close(descriptor) == 0;
  if (written && closed && rename(temporary.c_str(), path.c_str()) == 0) return true;
  if (!written) errno = error;
  const int reported = errno;
  unlink(temporary.c_str());
  errno = reported;
  return false;
}

std::string InShellQuotes(const std::string& argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == argument.npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// Without what nobody should read in a report that is passed on.
std::string Cleaned(std::string text) {
  std::vector<std::string> secrets;
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
    if (const char* value = std::getenv(name); value != nullptr) secrets.emplace_back(value);
  }
  return observe::WithoutSecrets(std::move(text), secrets);
}

// As the user would type it.
std::string CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::string line;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = std::min(all.find('\0', begin), all.size());
    std::string argument = Cleaned(all.substr(begin, end - begin));
    if (begin == 0) argument = std::filesystem::path(argument).filename();
    line += (begin == 0 ? "" : " ") + InShellQuotes(argument);
    begin = end + 1;
  }
  return line;
}

std::string Now() { return UtcText(Clock::System().WallNow()); }

}  // namespace

std::string CheckReportName(const std::string& path) {
  const std::filesystem::path extension = std::filesystem::path(path).extension();
  if (extension == ".json" || extension == ".html") return "";
  return "'" + path + "' does not end in .json or .html";
}

Status CheckReportPath(const std::string& path) {
  if (path.empty()) return Status::Ok();
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Status::Io(fmt::format("--report {}: is a directory; name a file", path));
  }
  if (access(parent.c_str(), W_OK | X_OK) != 0) {
    return Status::Io(fmt::format("--report {}: {} cannot be written to; choose another place",
                                  path, parent.string()));
  }
  return Status::Ok();
}

Status WriteReport(const std::string& path, const JobReport& report,
                   const observe::ReportDetails& details) {
  JobReport cleaned = report;
  cleaned.endpoint_url = Cleaned(report.endpoint_url);
  for (std::string& source : cleaned.sources) source = Cleaned(source);
  const std::string text =
      IsHtml(path) ? observe::ReportHtml(cleaned, details) : observe::ReportJson(cleaned, details);
  if (Replace(path, text)) return Status::Ok();
  return Status::Io(
      fmt::format("--report {}: cannot be written: {}; the job itself is not affected", path,
                  std::strerror(errno)));
}

JobRecord::JobRecord() { details_.started_at = Now(); }

void JobRecord::Update(const JobProgress& progress) {
  details_.timeline.Add(progress);
  details_.last = progress;
}

const observe::ReportDetails& JobRecord::Details() {
  details_.ended_at = Now();
  details_.command_line = CommandLine();
  details_.version = kVersion;
  details_.cpu_model = ProcessorModel();
  details_.cores = std::thread::hardware_concurrency();
  return details_;
}

}  // namespace vecload::cli

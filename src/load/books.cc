#include "load/books.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "journal/show.h"
#include "load/job.h"
#include "source/listed_rows.h"

namespace vecload::load {
namespace {

// A job goes on with the rejects file that its earlier runs wrote, unless the user names another.
std::string RejectsPath(const JobOptions& options, const std::string& journal_path) {
  if (options.rejects_path_is_default && !options.restart) {
    const Result<journal::Shown> shown = journal::Show(journal_path);
    if (shown.ok() && shown->rejects_bytes > 0) return shown->rejects_path;
  }
  return options.rejects_path;
}

// The journal must know a file again from whatever folder the job is started.
Manifest WithAbsolutePaths(Manifest manifest) {
  for (SourceFile& file : manifest.files) file.uri = source::AbsoluteUri(file.uri);
  return manifest;
}

// Opening them empties what is there.
Status CheckRejectsPath(const std::string& path, const Manifest& manifest) {
  for (const SourceFile& file : manifest.files) {
    if (path.empty() || IsOnS3(file.uri) || !IsSameFile(path, file.uri)) continue;
    return Status::InvalidArgument(
        fmt::format("the rejects of this job would overwrite \"{}\", which is among its sources; "
                    "name another file with --rejects",
                    file.uri));
  }
  return Status::Ok();
}

}  // namespace

bool IsSameFile(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored) ||
         source::AbsoluteUri(a) == source::AbsoluteUri(b);
}

Result<std::string> JournalPath(const JobOptions& options, const journal::JobIdentity& identity) {
  if (!options.journal_path.empty()) return options.journal_path;
  return journal::DefaultPath(identity);
}

Result<Books> OpenBooks(const JobOptions& options, const journal::JobIdentity& identity,
                        const Manifest& manifest, const ReadingPlan& plan) {
  Books books;
  books.rejects_path = options.rejects_path;
  const bool keeps_journal = options.keep_journal && IsResumable(options.rejects_path);
  if (options.keep_journal && !keeps_journal) {
    Tell(options, fmt::format("\"{}\" is no regular file, so no journal is kept: this {} cannot be "
                              "resumed",
                              options.rejects_path, identity.operation));
  }
  if (keeps_journal) {
    VECLOAD_ASSIGN_OR_RETURN(books.journal_path, JournalPath(options, identity));
    books.rejects_path = RejectsPath(options, books.journal_path);
  }
  VECLOAD_RETURN_IF_ERROR(CheckRejectsPath(books.rejects_path, manifest));
  uint64_t rejects_bytes = 0;
  if (keeps_journal) {
    VECLOAD_ASSIGN_OR_RETURN(
        journal::Opened opened,
        journal::Journal::Open(books.journal_path, identity, WithAbsolutePaths(manifest),
                               {.restart = options.restart,
                                .rejects_path = source::AbsoluteUri(books.rejects_path),
                                .shares = plan.Shares(),
                                .now = Clock::System().WallNow()}));
    if (opened.outcome != journal::Outcome::kNew) Tell(options, opened.message);
    books.journal = std::move(opened.journal);
    rejects_bytes = books.journal->rejects_bytes();
  }
  VECLOAD_ASSIGN_OR_RETURN(books.rejects, RejectsFile::Open(books.rejects_path, rejects_bytes));
  return books;
}

}  // namespace vecload::load

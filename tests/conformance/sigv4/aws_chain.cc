// Shows what vecload's credential chain and S3 access do in the environment it is run in, without
// showing a key:
//
//   aws_chain sign [PROFILE]           signs a fixed request; prints the headers that Sign adds
//   aws_chain list BUCKET/PREFIX [PROFILE]   prints "PATH SIZE" of the files below
//
// A failure is printed to stderr as "code: message", with exit code 1.

#include <cstdio>
#include <string>
#include <string_view>

#include <arrow/filesystem/filesystem.h>

#include "auth/credentials.h"
#include "auth/s3_options.h"

namespace {

using vecload::Result;
using vecload::Status;

Status SignFixedRequest(const std::string& profile) {
  using namespace vecload::auth;
  VECLOAD_ASSIGN_OR_RETURN(const AwsSettings settings, ReadAwsSettings(profile, "", ""));
  VECLOAD_ASSIGN_OR_RETURN(const auto provider, CredentialProvider::FromChain(settings));
  SigningRequest request = {.path = "/ListVectorBuckets", .headers = {{"host", "example.com"}}};
  const PayloadHash hash = Sha256Hex("{}");
  request.payload_hash = {hash.data(), hash.size()};
  const SigningScope scope = {"us-east-1", "s3vectors"};
  const vecload::WallTime now = vecload::WallTime(std::chrono::seconds(1'800'000'000));
  for (const auto& [name, value] : Sign(request, *provider->Current(), scope, now)) {
    std::printf("%s: %s\n", name.c_str(), value.c_str());
  }
  return Status::Ok();
}

Status List(const std::string& path, const std::string& profile) {
  using namespace vecload::auth;
  VECLOAD_ASSIGN_OR_RETURN(const AwsSettings settings, ReadAwsSettings(profile, "", ""));
  VECLOAD_ASSIGN_OR_RETURN(const auto file_system,
                           MakeS3FileSystem(settings, path.substr(0, path.find('/'))));
  arrow::fs::FileSelector selector;
  selector.base_dir = path;
  selector.recursive = true;
  const auto files = file_system->GetFileInfo(selector);
  if (!files.ok()) return Status::Unavailable(files.status().ToString());
  for (const arrow::fs::FileInfo& file : *files) {
    std::printf("%s %lld\n", file.path().c_str(), static_cast<long long>(file.size()));
  }
  return Status::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  Status status = Status::InvalidArgument("usage: aws_chain sign|list ...");
  if (command == "sign") status = SignFixedRequest(argc > 2 ? argv[2] : "");
  if (command == "list" && argc > 2) status = List(argv[2], argc > 3 ? argv[3] : "");
  vecload::auth::ShutdownS3();
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

#pragma once

#include <memory>
#include <string>

#include "auth/credentials.h"
#include "vecload/status.h"

namespace arrow::fs {
class FileSystem;
}

namespace vecload::auth {

// The S3 file system that reads `bucket`, with keys from the same chain as
// CredentialProvider::FromChain and kept fresh by the AWS SDK. Paths are "BUCKET/KEY".
// Endpoint: settings.endpoint_s3, whose scheme decides on TLS. Region: settings.region; where that
// is empty, the bucket's own, asked of S3 (custom endpoint: us-east-1, which servers ignore).
// TLS is verified against CaBundleOf(settings). With `keys` these are signed with, and no others.
// kDenied: no credentials. May block on the network for some seconds.
Result<std::shared_ptr<arrow::fs::FileSystem>> MakeS3FileSystem(const AwsSettings& settings,
                                                                const std::string& bucket,
                                                                const Credentials* keys = nullptr);

// Ends the AWS SDK, which otherwise crashes while the program exits. Call once, after all
// file systems and credential providers are gone; does nothing where S3 was never used.
void ShutdownS3();

}  // namespace vecload::auth

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/credentials.h"
#include "base/clock.h"
#include "client/caller.h"
#include "http/probe.h"
#include "vecload/doctor.h"
#include "vecload/status.h"

// The way to the service: who asks, where, and whether somebody answers.
namespace vecload::doctor {

// "AKIA...7Q2F": enough to know it again.
std::string ShortKeyId(const std::string& access_key);

// What stands in a request beside the operation.
struct Access {
  Result<auth::AwsSettings> settings = Status::Cancelled("not read");
  std::string endpoint_url;                               // empty: there is none
  std::shared_ptr<auth::CredentialProvider> credentials;  // null: there are none
};

// Both fill `access`.
Check CheckRegion(const ClientOptions& options, Access* access);
// `left_behind` is set where they are late.
Check CheckCredentials(const ClientOptions& options, Duration limit, Access* access,
                       bool* left_behind);

// Of an endpoint that was asked: whether it is there, its certificate, its clock. `endpoint` and
// `now` as of the moment after the answer.
std::vector<Check> ChecksOfEndpoint(const Access& access, const http::Probe& probe, WallTime now);

}  // namespace vecload::doctor

#include <fstream>

#include "auth/credentials.h"
#include "auth/profile_files.h"

namespace vecload::auth {
namespace {

std::string FirstOf(std::initializer_list<std::string> candidates) {
  for (const std::string& candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

bool IsTrue(const std::string& text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

// A setting, and who gave it.
struct Given {
  std::string value;
  std::string origin;
};

// The first that is not empty.
Given FirstGiven(std::initializer_list<Given> candidates) {
  for (const Given& candidate : candidates) {
    if (!candidate.value.empty()) return candidate;
  }
  return {};
}

// "http[s]://HOST[:PORT][/PATH]" without its trailing slash; `origin` says who gave it.
Result<std::string> CheckEndpoint(std::string url, std::string_view origin) {
  if (url.empty()) return url;
  const size_t scheme_end = url.find("://");
  const std::string_view scheme = std::string_view(url).substr(0, std::min(scheme_end, url.size()));
  const bool known = scheme == "http" || scheme == "https";
  if (!known || url.size() == scheme_end + 3 || url[scheme_end + 3] == '/' ||
      url.find_first_of(" \t\n?#@") != std::string::npos) {
    return Status::InvalidArgument("The endpoint from " + std::string(origin) +
                                   " is not http://HOST[:PORT] or https://HOST[:PORT]");
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Status CheckRegion(const std::string& region) {
  for (const char c : region) {
    const bool legal = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!legal) {
      return Status::InvalidArgument("Region \"" + region +
                                     "\" is not one like us-east-1: see --region, AWS_REGION, "
                                     "AWS_DEFAULT_REGION, and region in the AWS profile");
    }
  }
  return Status::Ok();
}

// The precedence that AWS documents for one service: its own variable, the one for all services,
// the profile's [services] section, the profile.
Result<Given> ConfiguredEndpoint(const char* variable, const std::string& service,
                                 const ProfileFiles& files, const IniSection& profile) {
  const auto checked = [](const std::string& url, const std::string& origin) -> Result<Given> {
    VECLOAD_ASSIGN_OR_RETURN(std::string value, CheckEndpoint(url, origin));
    return Given{value, value.empty() ? "" : origin};
  };
  if (IsTrue(EnvironmentVariable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
      IsTrue(ValueOf(profile, "ignore_configured_endpoint_urls"))) {
    return Given();
  }
  for (const char* name : {variable, "AWS_ENDPOINT_URL"}) {
    const std::string url = EnvironmentVariable(name);
    if (!url.empty()) return checked(url, name);
  }
  const std::string& services_name = ValueOf(profile, "services");
  if (!services_name.empty()) {
    const IniSection* services = files.FindServices(services_name);
    if (services == nullptr) {
      return Status::InvalidArgument("The AWS profile names [services " + services_name +
                                     "], which is not in " + files.where());
    }
    const std::string& url = ValueOf(*services, service + ".endpoint_url");
    if (!url.empty()) return checked(url, "[services " + services_name + "]");
  }
  return checked(ValueOf(profile, "endpoint_url"), "endpoint_url in the AWS profile");
}

Status CheckReadable(const std::string& path) {
  if (path.empty() || std::ifstream(path).good()) return Status::Ok();
  return Status::InvalidArgument("CA bundle " + path +
                                 " cannot be read: see AWS_CA_BUNDLE, and ca_bundle in the AWS "
                                 "profile");
}

}  // namespace

Result<AwsSettings> ReadAwsSettings(const std::string& profile, const std::string& region,
                                    const std::string& endpoint_url) {
  VECLOAD_ASSIGN_OR_RETURN(const ProfileFiles files, ProfileFiles::Read());
  AwsSettings settings;
  settings.profile_is_argument = !profile.empty();
  const std::string named = FirstOf(
      {profile, EnvironmentVariable("AWS_PROFILE"), EnvironmentVariable("AWS_DEFAULT_PROFILE")});
  settings.profile = FirstOf({named, "default"});
  const IniSection none;
  const IniSection* section = files.FindProfile(settings.profile);
  if (section == nullptr) {
    if (settings.profile != "default") {
      return Status::InvalidArgument("AWS profile \"" + named + "\" does not exist in " +
                                     files.where());
    }
    section = &none;
  }
  const Given found_region =
      FirstGiven({{region, "--region"},
                  {EnvironmentVariable("AWS_REGION"), "AWS_REGION"},
                  {EnvironmentVariable("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"},
                  {ValueOf(*section, "region"), "region in the AWS profile"}});
  settings.region = found_region.value;
  settings.region_origin = found_region.origin;
  VECLOAD_RETURN_IF_ERROR(CheckRegion(settings.region));
  settings.ca_bundle =
      FirstOf({EnvironmentVariable("AWS_CA_BUNDLE"), ValueOf(*section, "ca_bundle")});
  VECLOAD_RETURN_IF_ERROR(CheckReadable(settings.ca_bundle));
  if (endpoint_url.empty()) {
    VECLOAD_ASSIGN_OR_RETURN(Given found, ConfiguredEndpoint("AWS_ENDPOINT_URL_S3VECTORS",
                                                             "s3vectors", files, *section));
    settings.endpoint_s3vectors = std::move(found.value);
    settings.endpoint_s3vectors_origin = std::move(found.origin);
  } else {
    settings.endpoint_s3vectors_origin = "--endpoint-url";
    VECLOAD_ASSIGN_OR_RETURN(settings.endpoint_s3vectors,
                             CheckEndpoint(endpoint_url, "--endpoint-url"));
  }
  VECLOAD_ASSIGN_OR_RETURN(Given s3,
                           ConfiguredEndpoint("AWS_ENDPOINT_URL_S3", "s3", files, *section));
  settings.endpoint_s3 = std::move(s3.value);
  return settings;
}

std::string SystemCaBundle(const std::string& root) {
  // Debian and Alpine, RHEL and Fedora, openSUSE, BSD and macOS: the places that Go's crypto/x509
  // knows too.
  for (const char* place :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem"}) {
    if (std::string path = root + place; std::ifstream(path).good()) return path;
  }
  return {};
}

std::string CaBundleOf(const AwsSettings& settings) {
  return settings.ca_bundle.empty() ? SystemCaBundle() : settings.ca_bundle;
}

}  // namespace vecload::auth

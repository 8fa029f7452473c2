#include "auth/credentials.h"

#include <utility>

#include "auth/key_source.h"
#include "auth/renewing_provider.h"
#include "auth/sdk_chain.h"

namespace vecload::auth {
namespace {

class FixedProvider : public CredentialProvider {
 public:
  explicit FixedProvider(Credentials credentials)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))) {}

  [[nodiscard]] std::shared_ptr<const Credentials> Current() const override { return credentials_; }
  Status Refresh() override {
    return Status::Denied(
        "AWS keys from the environment cannot be renewed by vecload: set new ones and start "
        "again, or use a profile with credential_process");
  }

 private:
  std::shared_ptr<const Credentials> credentials_;
};

// Reads the profile's keys from the files again, where tools for temporary keys put new ones.
ReadKeys ProfileReader(const AwsSettings& settings) {
  return [settings]() -> Result<Credentials> {
    VECLOAD_ASSIGN_OR_RETURN(KeySource source, ChooseKeySource(settings));
    if (source.kind != KeySource::Kind::kProfile) {
      return Status::Denied("AWS profile \"" + settings.profile + "\" has no keys any more");
    }
    return std::move(source.credentials);
  };
}

}  // namespace

Result<std::shared_ptr<CredentialProvider>> CredentialProvider::FromChain(
    const AwsSettings& settings) {
  VECLOAD_ASSIGN_OR_RETURN(KeySource source, ChooseKeySource(settings));
  if (source.kind == KeySource::Kind::kEnvironment) {
    return FromKeys(std::move(source.credentials));
  }
  if (source.kind == KeySource::Kind::kProfile) {
    return RenewingProvider::Start(ProfileReader(settings), {});
  }
  VECLOAD_ASSIGN_OR_RETURN(ReadKeys read, OpenSdkChain(settings, source));
  return RenewingProvider::Start(std::move(read), {});
}

std::shared_ptr<CredentialProvider> CredentialProvider::FromKeys(Credentials credentials) {
  return std::make_shared<FixedProvider>(std::move(credentials));
}

Result<std::shared_ptr<CredentialProvider>> CredentialProvider::FromSource(AwsKeysCallback read) {
  return RenewingProvider::Start(
      [read = std::move(read)]() -> Result<Credentials> {
        VECLOAD_ASSIGN_OR_RETURN(AwsKeys keys, read());
        return Credentials{.access_key = std::move(keys.access_key),
                           .secret_key = std::move(keys.secret_key),
                           .session_token = std::move(keys.session_token)};
      },
      {});
}

}  // namespace vecload::auth

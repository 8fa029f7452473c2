#pragma once

#include <functional>
#include <memory>

#include "auth/credentials.h"
#include "base/clock.h"

namespace vecload::auth {

// One reading of the keys. It may block, and it may be torn: its parts may be of two different
// sets, where the keys change while it is under way.
using ReadKeys = std::function<Result<Credentials>()>;

// Reads until two readings in a row agree. Where each set has an access key of its own, that one
// is whole: had the keys changed within the first reading or between the two, the second would
// have begun with another access key. kUnavailable after 8 readings without two that agree.
Result<Credentials> ReadAgreeing(const ReadKeys& read);

struct RenewalOptions {
  Duration period = std::chrono::minutes(1);
  // How long Start and Refresh wait for a reading. A reading cannot be stopped from outside (an
  // endless credential_process), so a late one is left behind and its result dropped.
  Duration reading_max = std::chrono::seconds(20);
  // A reading that fails although there were keys before is tried again after this long, 10 times:
  // whoever replaces a file of keys may have emptied it and not yet written.
  Duration retry_pause = std::chrono::milliseconds(100);
  // How long the destructor waits for a reading under way before it leaves it behind.
  Duration ending_max = std::chrono::seconds(2);
};

// Reads on a thread of its own, every period and on Refresh. A failed reading leaves the keys as
// they are: the service is the judge of whether they still serve.
class RenewingProvider : public CredentialProvider {
 public:
  // Returns once the first reading was accepted, or its failure.
  static Result<std::shared_ptr<CredentialProvider>> Start(ReadKeys read, RenewalOptions options);
  ~RenewingProvider() override;

  [[nodiscard]] std::shared_ptr<const Credentials> Current() const override;
  Status Refresh() override;

 private:
  struct State;
  explicit RenewingProvider(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;  // shared with the thread, which may outlive the provider
};

}  // namespace vecload::auth

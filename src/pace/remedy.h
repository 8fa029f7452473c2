#pragma once

#include <string_view>

#include "vecload/status.h"

namespace vecload::pace {

// What to do after an attempt of PutVectors.
enum class Remedy {
  kDone,                // acknowledged
  kRetry,               // again after a backoff
  kRetrySlower,         // the same, and the pace gives way
  kRejectNamed,         // the answer names records: reject those, send the others again
  kHalve,               // a record is bad, nobody says which: divide until it is alone
  kRefreshCredentials,  // the token expired: new keys, then again
  kMendClock,           // our clock is off: sign by the service's, then again
  kStop,                // nothing that repetition could mend
};

std::string_view RemedyName(Remedy remedy);

struct Attempt {
  bool names_records = false;  // the answer's fieldList names records of the batch
  bool refreshed = false;      // keys were already refreshed for this batch
  bool clock_mended = false;   // the clock was already mended for this batch
};

// The one table of failures: by the service's error code first, then by HTTP status; a failure
// without an answer (connection, DNS, time-out, cut reply) is worth another try.
Remedy DecideRemedy(const Status& status, const Attempt& attempt);

}  // namespace vecload::pace

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "doctor/access.h"
#include "vecload/client.h"
#include "vecload/doctor.h"
#include "vecload/record.h"

// What the keys may do, and where the vectors will go.
namespace vecload::doctor {

// A client that gives each call up after some seconds.
std::unique_ptr<Client> OpenImpatient(const Access& access, Duration call_max);

// Of calls that change nothing. Without an index: whether the keys are taken at all. The index's
// first shard is left in `index` where there is one.
std::vector<Check> ChecksOfService(Client* client, const std::optional<IndexName>& name,
                                   std::optional<IndexInfo>* index);

}  // namespace vecload::doctor

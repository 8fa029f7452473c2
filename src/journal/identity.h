#pragma once

#include <string>
#include <vector>

#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::journal {

// An index deleted and made again has the same ARN and another creation time.
struct IndexIdentity {
  std::string arn;
  double creation_time_s = 0;
};

// One thing in which two jobs can differ, as text.
struct IdentityField {
  std::string name;
  std::string value;
  bool creation_time = false;
  bool may_be_new = false;  // a job that was begun without it is the same job
};

// What makes a job this job and no other, besides its files.
struct JobIdentity {
  std::string operation = "load";  // or "delete"
  std::string endpoint_url;
  std::vector<IndexIdentity> indexes;  // one a shard, in the order of the shards
  ColumnMapping mapping;
  std::string shard_scheme;  // how a row finds its shard; empty with one index
  // With --shard-by the value of each shard, and the base in the form of an ARN; else empty. More
  // values may be added behind those that the journal has.
  std::vector<std::string> shard_values;
  std::string base_arn;
  std::string on_duplicate;  // which row of a key is loaded; empty: none is chosen
  uint32_t part = 1;         // --part I/N, from 1
  uint32_t parts = 1;

  [[nodiscard]] std::vector<IdentityField> Fields() const;
};

// How a job differs from the one that a journal holds.
struct IdentityDifference {
  std::vector<std::string> other_job;   // "endpoint (journal: a, this load: b)"
  std::vector<std::string> made_again;  // the indexes whose creation time alone differs
  std::vector<IdentityField> added;     // shards of values that the journal does not have yet
};
IdentityDifference Compare(const std::vector<IdentityField>& stored,
                           const std::vector<IdentityField>& now, const JobIdentity& identity);

// The shards that a job with --shard-by has by its journal's fields, in their order, so that it
// goes on with their numbers. None of another job.
struct ValueShard {
  std::string value;
  double creation_time_s = 0;  // of its index
};
std::vector<ValueShard> ValueShardsOf(const std::vector<IdentityField>& fields);

// Where the journal of a job is kept unless the user says where: STATE/vecload/HASH.journal, STATE
// being $XDG_STATE_HOME or ~/.local/state. Creation times are not in the hash, so that the journal
// of an index that was deleted and made again is found, nor are the values of shards, to which more
// may be added. Makes the folder, for the user alone.
// kIo: it cannot be made; kInvalidArgument: there is no home to keep it in.
Result<std::string> DefaultPath(const JobIdentity& identity);

}  // namespace vecload::journal

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "server/throttle.h"
#include "store/store.h"
#include "wire/errors.h"
#include "wire/messages.h"

namespace vecload::server {

// What an operation answers: the body of a success, or the error.
using Answer = std::variant<std::string, wire::WireError>;

// What every operation works on. Thread-safe.
class Service {
 public:
  struct Parts {
    std::string region;
    std::shared_ptr<store::Store> store;
    std::shared_ptr<Throttle> throttle;
    std::shared_ptr<std::atomic<uint64_t>> vectors_put = std::make_shared<std::atomic<uint64_t>>(0);
  };
  explicit Service(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] store::Store& store() const { return *parts_.store; }
  [[nodiscard]] Throttle& throttle() const { return *parts_.throttle; }
  // Vectors that were put since the start.
  [[nodiscard]] std::atomic<uint64_t>& vectors_put() const { return *parts_.vectors_put; }
  [[nodiscard]] std::string BucketArn(const std::string& bucket) const;
  [[nodiscard]] std::string IndexArn(const IndexName& index) const;
  // Whether the target is on this server: one given by ARN may name another region or account.
  [[nodiscard]] bool IsHere(const wire::BucketTarget& bucket) const;
  [[nodiscard]] bool IsHere(const wire::IndexTarget& index) const;
  [[nodiscard]] bool IsHere(const wire::ResourceTarget& resource) const;
  // The index's vectors; kNotFound where there is none, or not here.
  [[nodiscard]] Result<std::shared_ptr<store::Index>> Find(const wire::IndexTarget& index) const;

 private:
  Parts parts_;
};

// Errors in the live service's words.
wire::WireError BucketNotFound();
wire::WireError IndexNotFound();
wire::WireError NotFound(const wire::ResourceTarget& resource);
wire::WireError Conflict(std::string message);
wire::WireError TooManyRequests();
wire::WireError InvalidToken();
// What is wrong with record `number` of a PutVectors request; `member` is "data" or "metadata".
wire::WireError InvalidRecord(size_t number, const wire::PutVectorsRequest::Entry& entry,
                              std::string_view member, const std::string& rule);
// The error for a failed call of the store: `not_found` for kNotFound; for a change that was
// refused (kConflict, kInvalidArgument) and for kQuota the message as it stands; else an internal
// error.
wire::WireError Failure(const Status& status, wire::WireError not_found);

}  // namespace vecload::server

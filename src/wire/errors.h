#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vecload/status.h"

namespace vecload::wire {

struct FieldError {
  std::string path;  // As the service writes it: "vectors[3].metadata" or "/vectors/3/key".
  std::string message;
};

// An error as it stands on the wire: x-amzn-ErrorType and {"message":…,"fieldList":[…]}.
struct WireError {
  int http_status = 0;
  std::string aws_code;
  std::string message;
  std::vector<FieldError> fields;
};

// An error of the service's model with the status that belongs to `aws_code` (400 if unknown).
WireError MakeError(std::string_view aws_code, std::string message);
// A ValidationException; `path` (where not empty) names the member in the field list.
WireError ValidationError(std::string message, std::string path = {});
// What the live service answers to JSON that it cannot read: 400 SerializationException.
WireError SerializationError(std::string message = "UnknownError");

// The body of an error reply; its code goes into the header x-amzn-ErrorType.
std::string EncodeError(const WireError& error);

// Reads an error reply: the code from the header's value (empty: from the body's __type or code),
// tolerant of bodies that are no JSON. `http_status` is as received.
WireError DecodeError(int http_status, std::string_view error_type_header, std::string_view body);

// The one place where service errors become codes (design: by aws_code first, then by status).
Status ToStatus(const WireError& error, std::string_view operation, std::string_view request_id);

// The numbers of the records that the fields name ("vectors[3].metadata", "/vectors/3/key",
// "/keys/3" -> 3), each once, ascending; empty where they name none.
std::vector<size_t> NamedRecords(const std::vector<FieldError>& fields);

}  // namespace vecload::wire

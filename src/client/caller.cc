#include "client/caller.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/random.h"
#include "vecload/version.h"

namespace vecload::client {
namespace {

// SigV4 accepts 5 minutes; a signature refused at less than this was not refused for its time.
constexpr Duration kSkewMin = std::chrono::minutes(4);
// No service asks for more; a larger Retry-After is a broken proxy's.
constexpr double kRetryAfterSecondsMax = 3600;

// Twenty times a slow answer's time; and no longer than the tries of a blocking call may take, so
// that a silent endpoint is told before a load begins as soon as one that is not there.
constexpr Duration kStallTimeout = std::chrono::seconds(30);

constexpr std::string_view kContentType = "application/json";

struct Endpoint {
  std::string authority;
  std::string path;
};

Result<Endpoint> ParseEndpoint(std::string_view url) {
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    rest = {};
  }
  const size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (authority.empty() || url.find_first_of(" \t\r\n?#@\\\"") != url.npos) {
    // A URL with user and password must not be repeated.
    const std::string_view shown = url.substr(url.rfind('@') + 1);
    return Status::InvalidArgument("the endpoint \"" + std::string(shown) +
                                   "\" is no http:// or https:// URL of a host; check "
                                   "--endpoint-url and AWS_ENDPOINT_URL_S3VECTORS");
  }
  return Endpoint{std::string(authority),
                  slash == rest.npos ? std::string() : std::string(rest.substr(slash))};
}

uint64_t AnySeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

// A version 4 UUID: lets AWS tell the tries of one call from calls of their own.
std::string Uuid(Random* random) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 2; ++i) {
    uint64_t bits = random->Next();
    for (int digit = 0; digit < 16; ++digit, bits >>= 4) {
      if (i == 0 ? digit == 8 || digit == 12 : digit == 0 || digit == 4) text += '-';
      const bool version = i == 0 && digit == 12;
      const bool variant = i == 1 && digit == 0;
      text += version ? '4' : kHex[variant ? 8 | (bits & 3) : bits & 15];
    }
  }
  return text;
}

bool SaysClockIsOff(std::string_view aws_code) {
  return aws_code == "RequestTimeTooSkewed" || aws_code == "RequestExpired" ||
         aws_code == "RequestInTheFuture";
}

// Most services say only that the signature is wrong when its time was.
bool MayMeanClockIsOff(std::string_view aws_code) {
  return aws_code == "InvalidSignatureException" || aws_code == "SignatureDoesNotMatch" ||
         aws_code == "AuthFailure";
}

Duration RetryAfter(const http::Headers& headers) {
  const std::string_view text = http::FindHeader(headers, "retry-after");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    return seconds > 0 ? FromSeconds(std::min(seconds, kRetryAfterSecondsMax)) : Duration{};
  }
  const auto until = ParseHttpDate(text);
  const auto now = ParseHttpDate(http::FindHeader(headers, "date"));
  if (!until.ok() || !now.ok() || *until <= *now) return Duration{};
  return std::min<Duration>(*until - *now, FromSeconds(kRetryAfterSecondsMax));
}

// A login page of a network or half a document must not pass for an acknowledgement. Whether what
// stands between the braces is right is for the decoder of the reply, where there is one; an empty
// body is how some servers say {}.
bool MayBeJsonObject(std::string_view body) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = body.find_first_not_of(kSpace);
  if (first == body.npos) return body.empty();
  const size_t last = body.find_last_not_of(kSpace);
  return body[first] == '{' && body[last] == '}' && first < last;
}

std::string_view RequestId(const http::Headers& headers) {
  const std::string_view id = http::FindHeader(headers, "x-amzn-requestid");
  return id.empty() ? http::FindHeader(headers, "x-amz-request-id") : id;
}

// Keys that the options' own source gives, or else the AWS chain of the settings.
Result<std::shared_ptr<auth::CredentialProvider>> FindCredentials(
    const ClientOptions& options, const auth::AwsSettings& settings) {
  if (!options.keys) return auth::CredentialProvider::FromChain(settings);
  return auth::CredentialProvider::FromSource(options.keys);
}

}  // namespace

struct Caller::Shared {
  std::string endpoint_url;
  Clock* clock = nullptr;
  std::atomic<int64_t> offset_ns{0};  // of the service's clock from ours
  std::mutex mutex;
  Random random{AnySeed()};  // guarded by mutex

  [[nodiscard]] WallTime Now() const { return clock->WallNow() + Duration(offset_ns.load()); }
  std::string NewUuid() {
    const std::lock_guard lock(mutex);
    return Uuid(&random);
  }
  Outcome Read(Result<http::Reply> reply, const std::string& label, WallTime signed_at);

 private:
  Status Refusal(const http::Reply& reply, wire::WireError error, const std::string& label,
                 WallTime signed_at);
};

Outcome Caller::Shared::Read(Result<http::Reply> reply, const std::string& label,
                             WallTime signed_at) {
  Outcome outcome;
  if (!reply.ok()) {
    const Status& failure = reply.status();
    outcome.status = failure.WithContext(label);
    if (failure.code() == Code::kUnavailable) {
      outcome.status =
          Status(Code::kUnavailable, outcome.status.message() + "; check that " + endpoint_url +
                                         " is the endpoint (--endpoint-url, --region) and can be "
                                         "reached from here");
    }
    return outcome;
  }
  if (reply->status >= 200 && reply->status < 300) {
    if (!MayBeJsonObject(reply->body)) {
      outcome.status = Status::Unavailable(
          label + ": the reply is no JSON, so something other than the service answered; check " +
          endpoint_url + " and any proxy on the way there");
      return outcome;
    }
    outcome.body = std::move(reply->body);
    return outcome;
  }
  wire::WireError error = wire::DecodeError(
      reply->status, http::FindHeader(reply->headers, "x-amzn-errortype"), reply->body);
  outcome.named_records = wire::NamedRecords(error.fields);
  outcome.retry_after = RetryAfter(reply->headers);
  outcome.status = Refusal(*reply, std::move(error), label, signed_at);
  return outcome;
}

Status Caller::Shared::Refusal(const http::Reply& reply, wire::WireError error,
                               const std::string& label, WallTime signed_at) {
  const auto date = ParseHttpDate(http::FindHeader(reply.headers, "date"));
  if (date.ok()) {
    const Duration off = *date - signed_at;
    const bool far_off = off > kSkewMin || off < -kSkewMin;
    // Under the name that says what is wrong, so that the one table of remedies knows it.
    if (MayMeanClockIsOff(error.aws_code) && far_off) error.aws_code = "RequestTimeTooSkewed";
    if (SaysClockIsOff(error.aws_code)) {
      offset_ns = (*date - clock->WallNow()).count();
      error.message += " (this machine's clock differs from the service's by " +
                       std::to_string(static_cast<int64_t>(Seconds(Duration(offset_ns.load())))) +
                       " s)";
    }
  }
  return wire::ToStatus(error, label, RequestId(reply.headers));
}

Result<std::shared_ptr<Caller>> Caller::Open(const ClientOptions& options, size_t connections_max) {
  VECLOAD_ASSIGN_OR_RETURN(
      const auth::AwsSettings settings,
      auth::ReadAwsSettings(options.profile, options.region, options.endpoint_url));
  if (settings.region.empty()) {
    return Status::InvalidArgument(
        "no AWS region is set; give --region, set AWS_REGION, or set "
        "region in profile \"" +
        settings.profile + "\"");
  }
  std::string endpoint_url = settings.endpoint_s3vectors;
  if (endpoint_url.empty()) {
    VECLOAD_ASSIGN_OR_RETURN(endpoint_url, DefaultEndpoint(settings.region));
  }
  while (endpoint_url.ends_with('/')) endpoint_url.pop_back();
  VECLOAD_RETURN_IF_ERROR(ParseEndpoint(endpoint_url).status());
  VECLOAD_ASSIGN_OR_RETURN(auto credentials, FindCredentials(options, settings));
  VECLOAD_ASSIGN_OR_RETURN(std::shared_ptr<http::Transport> transport,
                           http::MakeCurlTransport({.ca_bundle = auth::CaBundleOf(settings),
                                                    .stall_timeout = kStallTimeout,
                                                    .connections_max = connections_max}));
  return std::make_shared<Caller>(Parts{.endpoint_url = std::move(endpoint_url),
                                        .region = settings.region,
                                        .credentials = std::move(credentials),
                                        .transport = std::move(transport),
                                        .clock = &Clock::System()});
}

Caller::Caller(Parts parts) : parts_(std::move(parts)), shared_(std::make_shared<Shared>()) {
  CHECK(parts_.credentials != nullptr && parts_.transport != nullptr && parts_.clock != nullptr);
  // An endpoint that is no URL gives an empty host here and a failure of each call; Open refuses
  // it beforehand.
  if (auto endpoint = ParseEndpoint(parts_.endpoint_url); endpoint.ok()) {
    authority_ = std::move(endpoint->authority);
    path_prefix_ = std::move(endpoint->path);
  }
  shared_->endpoint_url = parts_.endpoint_url;
  shared_->clock = parts_.clock;
}

http::Headers Caller::SignedHeaders(std::string_view method, std::string_view path,
                                    const auth::PayloadHash& payload_hash, WallTime now) const {
  http::Headers headers = {{"content-type", std::string(kContentType)}, {"host", authority_}};
  const std::shared_ptr<const auth::Credentials> keys = parts_.credentials->Current();
  auto added = auth::Sign({.method = method,
                           .path = path,
                           .headers = headers,
                           .payload_hash = {payload_hash.data(), payload_hash.size()}},
                          *keys, {.region = parts_.region}, now);
  std::ranges::move(added, std::back_inserter(headers));
  return headers;
}

void Caller::Start(const Operation& operation, std::string_view body,
                   const auth::PayloadHash& payload_hash, std::shared_ptr<const void> owner,
                   std::function<void(Outcome)> done, std::string_view subject) {
  const std::string path =
      operation.path.empty() ? "/" + std::string(operation.name) : operation.path;
  std::string label(operation.name);
  if (!subject.empty()) label += " \"" + std::string(subject) + "\"";
  const WallTime signed_at = shared_->Now();
  http::Request request;
  request.method = operation.method;
  request.url = parts_.endpoint_url + path;
  request.headers = SignedHeaders(operation.method, path_prefix_ + path, payload_hash, signed_at);
  request.headers.emplace_back("user-agent", std::string("vecload/") + kVersion);
  request.headers.emplace_back("amz-sdk-invocation-id", shared_->NewUuid());
  request.headers.emplace_back("amz-sdk-request", "attempt=1");
  request.body = body;
  request.body_owner = std::move(owner);
  const TimePoint sent_at = parts_.clock->Now();
  parts_.transport->Send(std::move(request),
                         [shared = shared_, label = std::move(label), signed_at, sent_at,
                          done = std::move(done)](Result<http::Reply> reply) {
                           const Duration latency = shared->clock->Now() - sent_at;
                           Outcome outcome = shared->Read(std::move(reply), label, signed_at);
                           outcome.latency = latency;
                           done(std::move(outcome));
                         });
}

Outcome Caller::Call(const Operation& operation, std::string body, std::string_view subject) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable answered;
    std::optional<Outcome> outcome;
  };
  // Shared, since the notifying thread may still be inside notify_one when the waiter has left.
  const auto waiting = std::make_shared<Waiting>();
  const auto owner = std::make_shared<const std::string>(std::move(body));
  Start(
      operation, *owner, auth::Sha256Hex(*owner), owner,
      [waiting](Outcome outcome) {
        {
          const std::lock_guard lock(waiting->mutex);
          waiting->outcome = std::move(outcome);
        }
        waiting->answered.notify_one();
      },
      subject);
  std::unique_lock lock(waiting->mutex);
  waiting->answered.wait(lock, [&] { return waiting->outcome.has_value(); });
  return *std::move(waiting->outcome);
}

Result<std::string> DefaultEndpoint(std::string_view region) {
  const bool plain = !region.empty() && std::ranges::all_of(region, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!plain) {
    return Status::InvalidArgument("\"" + std::string(region) +
                                   "\" is no AWS region; check --region and AWS_REGION");
  }
  const std::string_view suffix =
      region.starts_with("cn-") ? "api.amazonwebservices.com.cn" : "api.aws";
  return "https://s3vectors." + std::string(region) + "." + std::string(suffix);
}

Result<WallTime> ParseHttpDate(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Status refusal =
      Status::InvalidArgument("\"" + std::string(text.substr(0, 64)) + "\" is no HTTP date");
  // "Tue, 24 Nov 2026 23:15:00 GMT": fixed places.
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
      text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return refusal;
  }
  bool digits = true;
  const auto number = [&](size_t begin, size_t length) {
    int value = 0;
    for (const char c : text.substr(begin, length)) {
      digits = digits && c >= '0' && c <= '9';
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const auto* const month = std::ranges::find(kMonths, text.substr(8, 3));
  const int day = number(5, 2);
  const int year = number(12, 4);
  const int hour = number(17, 2);
  const int minute = number(20, 2);
  const int second = number(23, 2);
  const std::chrono::year_month_day date{
      std::chrono::year(year),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(day))};
  // Nanoseconds in 64 bits end in 2262.
  if (!digits || month == kMonths.end() || !date.ok() || year < 1970 || year > 2200 || hour > 23 ||
      minute > 59 || second > 60) {
    return refusal;
  }
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second));
}

}  // namespace vecload::client

// A server that answers "{}" at once to every POST and throws the bodies away without copying
// them: the measuring stick for what the client costs. To /GetIndex it answers an index of the
// name asked for, so that the loader takes it for S3 Vectors, and with --shards N the tags of a
// base that is divided into N. One thread, epoll. Loopback only.
//
// --count-vectors reads the bodies and counts their vectors. --rate-vectors and --latency-ms make a
// model of the service: each index takes so many vectors a second, with a burst of one second, and
// 429 is the answer above it; every answer takes so long, or between so long and so long.
//
// Ends on SIGTERM or SIGINT and prints {"requests":N,"body_bytes":N,"connections":N,"vectors":N,
// "throttled":N}: vectors are those of requests that were not throttled; 0 if bodies are not read.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "null_service.h"
#include "null_tls.h"

namespace {

using null_service::BodyReader;
using null_service::IndexName;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kUsage =
    "usage: null_server [--port N] [--port-file F] [--dimension D] [--count-vectors]\n"
    "                   [--latency-ms L | --latency-ms FROM:TO] [--rate-vectors N]\n"
    "                   [--shards N] [--tls-cert PEM --tls-key PEM]\n";

// A head is a few hundred bytes; the rest of the buffer takes small bodies in the same call.
constexpr size_t kHeadBytesMax = 16 << 10;
// What one recv discards: with MSG_TRUNC the kernel drops the bytes, nothing is copied.
constexpr size_t kDiscardBytes = 16 << 20;
// What one recv takes of a body that is read; fits into the second-level cache.
constexpr size_t kReadBytes = 256 << 10;

struct Options {
  int port = 0;
  std::string port_file;
  int latency_ms_min = 0;
  int latency_ms_max = 0;
  int dimension = 1024;
  int rate_vectors = 0;  // 0: unlimited
  int shards = 1;
  bool count_vectors = false;
  std::string tls_certificate;
  std::string tls_key;
};

struct Connection {
  int fd = -1;
  uint64_t id = 0;         // tells it from a later one on the same descriptor
  std::string head{};      // received, up to and beyond the head's end
  uint64_t body_left = 0;  // of the request under way
  bool in_body = false;
  bool wants_index = false;
  bool wants_tags = false;
  BodyReader body{};
  std::unique_ptr<null_service::TlsSession> tls{};
};

struct Answer {
  SteadyClock::time_point due;
  int fd;
  uint64_t id;
  std::string reply;

  // The earliest is a priority_queue's greatest.
  bool operator<(const Answer& other) const { return due > other.due; }
};

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "null_server: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

std::string HttpReply(const std::string& status, const std::string& headers,
                      const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nx-amzn-RequestId: null\r\n" +
         headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class NullServer {
 public:
  explicit NullServer(const Options& options)
      : options_(options),
        // A limit needs the count; under TLS every byte is read anyway.
        reads_bodies_(options.count_vectors || options.rate_vectors > 0 ||
                      !options.tls_certificate.empty()),
        limits_(options.rate_vectors),
        latency_ms_(options.latency_ms_min, options.latency_ms_max) {
    if (!options.tls_certificate.empty()) tls_.emplace(options.tls_certificate, options.tls_key);
  }

  void Run() {
    Listen();
    std::vector<epoll_event> events(256);
    for (;;) {
      const int count =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), NextTimeoutMs());
      if (count < 0 && errno != EINTR) Die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == signals_) return Report();
        if (fd == listener_) {
          Accept();
        } else if (const auto found = connections_.find(fd); found != connections_.end()) {
          if (!Receive(found->second)) Close(found->second);
        }
      }
      SendDue();
    }
  }

 private:
  void Watch(int fd) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) Die("epoll_ctl");
  }

  void Listen() {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    signals_ = signalfd(-1, &mask, SFD_CLOEXEC);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        listen(listener_, 1024) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      Die("cannot listen on 127.0.0.1:" + std::to_string(options_.port));
    }
    Watch(signals_);
    Watch(listener_);
    const int port = ntohs(address.sin_port);
    if (!options_.port_file.empty()) WritePortFile(port);
    std::printf("listening on %s://127.0.0.1:%d\n", tls_ ? "https" : "http", port);
    std::fflush(stdout);
  }

  // Renamed into place: who sees the file sees a whole number.
  void WritePortFile(int port) const {
    const std::string unfinished = options_.port_file + ".new";
    std::FILE* file = std::fopen(unfinished.c_str(), "w");
    if (file == nullptr || std::fprintf(file, "%d\n", port) < 0 || std::fclose(file) != 0 ||
        std::rename(unfinished.c_str(), options_.port_file.c_str()) != 0) {
      Die("cannot write " + options_.port_file);
    }
  }

  void Accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    Watch(fd);
    ++accepted_;
    Connection& connection = connections_[fd];
    connection.fd = fd;
    connection.id = accepted_;
    if (tls_) connection.tls = tls_->Accept(fd);
  }

  // The caller's reference is gone afterwards.
  void Close(const Connection& connection) {
    const int fd = connection.fd;
    connections_.erase(fd);
    close(fd);
  }

  static ssize_t ReceiveBytes(Connection& connection, char* buffer, size_t size) {
    return connection.tls ? connection.tls->Receive(buffer, size)
                          : recv(connection.fd, buffer, size, 0);
  }

  // False when the connection is over.
  bool Receive(Connection& connection) {
    for (;;) {
      ssize_t received = 0;
      if (!connection.in_body) {
        char buffer[kHeadBytesMax];
        received = ReceiveBytes(connection, buffer, sizeof buffer);
        if (received > 0) connection.head.append(buffer, static_cast<size_t>(received));
        if (received > 0 && !TakeHeads(connection)) return false;
      } else if (reads_bodies_ || connection.wants_index) {
        received = ReceiveBytes(connection, buffer_.data(),
                                std::min<uint64_t>(connection.body_left, buffer_.size()));
        if (received > 0) TakeBody(connection, {buffer_.data(), static_cast<size_t>(received)});
      } else {
        received = recv(connection.fd, nullptr,
                        std::min<uint64_t>(connection.body_left, kDiscardBytes), MSG_TRUNC);
        if (received > 0) CountBody(connection, static_cast<uint64_t>(received));
      }
      if (received == 0) return false;
      if (received < 0) return errno == EAGAIN || errno == EINTR;
    }
  }

  void TakeBody(Connection& connection, std::string_view bytes) {
    connection.body.Take(bytes);
    CountBody(connection, bytes.size());
  }

  void CountBody(Connection& connection, uint64_t bytes) {
    body_bytes_ += bytes;
    connection.body_left -= bytes;
    if (connection.body_left == 0) EndRequest(connection);
  }

  // Eats every whole head, and what of its body came along.
  bool TakeHeads(Connection& connection) {
    std::string& head = connection.head;
    while (!connection.in_body) {
      const size_t end = head.find("\r\n\r\n");
      if (end == std::string::npos) return head.size() < kHeadBytesMax;
      connection.wants_index = head.starts_with("POST /GetIndex");
      connection.wants_tags = head.starts_with("GET /tags/");
      connection.body_left = ContentLength(std::string_view(head).substr(0, end + 2));
      connection.body = {};
      connection.in_body = true;
      head.erase(0, end + 4);
      const std::string early = head.substr(0, connection.body_left);
      head.erase(0, early.size());
      TakeBody(connection, early);
    }
    return true;
  }

  static uint64_t ContentLength(std::string_view head) {
    static constexpr std::string_view kName = "\r\ncontent-length:";
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    const auto found = std::search(head.begin(), head.end(), kName.begin(), kName.end(), same);
    if (found == head.end()) return 0;
    return std::strtoull(&*found + kName.size(), nullptr, 10);
  }

  void EndRequest(Connection& connection) {
    ++requests_;
    connection.in_body = false;
    std::string reply = Reply(connection);
    if (options_.latency_ms_max == 0) return Send(connection, reply);
    const auto due = SteadyClock::now() + std::chrono::milliseconds(latency_ms_(random_));
    answers_.push({due, connection.fd, connection.id, std::move(reply)});
  }

  std::string Reply(const Connection& connection) {
    const BodyReader& body = connection.body;
    if (connection.wants_index) return IndexReply(body.Index());
    if (connection.wants_tags) return FirstShardsTags();
    if (options_.rate_vectors > 0 &&
        !limits_.Take(body.Index(), body.vectors(), SteadyClock::now())) {
      ++throttled_;
      return throttled_reply_;
    }
    if (reads_bodies_) vectors_ += body.vectors();
    return empty_reply_;
  }

  [[nodiscard]] std::string IndexReply(const IndexName& name) const {
    return HttpReply("200 OK", "",
                     R"({"index":{"vectorBucketName":")" + name.bucket + R"(","indexName":")" +
                         name.index +
                         R"(","indexArn":"arn:aws:s3vectors:us-east-1:000000000000:bucket/)" +
                         name.bucket + "/index/" + name.index +
                         R"(","creationTime":1700000000,"dataType":"float32","dimension":)" +
                         std::to_string(options_.dimension) +
                         R"(,"distanceMetric":"cosine",)"
                         R"("encryptionConfiguration":{"sseType":"AES256"}}})");
  }

  // Only shard 0 is asked for its tags.
  [[nodiscard]] std::string FirstShardsTags() const {
    return HttpReply("200 OK", "",
                     R"({"tags":{"vecload:shard-scheme":"xxh3-64","vecload:shard":"0",)"
                     R"("vecload:shards":")" +
                         std::to_string(options_.shards) + R"("}})");
  }

  // A few hundred bytes always fit into an idle socket's buffer.
  static void Send(Connection& connection, const std::string& reply) {
    if (connection.tls) {
      (void)connection.tls->Send(reply);
    } else {
      (void)!send(connection.fd, reply.data(), reply.size(), MSG_NOSIGNAL);
    }
  }

  void SendDue() {
    const auto now = SteadyClock::now();
    for (; !answers_.empty() && answers_.top().due <= now; answers_.pop()) {
      const Answer& answer = answers_.top();
      const auto found = connections_.find(answer.fd);
      if (found != connections_.end() && found->second.id == answer.id) {
        Send(found->second, answer.reply);
      }
    }
  }

  [[nodiscard]] int NextTimeoutMs() const {
    if (answers_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(answers_.top().due - SteadyClock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

  void Report() const {
    const auto number = [](uint64_t value) { return std::to_string(value); };
    std::printf("{\"requests\":%s,\"body_bytes\":%s,\"connections\":%s,", number(requests_).c_str(),
                number(body_bytes_).c_str(), number(accepted_).c_str());
    std::printf("\"vectors\":%s,\"throttled\":%s}\n", number(vectors_).c_str(),
                number(throttled_).c_str());
  }

  const Options options_;
  const bool reads_bodies_;
  const std::string empty_reply_ = HttpReply("200 OK", "", "{}");
  const std::string throttled_reply_ =
      HttpReply("429 Too Many Requests", "x-amzn-ErrorType: TooManyRequestsException\r\n",
                R"({"message":"Too many requests, please reduce the request rate"})");
  null_service::IndexLimits limits_;
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same latencies in every run
  std::mt19937 random_{1};
  std::uniform_int_distribution<int> latency_ms_;
  std::optional<null_service::TlsServer> tls_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  int epoll_ = -1;
  int listener_ = -1;
  int signals_ = -1;
  std::unordered_map<int, Connection> connections_;
  std::priority_queue<Answer> answers_;
  uint64_t requests_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t accepted_ = 0;
  uint64_t vectors_ = 0;
  uint64_t throttled_ = 0;
};

int Number(const char* text) {
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (end == text || *end != '\0') {
    std::fprintf(stderr, "null_server: %s is not a number\n", text);
    std::exit(2);
  }
  return static_cast<int>(number);
}

// "L" or "FROM:TO".
void ReadLatency(const std::string& text, Options& options) {
  const size_t colon = text.find(':');
  options.latency_ms_min = Number(text.substr(0, colon).c_str());
  options.latency_ms_max =
      colon == std::string::npos ? options.latency_ms_min : Number(text.substr(colon + 1).c_str());
  if (options.latency_ms_max < options.latency_ms_min) {
    std::fprintf(stderr, "null_server: --latency-ms %s goes backwards\n", text.c_str());
    std::exit(2);
  }
}

// False if there is no such flag, or no value for it.
bool ReadFlag(std::string_view flag, const char* value, Options& options) {
  if (value == nullptr) return false;
  if (flag == "--port") return options.port = Number(value), true;
  if (flag == "--port-file") return options.port_file = value, true;
  if (flag == "--latency-ms") return ReadLatency(value, options), true;
  if (flag == "--dimension") return options.dimension = Number(value), true;
  if (flag == "--rate-vectors") return options.rate_vectors = Number(value), true;
  if (flag == "--shards") return options.shards = Number(value), true;
  if (flag == "--tls-cert") return options.tls_certificate = value, true;
  if (flag == "--tls-key") return options.tls_key = value, true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  // A client that left must not end the server: OpenSSL writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--count-vectors") {
      options.count_vectors = true;
    } else if (ReadFlag(flag, i + 1 < argc ? argv[i + 1] : nullptr, options)) {
      ++i;
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  }
  NullServer(options).Run();
  return 0;
}

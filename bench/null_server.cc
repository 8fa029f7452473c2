// A server that answers "{}" at once to every POST and throws the bodies away without copying
// them: the measuring stick for what the client costs. To /GetIndex it answers an index, so that
// the loader takes it for S3 Vectors. One thread, epoll. Loopback only.
//
// usage: null_server [--port N] [--port-file F] [--latency-ms L] [--dimension D]
// Ends on SIGTERM or SIGINT and prints {"requests":N,"body_bytes":N,"connections":N}.

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
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;

// A head is a few hundred bytes; the rest of the buffer takes small bodies in the same call.
constexpr size_t kHeadBytesMax = 16 << 10;
// What one recv discards: with MSG_TRUNC the kernel drops the bytes, nothing is copied.
constexpr size_t kDiscardBytes = 16 << 20;

struct Options {
  int port = 0;
  std::string port_file;
  int latency_ms = 0;
  int dimension = 1024;
};

struct Connection {
  int fd = -1;
  uint64_t id = 0;         // tells it from a later one on the same descriptor
  std::string head{};      // received, up to and beyond the head's end
  uint64_t body_left = 0;  // of the request under way
  bool in_body = false;
  bool wants_index = false;
};

struct Answer {
  SteadyClock::time_point due;
  int fd;
  uint64_t id;
  bool is_index;
};

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "null_server: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

std::string HttpReply(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: null\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

class NullServer {
 public:
  explicit NullServer(const Options& options) : options_(options) {
    index_reply_ = HttpReply(
        R"({"index":{"vectorBucketName":"null-bucket","indexName":"null-index","indexArn":)"
        R"("arn:aws:s3vectors:us-east-1:000000000000:bucket/null-bucket/index/null-index",)"
        R"("creationTime":1700000000,"dataType":"float32","dimension":)" +
        std::to_string(options.dimension) +
        R"(,"distanceMetric":"cosine","encryptionConfiguration":{"sseType":"AES256"}}})");
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
    std::printf("listening on http://127.0.0.1:%d\n", port);
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
    connections_[fd] = Connection{.fd = fd, .id = accepted_};
  }

  // The caller's reference is gone afterwards.
  void Close(const Connection& connection) {
    const int fd = connection.fd;
    connections_.erase(fd);
    close(fd);
  }

  // False when the connection is over.
  bool Receive(Connection& connection) {
    for (;;) {
      ssize_t received = 0;
      if (connection.in_body) {
        received = recv(connection.fd, nullptr,
                        std::min<uint64_t>(connection.body_left, kDiscardBytes), MSG_TRUNC);
        if (received > 0) TakeBody(connection, static_cast<uint64_t>(received));
      } else {
        char buffer[kHeadBytesMax];
        received = recv(connection.fd, buffer, sizeof buffer, 0);
        if (received > 0) connection.head.append(buffer, static_cast<size_t>(received));
        if (received > 0 && !TakeHeads(connection)) return false;
      }
      if (received == 0) return false;
      if (received < 0) return errno == EAGAIN || errno == EINTR;
    }
  }

  void TakeBody(Connection& connection, uint64_t bytes) {
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
      connection.body_left = ContentLength(std::string_view(head).substr(0, end + 2));
      connection.in_body = true;
      head.erase(0, end + 4);
      const uint64_t early = std::min<uint64_t>(connection.body_left, head.size());
      head.erase(0, early);
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
    if (options_.latency_ms == 0) {
      SendAnswer(connection.fd, connection.wants_index);
    } else {
      answers_.push_back({SteadyClock::now() + std::chrono::milliseconds(options_.latency_ms),
                          connection.fd, connection.id, connection.wants_index});
    }
  }

  // A few hundred bytes always fit into an idle socket's buffer.
  void SendAnswer(int fd, bool is_index) const {
    const std::string& reply = is_index ? index_reply_ : empty_reply_;
    (void)!send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  void SendDue() {
    const auto now = SteadyClock::now();
    for (; !answers_.empty() && answers_.front().due <= now; answers_.pop_front()) {
      const Answer& answer = answers_.front();
      const auto found = connections_.find(answer.fd);
      if (found != connections_.end() && found->second.id == answer.id) {
        SendAnswer(answer.fd, answer.is_index);
      }
    }
  }

  [[nodiscard]] int NextTimeoutMs() const {
    if (answers_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(answers_.front().due - SteadyClock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

  void Report() const {
    std::printf("{\"requests\":%llu,\"body_bytes\":%llu,\"connections\":%llu}\n",
                static_cast<unsigned long long>(requests_),
                static_cast<unsigned long long>(body_bytes_),
                static_cast<unsigned long long>(accepted_));
  }

  const Options options_;
  const std::string empty_reply_ = HttpReply("{}");
  std::string index_reply_;
  int epoll_ = -1;
  int listener_ = -1;
  int signals_ = -1;
  std::unordered_map<int, Connection> connections_;
  std::deque<Answer> answers_;  // the latency is the same for all, so in order of due
  uint64_t requests_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t accepted_ = 0;
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

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (value != nullptr && flag == "--port") {
      options.port = Number(value);
    } else if (value != nullptr && flag == "--port-file") {
      options.port_file = value;
    } else if (value != nullptr && flag == "--latency-ms") {
      options.latency_ms = Number(value);
    } else if (value != nullptr && flag == "--dimension") {
      options.dimension = Number(value);
    } else {
      std::fprintf(stderr,
                   "usage: null_server [--port N] [--port-file F] [--latency-ms L] "
                   "[--dimension D]\n");
      return 2;
    }
  }
  NullServer(options).Run();
  return 0;
}

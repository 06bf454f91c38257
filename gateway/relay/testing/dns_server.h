// A DNS server for tests, over UDP and TCP.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_DNS_SERVER_H_
#define RMAIL_GATEWAY_RELAY_TESTING_DNS_SERVER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "store/base/mutex.h"

namespace rmail::testing {

// Listens on 127.0.0.1, on a port of its own. A name that was never added does not exist. Names are
// in lower case, without a dot at the end. Thread-safe.
class DnsServer {
 public:
  enum class Fault {
    kNone,
    kServerFailure,
    kSilent,
    // Answers over UDP say that they are cut off.
    kTruncated,
  };

  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // "127.0.0.1:12345".
  std::string address() const;

  // "." as the host makes a null MX. `ttl` in seconds.
  void AddMx(const std::string& name, uint16_t preference, const std::string& host,
             uint32_t ttl = 300);
  // IPv4 or IPv6.
  void AddAddress(const std::string& name, const std::string& address, uint32_t ttl = 300);
  void AddAlias(const std::string& name, const std::string& target);
  // A name without records.
  void AddName(const std::string& name);
  void SetFault(const std::string& name, Fault fault);
  // What comes after the header of answers about this name, and is sent as it is; `answers` is the
  // header's count.
  void SetRaw(const std::string& name, uint16_t answers, const std::string& octets);

  // How often the name was asked for.
  int queries(const std::string& name);
  // Of these, how many over TCP.
  int tcp_queries(const std::string& name);

 private:
  struct Record {
    uint16_t type = 0;
    uint32_t ttl = 0;
    std::string data;
  };
  struct Name {
    std::vector<Record> records;
    std::string alias;
    Fault fault = Fault::kNone;
    bool raw = false;
    uint16_t raw_answers = 0;
    std::string raw_octets;
    int queries = 0;
    int tcp_queries = 0;
  };

  void Run();
  void ServeUdp();
  void ServeTcp();
  // Empty: no answer.
  std::string Answer(std::string_view query, bool tcp);
  std::string AnswerFrom(std::string_view query, std::string_view question, const std::string& name,
                         uint16_t type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  int udp_ = -1;
  int tcp_ = -1;
  int wake_[2] = {-1, -1};
  uint16_t port_ = 0;
  Mutex mutex_;
  std::map<std::string, Name> names_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rmail::testing

#endif  // RMAIL_GATEWAY_RELAY_TESTING_DNS_SERVER_H_

#include "gateway/relay/testing/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace rmail::testing {
namespace {

constexpr uint16_t kA = 1;
constexpr uint16_t kCname = 5;
constexpr uint16_t kMx = 15;
constexpr uint16_t kAaaa = 28;
constexpr size_t kHeader = 12;
constexpr int kMaxAliases = 8;

void Check(bool good, const char* what) {
  if (good) return;
  perror(what);
  abort();
}

std::string Number16(uint32_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string Number32(uint32_t value) { return Number16(value >> 16) + Number16(value & 0xFFFF); }

std::string EncodeName(const std::string& name) {
  std::string encoded;
  for (size_t start = 0; name != "." && start < name.size();) {
    const size_t end = std::min(name.find('.', start), name.size());
    encoded += static_cast<char>(end - start);
    encoded += name.substr(start, end - start);
    start = end + 1;
  }
  return encoded + '\0';
}

std::string EncodeRecord(const std::string& owner, uint16_t type, uint32_t ttl,
                         const std::string& data) {
  return EncodeName(owner) + Number16(type) + Number16(1) + Number32(ttl) +
         Number16(static_cast<uint32_t>(data.size())) + data;
}

// The name of the question, and where it ends; "" when it is malformed.
std::string ReadName(std::string_view query, size_t& end) {
  std::string name;
  size_t at = kHeader;
  while (at < query.size() && query[at] != 0) {
    const size_t length = static_cast<unsigned char>(query[at]);
    if (length > 63 || at + 1 + length >= query.size()) return "";
    if (!name.empty()) name += '.';
    for (const char c : query.substr(at + 1, length)) name += static_cast<char>(tolower(c));
    at += 1 + length;
  }
  end = at + 1;
  return name;
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Bind(int descriptor, uint16_t port) {
  const sockaddr_in address = Loopback(port);
  return bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

bool ReadExactly(int descriptor, char* buffer, size_t size) {
  return recv(descriptor, buffer, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

}  // namespace

DnsServer::DnsServer() {
  // Some other process may have the TCP port of the same number.
  for (int i = 0; i < 20 && tcp_ < 0; ++i) {
    udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    Check(udp_ >= 0 && Bind(udp_, 0), "bind a DNS server");
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    Check(getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
    tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (Bind(tcp_, port_)) break;
    close(udp_);
    close(tcp_);
    tcp_ = -1;
  }
  Check(tcp_ >= 0 && listen(tcp_, 16) == 0, "listen as a DNS server");
  Check(pipe(wake_) == 0, "pipe");
  thread_ = std::thread([this] { Run(); });
}

DnsServer::~DnsServer() {
  close(wake_[1]);
  thread_.join();
  close(wake_[0]);
  close(udp_);
  close(tcp_);
}

std::string DnsServer::address() const { return "127.0.0.1:" + std::to_string(port_); }

void DnsServer::AddMx(const std::string& name, uint16_t preference, const std::string& host,
                      uint32_t ttl) {
  MutexLock lock(&mutex_);
  names_[name].records.push_back({kMx, ttl, Number16(preference) + EncodeName(host)});
}

void DnsServer::AddAddress(const std::string& name, const std::string& address, uint32_t ttl) {
  char octets[16];
  const bool v6 = address.find(':') != std::string::npos;
  Check(inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), octets) == 1, address.c_str());
  MutexLock lock(&mutex_);
  names_[name].records.push_back(
      {v6 ? kAaaa : kA, ttl, std::string(octets, v6 ? size_t{16} : size_t{4})});
}

void DnsServer::AddAlias(const std::string& name, const std::string& target) {
  MutexLock lock(&mutex_);
  names_[name].alias = target;
}

void DnsServer::AddName(const std::string& name) {
  MutexLock lock(&mutex_);
  names_[name];
}

void DnsServer::SetFault(const std::string& name, Fault fault) {
  MutexLock lock(&mutex_);
  names_[name].fault = fault;
}

void DnsServer::SetRaw(const std::string& name, uint16_t answers, const std::string& octets) {
  MutexLock lock(&mutex_);
  Name& entry = names_[name];
  entry.raw = true;
  entry.raw_answers = answers;
  entry.raw_octets = octets;
}

int DnsServer::queries(const std::string& name) {
  MutexLock lock(&mutex_);
  return names_[name].queries;
}

int DnsServer::tcp_queries(const std::string& name) {
  MutexLock lock(&mutex_);
  return names_[name].tcp_queries;
}

void DnsServer::Run() {
  while (true) {
    pollfd waits[3] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    if (poll(waits, 3, -1) < 0) continue;
    if (waits[2].revents != 0) return;
    if ((waits[0].revents & POLLIN) != 0) ServeUdp();
    if ((waits[1].revents & POLLIN) != 0) ServeTcp();
  }
}

void DnsServer::ServeUdp() {
  char buffer[4096];
  sockaddr_in client = {};
  socklen_t size = sizeof(client);
  const ssize_t count =
      recvfrom(udp_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&client), &size);
  if (count < 0) return;
  const std::string answer = Answer({buffer, static_cast<size_t>(count)}, /*tcp=*/false);
  if (answer.empty()) return;
  sendto(udp_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&client), size);
}

void DnsServer::ServeTcp() {
  const int client = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const timeval patience = {2, 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  unsigned char length[2];
  char buffer[4096];
  if (ReadExactly(client, reinterpret_cast<char*>(length), 2)) {
    const size_t size = size_t{length[0]} << 8 | length[1];
    if (size <= sizeof(buffer) && ReadExactly(client, buffer, size)) {
      std::string answer = Answer({buffer, size}, /*tcp=*/true);
      answer.insert(0, Number16(static_cast<uint32_t>(answer.size())));
      send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
  close(client);
}

std::string DnsServer::Answer(std::string_view query, bool tcp) {
  size_t end = 0;
  if (query.size() < kHeader + 5) return "";
  const std::string name = ReadName(query, end);
  if (end + 4 > query.size()) return "";
  const std::string_view question = query.substr(kHeader, end + 4 - kHeader);
  const auto type = static_cast<uint16_t>(static_cast<unsigned char>(query[end]) << 8 |
                                          static_cast<unsigned char>(query[end + 1]));
  MutexLock lock(&mutex_);
  const auto found = names_.find(name);
  if (found != names_.end()) {
    ++found->second.queries;
    if (tcp) ++found->second.tcp_queries;
    if (found->second.fault == Fault::kSilent) return "";
  }
  std::string answer = AnswerFrom(query, question, name, type);
  const bool cut = found != names_.end() && found->second.fault == Fault::kTruncated && !tcp;
  if (cut) {
    answer[2] = static_cast<char>(answer[2] | 0x02);
    answer[6] = answer[7] = 0;
    answer.resize(kHeader + question.size());
  }
  return answer;
}

std::string DnsServer::AnswerFrom(std::string_view query, std::string_view question,
                                  const std::string& name, uint16_t type) {
  uint16_t code = 0;
  uint16_t count = 0;
  std::string records;
  std::string current = name;
  for (int i = 0; i < kMaxAliases; ++i) {
    const auto found = names_.find(current);
    if (found == names_.end()) {
      code = 3;  // NXDOMAIN
      break;
    }
    const Name& entry = found->second;
    if (entry.fault == Fault::kServerFailure) code = 2;
    if (entry.raw) {
      count = entry.raw_answers;
      records = entry.raw_octets;
    }
    if (code != 0 || entry.raw) break;
    for (const Record& record : entry.records) {
      if (record.type != type) continue;
      records += EncodeRecord(current, type, record.ttl, record.data);
      ++count;
    }
    if (entry.alias.empty()) break;
    records += EncodeRecord(current, kCname, 300, EncodeName(entry.alias));
    ++count;
    current = entry.alias;
  }
  std::string answer(query.substr(0, 2));
  // A response; recursion was desired and is available.
  answer += Number16(0x8180U | code) + Number16(1) + Number16(count) + Number32(0);
  return answer.append(question).append(records);
}

}  // namespace rmail::testing

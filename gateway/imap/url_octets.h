// The octets that an IMAP URL names, as a stream.
#ifndef RMAIL_GATEWAY_IMAP_URL_OCTETS_H_
#define RMAIL_GATEWAY_IMAP_URL_OCTETS_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/common/store_session.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

class Session;

enum class UrlUse {
  // The session's own messages, and those of URLs with a token (RFC 4469).
  kCatenate,
  // Only URLs with a token (RFC 4467).
  kFetch,
};

// Not thread-safe. Memory: one answer of the store, about 256 KiB.
class UrlOctets {
 public:
  // NOT_FOUND: the URL is malformed, not of this server, or names nothing that this session may
  // read. Else the store's errors.
  static boost::asio::awaitable<absl::StatusOr<UrlOctets>> Open(Session& session,
                                                                const std::string& url, UrlUse use);

  // How many octets Next will give in all.
  uint64_t size() const { return size_; }

  // The next octets; empty at the end. An error when there are fewer than announced.
  boost::asio::awaitable<absl::StatusOr<std::string>> Next();

 private:
  using Answers = Stream<store::v1::FetchMessagesResponse>;

  explicit UrlOctets(Answers stream) : stream_(std::move(stream)) {}
  // The store's next answer; an error at the end.
  boost::asio::awaitable<absl::Status> Read();

  Answers stream_;
  store::v1::FetchMessagesResponse response_;
  int next_section_ = 0;
  uint64_t size_ = 0;
  uint64_t position_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_URL_OCTETS_H_

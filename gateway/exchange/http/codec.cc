#include "gateway/exchange/http/codec.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"

namespace rmail::gateway::exchange::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;
using boost::beast::iequals;
using boost::beast::string_view;

constexpr size_t kMaxHeaders = 100;

// Fields that change what a request means: two of them are two requests.
bool IsSingleton(beast::field field) {
  return field == beast::field::host || field == beast::field::authorization ||
         field == beast::field::content_type || field == beast::field::content_length ||
         field == beast::field::transfer_encoding;
}

// Whether a request line is right but for its version: "GET / HTTP/2.0". Beast calls much else a
// bad version too.
bool NamesAnotherVersion(std::string_view input) {
  const std::string_view line = input.substr(0, input.find("\r\n"));
  const std::string_view target = line.substr(std::min(line.find(' '), line.size() - 1) + 1);
  const std::string_view version = target.substr(std::min(target.find(' '), target.size()));
  return version.size() == 9 && version.starts_with(" HTTP/") && absl::ascii_isdigit(version[6]) &&
         version[7] == '.' && absl::ascii_isdigit(version[8]);
}

}  // namespace

class RequestParser::Impl : public beast::basic_parser<true> {
 public:
  explicit Impl(size_t limit) : limit_(limit) {
    header_limit(
        static_cast<uint32_t>(std::min<size_t>(limit, std::numeric_limits<uint32_t>::max())));
    body_limit(boost::none);
  }

  size_t Feed(std::string_view input) {
    // RFC 9112, 2.2: an empty line before the request line is passed over.
    if (state_ == State::kHead && head_size_ == 0) {
      if (input == "\r") return 0;
      if (input.starts_with("\r\n")) {
        head_size_ = 2;
        return 2;
      }
    }
    input_ = input;
    error_code error;
    const size_t used = put(boost::asio::const_buffer(input.data(), input.size()), error);
    if (error == beast::error::need_more) {
      if (input.size() - used >= limit_) error = beast::error::header_limit;
    }
    if (state_ == State::kHead) CountHead(used, input.size(), error);
    if (error && error != beast::error::need_more && state_ != State::kError) Refuse(error);
    if (state_ == State::kHead && is_header_done()) FinishHead();
    if (state_ == State::kBody && is_done()) state_ = State::kDone;
    return used;
  }

  State state_ = State::kHead;
  Request request_;
  Fault fault_;
  std::string body_;

 private:
  // Beast's own limit counts only what lies in the buffer, not the fields that it has already
  // taken.
  void CountHead(size_t used, size_t available, error_code& error) {
    head_size_ += used;
    const size_t pending = is_header_done() ? 0 : available - used;
    if (!error || error == beast::error::need_more) {
      if (head_size_ + pending > limit_) error = beast::error::header_limit;
    }
  }

  void Refuse(const error_code& error) {
    if (error == beast::error::header_limit) {
      Fail(state_ == State::kHead ? 431 : 400, "the header is too large");
    } else if (error == beast::error::bad_version && NamesAnotherVersion(input_)) {
      Fail(505, "the HTTP version is not 1.0 or 1.1");
    } else {
      Fail(400, error.message());
    }
  }

  void Fail(int status, std::string text) {
    state_ = State::kError;
    fault_ = {status, std::move(text)};
  }

  void FinishHead() {
    const std::optional<std::string_view> coding = request_.Find("transfer-encoding");
    if (coding.has_value()) {
      // RFC 9112, 6.1: a coding that is not understood is 501; in HTTP/1.0 it is faulty framing.
      if (request_.version < 11) return Fail(400, "Transfer-Encoding in HTTP/1.0");
      if (!chunked() || !iequals(*coding, "chunked")) {
        return Fail(501, "the only transfer coding is chunked");
      }
      if (request_.Find("content-length").has_value()) {
        return Fail(400, "both Content-Length and Transfer-Encoding");
      }
      request_.content_length = std::nullopt;
    } else {
      request_.content_length = content_length().value_or(0);
    }
    // RFC 9112, 3.2.
    if (request_.version >= 11 && !request_.Find("host").has_value()) {
      return Fail(400, "the Host field is missing");
    }
    request_.keep_alive = keep_alive();
    state_ = State::kBody;
  }

  void on_request_impl(beast::verb, string_view method, string_view target, int version,
                       error_code& error) override {
    error = {};
    request_.method = std::string(method);
    request_.target = std::string(target);
    request_.version = version;
  }

  void on_field_impl(beast::field field, string_view name, string_view value,
                     error_code& error) override {
    error = {};
    if (IsFolded(name, value)) {
      Fail(400, "a folded header field");
      error = beast::error::bad_value;
      return;
    }
    // Trailers come here too; they are of no use to anybody (RFC 9110, 6.5.1).
    if (state_ != State::kHead) return;
    if (request_.headers.size() >= kMaxHeaders) {
      Fail(431, "too many header fields");
      error = beast::error::header_limit;
      return;
    }
    std::string lower = absl::AsciiStrToLower({name.data(), name.size()});
    if (IsSingleton(field) && request_.Find(lower).has_value()) {
      Fail(400, "the field " + lower + " occurs twice");
      error = beast::error::bad_field;
      return;
    }
    if (field == beast::field::content_length &&
        !std::all_of(value.begin(), value.end(), absl::ascii_isdigit)) {
      error = beast::error::bad_content_length;
      return;
    }
    request_.headers.push_back({std::move(lower), std::string(value)});
  }

  // RFC 9112, 5.2: obsolete folding is refused; other servers may take the second line for a field.
  // Beast makes one line of it in a buffer of its own, except when the lines before the last one
  // are blank: then the value is the last one's, as it lies in the input.
  bool IsFolded(string_view name, string_view value) const {
    const std::less<const char*> before;
    const char* const start = name.data() + name.size();
    if (before(value.data(), start) || before(input_.data() + input_.size(), value.data())) {
      return !value.empty();
    }
    return std::find(start, value.data() + value.size(), '\n') != value.data() + value.size();
  }

  void on_header_impl(error_code& error) override { error = {}; }
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code& error) override {
    error = {};
  }
  size_t on_body_impl(string_view data, error_code& error) override {
    error = {};
    body_.append(data);
    return data.size();
  }
  void on_chunk_header_impl(uint64_t, string_view, error_code& error) override { error = {}; }
  size_t on_chunk_body_impl(uint64_t, string_view data, error_code& error) override {
    error = {};
    body_.append(data);
    return data.size();
  }
  void on_finish_impl(error_code& error) override { error = {}; }
  void on_response_impl(int, string_view, int, error_code& error) override { error = {}; }

  const size_t limit_;
  size_t head_size_ = 0;
  // Of the Put under way.
  std::string_view input_;
};

RequestParser::RequestParser(size_t header_limit) : impl_(std::make_unique<Impl>(header_limit)) {}
RequestParser::~RequestParser() = default;

size_t RequestParser::Put(std::string_view input) {
  if (impl_->state_ == State::kDone || impl_->state_ == State::kError) return 0;
  if (input.empty()) return 0;
  return impl_->Feed(input);
}

RequestParser::State RequestParser::state() const { return impl_->state_; }
const Request& RequestParser::request() const { return impl_->request_; }
std::string RequestParser::TakeBody() { return std::exchange(impl_->body_, {}); }
const RequestParser::Fault& RequestParser::fault() const { return impl_->fault_; }

std::string SerializeHead(const Response& response, int version) {
  beast::response<beast::empty_body> message;
  message.version(static_cast<unsigned>(version));
  message.result(static_cast<unsigned>(response.status));
  const auto insert = [&message](std::string_view name, std::string value) {
    for (char& c : value) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    message.insert(name, value);
  };
  if (!response.content_type.empty()) insert("Content-Type", response.content_type);
  for (const Header& header : response.headers) insert(header.name, header.value);

  beast::response_serializer<beast::empty_body> serializer(message);
  serializer.split(true);
  std::string head;
  error_code error;
  while (!serializer.is_header_done()) {
    serializer.next(error, [&](error_code&, const auto& buffers) {
      for (auto it = boost::asio::buffer_sequence_begin(buffers);
           it != boost::asio::buffer_sequence_end(buffers); ++it) {
        const boost::asio::const_buffer buffer(*it);
        head.append(static_cast<const char*>(buffer.data()), buffer.size());
      }
      serializer.consume(boost::asio::buffer_size(buffers));
    });
    if (error) break;
  }
  return head;
}

}  // namespace rmail::gateway::exchange::http

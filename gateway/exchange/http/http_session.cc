#include "gateway/exchange/http/http_session.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/exchange/failure.h"
#include "gateway/exchange/http/codec.h"
#include "gateway/exchange/http/framing.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange::http {
namespace {

namespace asio = boost::asio;

constexpr size_t kReadSize = 16 << 10;
constexpr uint64_t kBodyOctetsPerSecond = 16 << 10;
// A body that nobody read is passed over up to this size; the connection ends with a longer one.
constexpr uint64_t kMaxSkip = 64 << 10;
// How long a client that is turned away may go on sending before its connection is cut: closing at
// once could destroy the answer on its way (RFC 9112, 9.6).
constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr uint64_t kMaxLinger = 1 << 20;
// What limits_.write_timeout is for.
constexpr size_t kSlice = 256 << 10;
// A body up to this size goes out with the head, in one packet or TLS record.
constexpr size_t kMaxJoined = 8 << 10;

class HttpSession final : public BodySource {
 public:
  HttpSession(std::shared_ptr<gateway::Connection> connection, const HttpLimits& limits,
              Application& application)
      : connection_(std::move(connection)),
        limits_(limits),
        application_(application),
        peer_{connection_->peer(), connection_->secure()} {}

  asio::awaitable<void> Run();

  // The body of the request under way.
  asio::awaitable<absl::StatusOr<std::string>> Next() override;

 private:
  using State = RequestParser::State;

  // Each returns whether the connection can be used further.
  asio::awaitable<bool> ServeOne();
  asio::awaitable<bool> ReadHead();
  asio::awaitable<bool> SkipBody();
  asio::awaitable<bool> Send(Response response, bool keep_alive);
  asio::awaitable<bool> SendStream(const Response& response, bool chunked);
  asio::awaitable<absl::Status> Write(std::string_view data);

  asio::awaitable<Response> Answer();
  asio::awaitable<absl::Status> ReadMore();
  asio::awaitable<absl::Status> SendContinue();
  asio::awaitable<void> Linger();
  // Gives the parser what has come; whether it took any.
  bool Parse();
  // Whether what is left of the body may be passed over, so that the next request can be found.
  bool CanSkip() const;

  std::shared_ptr<gateway::Connection> connection_;
  const HttpLimits& limits_;
  Application& application_;
  const Peer peer_;
  // What has come and was not parsed.
  std::string input_;
  std::optional<RequestParser> parser_;
  absl::Time body_start_;
  uint64_t body_received_ = 0;
  bool continue_wanted_ = false;
  // The body took too long: what is left of it is not waited for.
  bool late_ = false;
  // The connection broke or ended within a request.
  bool broken_ = false;
};

bool HttpSession::Parse() {
  const size_t used = parser_->Put(input_);
  input_.erase(0, used);
  return used > 0;
}

asio::awaitable<absl::Status> HttpSession::ReadMore() {
  const size_t size = input_.size();
  input_.resize(size + kReadSize);
  const absl::StatusOr<size_t> count = co_await connection_->ReadSome(&input_[size], kReadSize);
  input_.resize(size + (count.ok() ? *count : 0));
  co_return count.status();
}

asio::awaitable<void> HttpSession::Run() {
  while (co_await ServeOne()) {
    parser_.reset();
    // Some clients end a body with a line end that does not belong to it.
    if (input_ == "\r\n") input_.clear();
    if (input_.empty()) std::string().swap(input_);
  }
}

asio::awaitable<bool> HttpSession::ReadHead() {
  if (input_.empty()) {
    connection_->SetTimeout(limits_.idle_timeout);
    const absl::Status idle = co_await connection_->WaitReadable(/*interruptible=*/true);
    if (!idle.ok()) co_return false;
  }
  parser_.emplace(limits_.header_size);
  connection_->SetTimeout(limits_.header_timeout);
  for (;;) {
    while (parser_->state() == State::kHead && Parse()) {
    }
    if (parser_->state() != State::kHead) co_return true;
    const absl::Status status = co_await ReadMore();
    if (status.ok()) continue;
    if (absl::IsDeadlineExceeded(status)) {
      co_await Send(ToResponse({408, "TIMEOUT", "the request took too long to come", ""}), false);
    }
    co_return false;
  }
}

asio::awaitable<bool> HttpSession::ServeOne() {
  if (!co_await ReadHead()) co_return false;
  if (parser_->state() == State::kError) {
    const RequestParser::Fault& fault = parser_->fault();
    co_await Send(ToResponse({fault.status, "MALFORMED_REQUEST", fault.text, ""}), false);
    co_await Linger();
    co_return false;
  }
  body_start_ = absl::Now();
  body_received_ = 0;
  late_ = false;
  const Request& request = parser_->request();
  continue_wanted_ = ExpectsContinue(request);

  Response response = co_await Answer();
  if (broken_) co_return false;
  const bool reusable =
      request.keep_alive && !response.close && !connection_->draining() && CanSkip();
  if (!co_await Send(std::move(response), reusable)) co_return false;
  if (!reusable) {
    if (parser_->state() != State::kDone) co_await Linger();
    co_return false;
  }
  co_return co_await SkipBody();
}

asio::awaitable<Response> HttpSession::Answer() {
  try {
    co_return co_await application_.Handle(parser_->request(), *this, peer_);
  } catch (const std::exception& error) {
    LogError("exchange: a handler failed: {}", error.what());
  }
  co_return ToResponse(FailureOf(absl::InternalError("exception")));
}

asio::awaitable<absl::StatusOr<std::string>> HttpSession::Next() {
  for (;;) {
    if (std::string piece = parser_->TakeBody(); !piece.empty()) {
      body_received_ += piece.size();
      co_return piece;
    }
    if (parser_->state() == State::kError) {
      co_return ToStatus({400, "MALFORMED_REQUEST", parser_->fault().text, "body"});
    }
    if (parser_->state() == State::kDone) co_return std::string();
    if (Parse() || parser_->state() != State::kBody) continue;
    absl::Status status = co_await SendContinue();
    if (status.ok()) {
      const absl::Time deadline =
          body_start_ + limits_.body_timeout +
          absl::Seconds(static_cast<int64_t>(body_received_ / kBodyOctetsPerSecond));
      connection_->SetTimeout(std::max(deadline - absl::Now(), absl::ZeroDuration()));
      status = co_await ReadMore();
    }
    if (status.ok()) continue;
    if (absl::IsDeadlineExceeded(status)) {
      late_ = true;
      co_return ToStatus({408, "TIMEOUT", "the body took too long to come", "body"});
    }
    broken_ = true;
    co_return status;
  }
}

// RFC 9110, 10.1.1: only when the body is wanted and none of it has come.
asio::awaitable<absl::Status> HttpSession::SendContinue() {
  if (!std::exchange(continue_wanted_, false) || body_received_ > 0) co_return absl::OkStatus();
  co_return co_await Write("HTTP/1.1 100 Continue\r\n\r\n");
}

bool HttpSession::CanSkip() const {
  if (parser_->state() == State::kDone) return true;
  // A client that waits to be told to go on sends no body now, or sends it later: no one knows.
  // RFC 9110, 15.5.9: after 408 the connection ends.
  if (continue_wanted_ || late_ || parser_->state() == State::kError) return false;
  return std::max(parser_->request().content_length.value_or(0), body_received_) <= kMaxSkip;
}

asio::awaitable<bool> HttpSession::SkipBody() {
  while (body_received_ <= kMaxSkip) {
    const absl::StatusOr<std::string> piece = co_await Next();
    if (!piece.ok()) co_return false;
    if (piece->empty()) co_return true;
  }
  co_return false;
}

asio::awaitable<bool> HttpSession::Send(Response response, bool keep_alive) {
  const bool head_only = parser_->state() != State::kHead && parser_->request().method == "HEAD";
  const int version = parser_->request().version;
  const bool chunked =
      response.stream != nullptr && !response.stream_size.has_value() && version >= 11;
  // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
  const bool until_close =
      response.stream != nullptr && !response.stream_size.has_value() && !chunked;
  keep_alive = keep_alive && !until_close;
  AddFramingHeaders(response, version, keep_alive, absl::Now());

  std::string head = SerializeHead(response, 11);
  const bool has_body = !head_only && response.stream == nullptr;
  const bool joined = has_body && response.body.size() <= kMaxJoined;
  if (joined) head += response.body;
  absl::Status status = co_await Write(head);
  if (status.ok() && has_body && !joined) status = co_await Write(response.body);
  if (!status.ok()) co_return false;
  if (response.stream != nullptr && !head_only) {
    if (!co_await SendStream(response, chunked)) co_return false;
  }
  co_return !until_close;
}

asio::awaitable<absl::Status> HttpSession::Write(std::string_view data) {
  while (!data.empty()) {
    const std::string_view slice = data.substr(0, kSlice);
    connection_->SetTimeout(limits_.write_timeout);
    RMAIL_CO_RETURN_IF_ERROR(co_await connection_->Write(slice));
    data.remove_prefix(slice.size());
  }
  co_return absl::OkStatus();
}

asio::awaitable<bool> HttpSession::SendStream(const Response& response, bool chunked) {
  uint64_t sent = 0;
  for (;;) {
    const absl::StatusOr<std::string> piece = co_await response.stream->Next();
    // Too late for an error: a body that is too short tells the client.
    if (!piece.ok()) {
      LogWarning("exchange: an answer was cut: {}", ToText(piece.status()));
      co_return false;
    }
    const bool end = piece->empty();
    sent += piece->size();
    // What the client takes for the next answer's start must not be this one's end, nor the
    // reverse.
    if (const auto& size = response.stream_size;
        size.has_value() && (sent > *size || (end && sent < *size))) {
      LogWarning("exchange: an answer of {} octets was cut at {}", *size, sent);
      co_return false;
    }
    const std::string chunk = chunked ? ToChunk(*piece) : std::string();
    const std::string& out = chunked ? chunk : *piece;
    const absl::Status status = co_await Write(out);
    if (!status.ok()) co_return false;
    if (end) co_return true;
  }
}

asio::awaitable<void> HttpSession::Linger() {
  connection_->SetTimeout(kLinger);
  for (uint64_t read = 0; read < kMaxLinger;) {
    input_.clear();
    const absl::Status status = co_await ReadMore();
    if (!status.ok()) co_return;
    read += input_.size();
  }
}

}  // namespace

asio::awaitable<void> RunHttpSession(std::shared_ptr<gateway::Connection> connection,
                                     const HttpLimits& limits, Application& application) {
  HttpSession session(std::move(connection), limits, application);
  co_await session.Run();
}

}  // namespace rmail::gateway::exchange::http

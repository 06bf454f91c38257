#include "gateway/imap/append_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/imap/append_input.h"
#include "gateway/imap/mailbox_lookup.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/parser.h"
#include "gateway/imap/url_octets.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// As many as the store takes in one step.
constexpr uint32_t kMaxMessages = 1000;

using MaybeReply = std::optional<Reply>;

Reply TooBig() { return No("TOOBIG", "The message is too large"); }

// RFC 4469, 4. The code ends at a ']'; nothing else that a URL argument may have is special there.
Reply BadUrl(std::string_view url) {
  std::string shown;
  for (const char c : url) shown += c == ']' ? "%5D" : std::string(1, c);
  return No(fmt::format("BADURL {}", shown), "The URL names nothing that can be read here");
}

class AppendTransfer {
 public:
  AppendTransfer(Session& session, AppendInput& input, std::string mailbox,
                 const std::optional<store::v1::ReplacedMessage>& replaces)
      : session_(session),
        input_(input),
        mailbox_(std::move(mailbox)),
        replaces_(replaces),
        upload_(session.store().Append()) {}

  // Sends all; a reply when something is refused.
  boost::asio::awaitable<MaybeReply> Run();
  boost::asio::awaitable<absl::StatusOr<store::v1::AppendMessageResponse>> Finish() {
    return upload_.Finish();
  }
  uint32_t messages() const { return messages_; }

 private:
  boost::asio::awaitable<MaybeReply> Take(const AppendStep& step);
  boost::asio::awaitable<MaybeReply> BeginMessage(const AppendStep& step);
  boost::asio::awaitable<MaybeReply> TakeLiteral(const LiteralSize& literal);
  boost::asio::awaitable<MaybeReply> TakeUrl(const AppendStep& step);
  boost::asio::awaitable<MaybeReply> Copy(const std::string& url);
  boost::asio::awaitable<MaybeReply> CheckQuota(uint64_t octets);
  boost::asio::awaitable<MaybeReply> Send(std::string octets);
  boost::asio::awaitable<MaybeReply> Send(store::v1::AppendMessageRequest request);
  bool Fits(uint64_t octets) const {
    return octets <= session_.context().options.max_message_size - size_;
  }

  Session& session_;
  AppendInput& input_;
  const std::string mailbox_;
  const std::optional<store::v1::ReplacedMessage>& replaces_;
  AppendUpload upload_;
  uint32_t messages_ = 0;
  // Of the message under way, and of all of them.
  uint64_t size_ = 0;
  uint64_t total_ = 0;
};

// The connection's errors are seen to by whoever ends the command.
Reply Malformed(const absl::Status& status) { return Bad(FromAbsl(status.message())); }

boost::asio::awaitable<MaybeReply> AppendTransfer::Run() {
  while (true) {
    const absl::StatusOr<std::optional<AppendStep>> step = co_await input_.Next();
    if (!step.ok()) co_return Malformed(step.status());
    if (!step->has_value()) co_return std::nullopt;
    if (MaybeReply refusal = co_await Take(**step)) co_return refusal;
  }
}

boost::asio::awaitable<MaybeReply> AppendTransfer::Take(const AppendStep& step) {
  switch (step.kind) {
    case AppendStep::Kind::kMessage:
      co_return co_await BeginMessage(step);
    case AppendStep::Kind::kText:
      co_return co_await TakeLiteral(*step.literal);
    case AppendStep::Kind::kUrl:
      co_return co_await TakeUrl(step);
    case AppendStep::Kind::kMessageEnd:
      // RFC 3502: an empty message is how a client takes it all back.
      if (size_ == 0) co_return No("CANNOT", "The message is empty");
      total_ += size_;
  }
  co_return std::nullopt;
}

boost::asio::awaitable<MaybeReply> AppendTransfer::BeginMessage(const AppendStep& step) {
  if (messages_ == 1 && replaces_) co_return Bad("One message only");
  if (messages_ == kMaxMessages) co_return No("LIMIT", "Too many messages in one command");
  // The last one's end is said by Finish.
  if (messages_ > 0) {
    store::v1::AppendMessageRequest end;
    end.mutable_end()->set_size(size_);
    if (MaybeReply refusal = co_await Send(std::move(end))) co_return refusal;
  }
  ++messages_;
  size_ = 0;
  // Refused before the client sends it, where it waits (RFC 9051, 4.3).
  if (step.literal && !Fits(step.literal->octets)) co_return TooBig();
  if (step.literal && step.literal->octets == 0) co_return No("CANNOT", "The message is empty");
  store::v1::AppendMessageRequest request;
  store::v1::AppendHeader& header = *request.mutable_header();
  header.set_mailbox(mailbox_);
  header.mutable_flags()->set_system(step.flags.system);
  for (const std::string& keyword : step.flags.keywords) {
    header.mutable_flags()->add_keywords(keyword);
  }
  // The store takes 0 for now, and nothing from before 1970.
  if (step.internal_date) header.set_internal_date(std::max<int64_t>(*step.internal_date, 1));
  if (step.literal) header.set_size(step.literal->octets);
  if (replaces_) *header.mutable_replaces() = *replaces_;
  if (MaybeReply refusal = co_await Send(std::move(request))) co_return refusal;
  if (!step.literal) co_return std::nullopt;
  co_return co_await TakeLiteral(*step.literal);
}

boost::asio::awaitable<MaybeReply> AppendTransfer::TakeLiteral(const LiteralSize& literal) {
  if (!Fits(literal.octets)) co_return TooBig();
  if (literal.synchronizing) {
    if (MaybeReply refusal = co_await CheckQuota(literal.octets)) co_return refusal;
  }
  while (true) {
    absl::StatusOr<std::string> octets = co_await input_.Read();
    if (!octets.ok()) co_return Malformed(octets.status());
    if (octets->empty()) co_return std::nullopt;
    if (MaybeReply refusal = co_await Send(*std::move(octets))) co_return refusal;
  }
}

// The store checks it too, when the client has sent what it then can't keep.
boost::asio::awaitable<MaybeReply> AppendTransfer::CheckQuota(uint64_t octets) {
  // What it replaces makes room.
  if (replaces_) co_return std::nullopt;
  store::v1::GetQuotaRequest request;
  request.set_name(session_.store().account());
  const auto response = co_await session_.store().Call(std::move(request));
  if (!response.ok()) co_return NoBecause(response.status());
  const store::v1::Quota& quota = response->quota();
  const uint64_t limit = quota.limit_mb() << 20;
  if (limit == 0 || quota.used() + total_ + size_ + octets <= limit) co_return std::nullopt;
  co_return No("OVERQUOTA", "Quota exceeded");
}

boost::asio::awaitable<MaybeReply> AppendTransfer::TakeUrl(const AppendStep& step) {
  if (!step.literal) co_return co_await Copy(step.url);
  std::string url;
  if (step.literal->octets > kMaxUrl) co_return Bad("Invalid URL");
  while (true) {
    const absl::StatusOr<std::string> octets = co_await input_.Read();
    if (!octets.ok()) co_return Malformed(octets.status());
    if (octets->empty()) break;
    url += *octets;
  }
  if (!IsUrlText(url)) co_return Bad("Invalid URL");
  co_return co_await Copy(url);
}

boost::asio::awaitable<MaybeReply> AppendTransfer::Copy(const std::string& url) {
  absl::StatusOr<UrlOctets> source = co_await UrlOctets::Open(session_, url, UrlUse::kCatenate);
  if (absl::IsNotFound(source.status())) co_return BadUrl(url);
  if (!source.ok()) co_return NoBecause(source.status());
  if (!Fits(source->size())) co_return TooBig();
  while (true) {
    absl::StatusOr<std::string> octets = co_await source->Next();
    if (!octets.ok()) co_return NoBecause(octets.status());
    if (octets->empty()) co_return std::nullopt;
    if (MaybeReply refusal = co_await Send(*std::move(octets))) co_return refusal;
  }
}

boost::asio::awaitable<MaybeReply> AppendTransfer::Send(std::string octets) {
  size_ += octets.size();
  store::v1::AppendMessageRequest request;
  request.set_data(std::move(octets));
  co_return co_await Send(std::move(request));
}

boost::asio::awaitable<MaybeReply> AppendTransfer::Send(store::v1::AppendMessageRequest request) {
  if (co_await upload_.Write(std::move(request))) co_return std::nullopt;
  const auto refused = co_await upload_.Finish();
  co_return NoBecauseOfTarget(refused.ok() ? absl::InternalError("an upload broke off")
                                           : refused.status());
}

std::string AppendUid(const store::v1::AppendMessageResponse& response, uint32_t messages) {
  const uint32_t first = response.uid();
  if (messages == 1) return fmt::format("APPENDUID {} {}", response.uid_validity(), first);
  return fmt::format("APPENDUID {} {}:{}", response.uid_validity(), first, first + messages - 1);
}

boost::asio::awaitable<AppendResult> Store(
    Session& session, AppendInput& input, std::string path,
    const std::optional<store::v1::ReplacedMessage>& replaces) {
  AppendResult result;
  const auto mailbox = co_await FindMailbox(session.store(), std::move(path));
  if (!mailbox.ok()) {
    result.refusal = NoBecauseOfTarget(mailbox.status());
    co_return result;
  }
  AppendTransfer transfer(session, input, mailbox->name(), replaces);
  result.refusal = co_await transfer.Run();
  if (result.refusal) co_return result;
  const auto response = co_await transfer.Finish();
  if (response.ok()) {
    result.mailbox = mailbox->name();
    result.code = AppendUid(*response, transfer.messages());
  } else {
    result.refusal = NoBecauseOfTarget(response.status());
  }
  co_return result;
}

}  // namespace

boost::asio::awaitable<AppendResult> RunAppend(
    Session& session, const AppendArguments& arguments,
    const std::optional<store::v1::ReplacedMessage>& replaces) {
  AppendInput input(session, arguments.fragment);
  AppendResult result = co_await Store(session, input, arguments.mailbox, replaces);
  const absl::Status skipped = co_await input.SkipRest();
  if (!skipped.ok()) co_await session.EndNow(skipped);
  co_return result;
}

}  // namespace rmail::gateway::imap

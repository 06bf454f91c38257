// GENURLAUTH, RESETKEY, URLFETCH (RFC 4467).
#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/fetch_writer.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/writer.h"
#include "gateway/imap/url_octets.h"
#include "gateway/imap/urlauth.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// RFC 4467, 7: what a URL must be to get a token.
std::optional<Reply> WhyNoToken(Session& session, const GenUrlAuthArguments::Item& item,
                                const std::optional<ImapUrl>& url) {
  if (item.mechanism != kUrlMechanism) return Bad("Unknown mechanism");
  if (!url || !url->auth || !url->auth->mechanism.empty() || url->host.empty()) {
    return Bad("The URL is not complete up to its access identifier");
  }
  if (!EqualsIgnoreCase(url->host, session.context().options.hostname) || !url->mailbox ||
      !IsUser(session.store().account(), url->user)) {
    return No("NOPERM", "Not a URL of your mailboxes here");
  }
  // Only what could be fetched.
  if (url->auth->access == UrlAccess::kSubmit) {
    return No("CANNOT", "There is no submission service that fetches URLs");
  }
  return std::nullopt;
}

Reply NoBecauseOfUrl(const absl::Status& status) {
  if (absl::IsNotFound(status)) return No("NONEXISTENT", "No such mailbox");
  return NoBecause(status);
}

boost::asio::awaitable<absl::Status> ResetAllKeys(const StoreSession& store) {
  store::v1::ListMailboxesRequest request;
  request.set_parent(store.account());
  const auto listed = co_await store.Call(std::move(request));
  if (!listed.ok()) co_return listed.status();
  for (const store::v1::Mailbox& mailbox : listed->mailboxes()) {
    const absl::Status reset = co_await ResetUrlKey(store, mailbox.name());
    // One that was deleted meanwhile has no key.
    if (!reset.ok() && ReasonOf(reset) != store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) {
      co_return reset;
    }
  }
  co_return absl::OkStatus();
}

// The octets as an nstring. An error, with part of them written, is final.
boost::asio::awaitable<absl::Status> WriteOctets(ResponseWriter& out, UrlOctets& source) {
  out.buffer() += " {";
  AppendNumber(out.buffer(), source.size());
  out.buffer() += "}\r\n";
  while (true) {
    absl::StatusOr<std::string> octets = co_await source.Next();
    if (!octets.ok()) co_return octets.status();
    if (octets->empty()) co_return absl::OkStatus();
    ReplaceNul(*octets, 0);
    out.buffer() += *octets;
    if (out.full()) co_await out.Flush();
    if (out.failed()) co_return absl::OkStatus();
  }
}

}  // namespace

boost::asio::awaitable<Reply> GenUrlAuth(Session& session, const Command& command) {
  std::string answer = "* GENURLAUTH";
  for (const auto& item : std::get<GenUrlAuthArguments>(command.arguments).items) {
    const std::optional<ImapUrl> url = ParseImapUrl(item.rump);
    if (std::optional<Reply> refusal = WhyNoToken(session, item, url)) co_return *refusal;
    const auto mailbox = co_await FindUrlMailbox(session.store(), *url);
    if (!mailbox.ok()) co_return NoBecauseOfUrl(mailbox.status());
    const auto completed = co_await SignUrl(session.store(), *mailbox, item.rump);
    if (!completed.ok()) co_return NoBecauseOfUrl(completed.status());
    answer += ' ';
    AppendString(answer, *completed);
  }
  session.out().buffer() += answer;
  session.out().buffer() += "\r\n";
  co_return Ok("GENURLAUTH completed");
}

boost::asio::awaitable<Reply> ResetKey(Session& session, const Command& command) {
  const auto& arguments = std::get<ResetKeyArguments>(command.arguments);
  const bool known = std::all_of(arguments.mechanisms.begin(), arguments.mechanisms.end(),
                                 [](const std::string& name) { return name == kUrlMechanism; });
  if (!known) co_return Bad("Unknown mechanism");
  absl::Status reset;
  if (arguments.mailbox) {
    ImapUrl url;
    url.mailbox = arguments.mailbox;
    const auto mailbox = co_await FindUrlMailbox(session.store(), url);
    reset = mailbox.ok() ? co_await ResetUrlKey(session.store(), *mailbox) : mailbox.status();
  } else {
    reset = co_await ResetAllKeys(session.store());
  }
  if (!reset.ok()) co_return NoBecauseOfUrl(reset);
  co_return Ok("[URLMECH INTERNAL] RESETKEY completed");
}

boost::asio::awaitable<Reply> UrlFetch(Session& session, const Command& command) {
  ResponseWriter& out = session.out();
  for (const std::string& url : std::get<UrlFetchArguments>(command.arguments).urls) {
    absl::StatusOr<UrlOctets> source = co_await UrlOctets::Open(session, url, UrlUse::kFetch);
    if (!source.ok() && !absl::IsNotFound(source.status())) co_return NoBecause(source.status());
    out.buffer() += "* URLFETCH ";
    AppendAString(out.buffer(), url);
    if (source.ok()) {
      const absl::Status written = co_await WriteOctets(out, *source);
      if (!written.ok()) {
        // The client waits for octets that will never come.
        LogWarning("imap: URLFETCH broke off within a literal: {}", ToText(written));
        co_await out.Flush();
        session.Abort();
        co_return NoBecause(written);
      }
    } else {
      out.buffer() += " NIL";
    }
    out.buffer() += "\r\n";
    if (out.full()) co_await out.Flush();
  }
  co_return Ok("URLFETCH completed");
}

}  // namespace rmail::gateway::imap

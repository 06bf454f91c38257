#include "gateway/imap/url_octets.h"

#include <optional>
#include <utility>

#include "gateway/imap/fetch_plan.h"
#include "gateway/imap/imap_url.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/urlauth.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

absl::Status NoSuchUrl() { return absl::NotFoundError("no such URL"); }

// The mailbox of a URL without a token: one of the session's own.
boost::asio::awaitable<absl::StatusOr<MailboxAccess>> OpenOwn(Session& session,
                                                              const ImapUrl& url) {
  if (!url.user.empty() && !IsUser(session.store().account(), url.user)) co_return NoSuchUrl();
  if (url.mailbox) {
    absl::StatusOr<std::string> mailbox = co_await FindUrlMailbox(session.store(), url);
    if (!mailbox.ok()) co_return mailbox.status();
    co_return MailboxAccess{session.store(), *std::move(mailbox)};
  }
  // RFC 4469, 3: relative to the mailbox that is selected.
  if (!session.selected() || !url.host.empty()) co_return NoSuchUrl();
  if (url.uid_validity && *url.uid_validity != session.mailbox().uid_validity()) {
    co_return NoSuchUrl();
  }
  co_return MailboxAccess{session.store(), session.mailbox().name()};
}

boost::asio::awaitable<absl::StatusOr<MailboxAccess>> OpenMailboxOf(Session& session,
                                                                    const ImapUrl& url,
                                                                    UrlUse use) {
  const std::string& hostname = session.context().options.hostname;
  if (!url.host.empty() && !EqualsIgnoreCase(url.host, hostname)) co_return NoSuchUrl();
  // RFC 4467: one with a token is complete.
  if (url.auth && !url.host.empty()) {
    co_return co_await OpenSignedUrl(session.context().access, session.store(), url);
  }
  if (url.auth || use == UrlUse::kFetch) co_return NoSuchUrl();
  co_return co_await OpenOwn(session, url);
}

}  // namespace

boost::asio::awaitable<absl::StatusOr<UrlOctets>> UrlOctets::Open(Session& session,
                                                                  const std::string& url,
                                                                  UrlUse use) {
  const std::optional<ImapUrl> parsed = ParseImapUrl(url);
  if (!parsed) co_return NoSuchUrl();
  const absl::StatusOr<MailboxAccess> access = co_await OpenMailboxOf(session, *parsed, use);
  if (!access.ok()) co_return access.status();
  store::v1::FetchMessagesRequest request;
  request.set_mailbox(access->mailbox);
  store::v1::UidRange& uids = *request.add_uids();
  uids.set_first(parsed->uid);
  uids.set_last(parsed->uid);
  *request.add_sections() = MakeSectionSpec(parsed->section, parsed->partial);
  UrlOctets octets(access->store.Read(request));
  const absl::Status read = co_await octets.Read();
  const ErrorReason reason = ReasonOf(read);
  if (absl::IsOutOfRange(read) || reason == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) {
    co_return NoSuchUrl();
  }
  if (!read.ok()) co_return read;
  const store::v1::SectionData& first = octets.response_.sections(0);
  if (first.missing()) co_return NoSuchUrl();
  octets.size_ = first.total();
  co_return octets;
}

boost::asio::awaitable<absl::Status> UrlOctets::Read() {
  next_section_ = 0;
  do {
    stream_.Recycle(std::move(response_));
    auto response = co_await stream_.Next();
    if (!response.ok()) co_return response.status();
    if (!response->has_value()) co_return absl::OutOfRangeError("no more octets");
    response_ = **std::move(response);
  } while (response_.sections().empty());
  co_return absl::OkStatus();
}

boost::asio::awaitable<absl::StatusOr<std::string>> UrlOctets::Next() {
  while (position_ < size_) {
    if (next_section_ == response_.sections_size()) {
      RMAIL_CO_RETURN_IF_ERROR(co_await Read());
    }
    store::v1::SectionData& data = *response_.mutable_sections(next_section_++);
    if (data.position() != position_ || data.data().size() > size_ - position_) {
      co_return absl::InternalError("octets out of order");
    }
    if (data.data().empty()) continue;
    position_ += data.data().size();
    co_return std::move(*data.mutable_data());
  }
  co_return std::string();
}

}  // namespace rmail::gateway::imap

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/exchange/folder_lookup.h"
#include "gateway/exchange/handlers.h"
#include "gateway/exchange/message_fetch.h"
#include "gateway/exchange/message_id.h"
#include "gateway/exchange/message_parts.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;
using gateway::StoreSession;

// What one call brings of a message: most messages lie in it as a whole, so that showing one costs
// one call.
constexpr uint64_t kHeadSize = 256 << 10;
// How much of a text is shown, in octets as transferred. The rest is in the raw message.
constexpr uint64_t kMaxText = 1 << 20;

// The part's body as transferred, if all of it that is shown lies in the message's first octets.
std::optional<std::string_view> Slice(std::string_view head, const store::v1::BodyPart& part) {
  const uint64_t wanted = std::min<uint64_t>(part.body_size(), kMaxText);
  if (part.body_offset() > head.size() || head.size() - part.body_offset() < wanted) {
    return std::nullopt;
  }
  return head.substr(part.body_offset(), wanted);
}

// Fills text and html; fetches what the message's first octets do not hold.
asio::awaitable<absl::Status> FillTexts(const StoreSession& session, const std::string& head,
                                        MessageDetail& detail) {
  struct Wanted {
    const Part* part;
    std::string* text;
  };
  std::vector<Wanted> missing;
  for (const Wanted wanted :
       {Wanted{&detail.parts.text, &detail.text}, Wanted{&detail.parts.html, &detail.html}}) {
    if (wanted.part->body == nullptr) continue;
    if (wanted.part->body->body_size() > kMaxText) detail.truncated = true;
    if (const auto bytes = Slice(head, *wanted.part->body)) {
      *wanted.text = DecodeText(*wanted.part->body, *bytes);
    } else {
      missing.push_back(wanted);
    }
  }
  if (missing.empty()) co_return absl::OkStatus();
  store::v1::FetchMessagesRequest request = RequestOne(detail.mailbox.name(), detail.row.uid);
  for (const Wanted& wanted : missing) {
    store::v1::SectionSpec* section = request.add_sections();
    section->mutable_part()->Add(wanted.part->number.begin(), wanted.part->number.end());
    section->set_length(kMaxText);
  }
  RMAIL_CO_ASSIGN_OR_RETURN(const Fetched fetched, co_await FetchOne(session, std::move(request)));
  for (size_t i = 0; i < missing.size(); ++i) {
    *missing[i].text = DecodeText(*missing[i].part->body, fetched.sections[i]);
  }
  co_return absl::OkStatus();
}

// Names for the keywords that the message has.
asio::awaitable<absl::Status> FillKeywords(const StoreSession& session, MessageDetail& detail) {
  constexpr uint64_t kSystemFlags = 0x1f;
  if ((detail.row.flags & ~kSystemFlags) == 0) co_return absl::OkStatus();
  store::v1::GetMailboxRequest request;
  request.set_name(detail.mailbox.name());
  RMAIL_CO_ASSIGN_OR_RETURN(store::v1::GetMailboxResponse response,
                            co_await session.Call(std::move(request)));
  *detail.mailbox.mutable_keywords() = response.mailbox().keywords();
  co_return absl::OkStatus();
}

}  // namespace

asio::awaitable<absl::StatusOr<MessagePage>> ListMessages(Call& call, ListMessagesRequest request) {
  MessagePage page;
  page.page = request.page;
  page.page_size = request.page_size;
  RMAIL_CO_ASSIGN_OR_RETURN(page.folder, co_await FindFolder(call, std::move(request.folder)));
  const std::vector<uint32_t> uids = PageOf(*page.folder->uids, page.page, page.page_size);
  RMAIL_CO_ASSIGN_OR_RETURN(
      page.rows, co_await FetchRows(*call.session, page.folder->mailbox.name(), ToRanges(uids)));
  std::reverse(page.rows.begin(), page.rows.end());
  co_return page;
}

asio::awaitable<absl::StatusOr<MessageDetail>> GetMessage(Call& call, GetMessageRequest request) {
  MessageDetail detail;
  detail.mailbox.set_name(MailboxName(call.session->account(), request.id.mailbox_id));
  store::v1::FetchMessagesRequest fetch = RequestOne(detail.mailbox.name(), request.id.uid);
  fetch.set_internal_dates(true);
  fetch.set_sizes(true);
  fetch.set_digests(true);
  fetch.add_sections()->set_length(kHeadSize);
  absl::StatusOr<Fetched> fetched = co_await FetchOne(*call.session, std::move(fetch));
  if (ReasonOf(fetched.status()) == ErrorReason::ERROR_REASON_MAILBOX_NOT_FOUND) {
    co_return NoMessage();
  }
  RMAIL_CO_RETURN_IF_ERROR(fetched.status());

  detail.row = std::move(fetched->row);
  detail.parts = FindParts(detail.row.digest.body());
  detail.row.has_attachments = HasAttachments(detail.parts);
  const std::string head = std::move(fetched->sections[0]);
  detail.header = head.substr(0, detail.row.digest.body().body_offset());
  for (const Part& part : detail.parts.attachments) {
    detail.attachment_sizes.push_back(
        DecodedSize(*part.body, Slice(head, *part.body).value_or(std::string_view())));
  }
  RMAIL_CO_RETURN_IF_ERROR(co_await FillTexts(*call.session, head, detail));
  RMAIL_CO_RETURN_IF_ERROR(co_await FillKeywords(*call.session, detail));
  co_return detail;
}

}  // namespace rmail::gateway::exchange

#include "gateway/exchange/message_fetch.h"

#include <optional>
#include <utility>

#include "gateway/exchange/failure.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;
using gateway::StoreSession;

// Moves message `i` of an answer to a row.
MessageRow TakeRow(store::v1::FetchMessagesResponse& answer, int i) {
  const store::v1::MessageColumns& columns = answer.columns();
  MessageRow row;
  row.uid = columns.uids(i);
  if (i < columns.flags_size()) row.flags = columns.flags(i);
  if (i < columns.internal_dates_size()) row.internal_date = columns.internal_dates(i);
  if (i < columns.sizes_size()) row.size = columns.sizes(i);
  if (i < answer.digests_size()) row.digest = std::move(*answer.mutable_digests(i));
  return row;
}

}  // namespace

absl::Status NoMessage() {
  return ToStatus({404, "MESSAGE_NOT_FOUND", "there is no such message", "id"});
}

asio::awaitable<absl::StatusOr<std::vector<MessageRow>>> FetchRows(
    const StoreSession& session, std::string mailbox, std::vector<store::v1::UidRange> uids) {
  std::vector<MessageRow> rows;
  if (uids.empty()) co_return rows;
  store::v1::FetchMessagesRequest request;
  request.set_mailbox(std::move(mailbox));
  request.mutable_uids()->Add(uids.begin(), uids.end());
  request.set_internal_dates(true);
  request.set_sizes(true);
  request.set_digests(true);
  gateway::Stream<store::v1::FetchMessagesResponse> stream = session.Read(request);
  for (;;) {
    RMAIL_CO_ASSIGN_OR_RETURN(std::optional<store::v1::FetchMessagesResponse> answer,
                              co_await stream.Next());
    if (!answer.has_value()) break;
    for (int i = 0; i < answer->columns().uids_size(); ++i) {
      KeepSummary(rows.emplace_back(TakeRow(*answer, i)));
    }
  }
  co_return rows;
}

asio::awaitable<absl::StatusOr<Fetched>> FetchOne(const StoreSession& session,
                                                  store::v1::FetchMessagesRequest request) {
  Fetched fetched;
  fetched.sections.resize(static_cast<size_t>(request.sections_size()));
  gateway::Stream<store::v1::FetchMessagesResponse> stream = session.Read(request);
  for (;;) {
    RMAIL_CO_ASSIGN_OR_RETURN(std::optional<store::v1::FetchMessagesResponse> answer,
                              co_await stream.Next());
    if (!answer.has_value()) break;
    if (answer->columns().uids_size() > 0) fetched.row = TakeRow(*answer, 0);
    for (store::v1::SectionData& section : *answer->mutable_sections()) {
      if (section.section() >= fetched.sections.size()) continue;
      std::string& bytes = fetched.sections[section.section()];
      if (bytes.empty()) {
        bytes = std::move(*section.mutable_data());
      } else {
        bytes += section.data();
      }
    }
  }
  if (fetched.row.uid == 0) co_return NoMessage();
  co_return fetched;
}

store::v1::FetchMessagesRequest RequestOne(const std::string& mailbox, uint32_t uid) {
  store::v1::FetchMessagesRequest request;
  request.set_mailbox(mailbox);
  store::v1::UidRange* range = request.add_uids();
  range->set_first(uid);
  range->set_last(uid);
  return request;
}

}  // namespace rmail::gateway::exchange

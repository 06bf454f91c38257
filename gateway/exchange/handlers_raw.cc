#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/exchange/handlers.h"
#include "gateway/exchange/http/body.h"
#include "gateway/exchange/message_fetch.h"
#include "gateway/exchange/message_id.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;

// A section's bytes as they come from the store.
class SectionSource final : public http::BodySource {
 public:
  using Stream = gateway::Stream<store::v1::FetchMessagesResponse>;

  explicit SectionSource(Stream stream) : stream_(std::move(stream)) {}

  // Reads up to the first octets; the section's size, or nullopt when there is no such message.
  asio::awaitable<absl::StatusOr<std::optional<uint64_t>>> Start() {
    for (;;) {
      RMAIL_CO_ASSIGN_OR_RETURN(const bool more, co_await Fill());
      if (!more) co_return std::nullopt;
      if (total_.has_value()) co_return total_;
    }
  }

  asio::awaitable<absl::StatusOr<std::string>> Next() override {
    while (pieces_.empty()) {
      RMAIL_CO_ASSIGN_OR_RETURN(const bool more, co_await Fill());
      if (!more) co_return std::string();
    }
    std::string piece = std::move(pieces_.front());
    pieces_.pop_front();
    co_return piece;
  }

 private:
  // False at the end.
  asio::awaitable<absl::StatusOr<bool>> Fill() {
    if (ended_) co_return false;
    RMAIL_CO_ASSIGN_OR_RETURN(std::optional<store::v1::FetchMessagesResponse> answer,
                              co_await stream_.Next());
    ended_ = !answer.has_value();
    if (ended_) co_return false;
    for (store::v1::SectionData& section : *answer->mutable_sections()) {
      if (section.missing()) continue;
      total_ = section.total();
      if (!section.data().empty()) pieces_.push_back(std::move(*section.mutable_data()));
    }
    co_return true;
  }

  Stream stream_;
  std::deque<std::string> pieces_;
  std::optional<uint64_t> total_;
  bool ended_ = false;
};

}  // namespace

asio::awaitable<absl::StatusOr<http::Response>> GetRawMessage(Call& call,
                                                              GetMessageRequest request) {
  store::v1::FetchMessagesRequest fetch =
      RequestOne(MailboxName(call.session->account(), request.id.mailbox_id), request.id.uid);
  fetch.add_sections();
  auto source = std::make_shared<SectionSource>(call.session->Read(fetch));
  absl::StatusOr<std::optional<uint64_t>> size = co_await source->Start();
  if (ReasonOf(size.status()) == ErrorReason::ERROR_REASON_MAILBOX_NOT_FOUND) {
    co_return NoMessage();
  }
  RMAIL_CO_RETURN_IF_ERROR(size.status());
  if (!size->has_value()) co_return NoMessage();
  http::Response response;
  response.content_type = "message/rfc822";
  response.stream_size = *size;
  response.stream = std::move(source);
  co_return response;
}

}  // namespace rmail::gateway::exchange

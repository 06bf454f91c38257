#include "store/service/uploads.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/engine/file_name.h"
#include "store/engine/incoming_message.h"
#include "store/engine/message_records.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// Gateways have limits of their own, well below.
constexpr uint64_t kMaxMessage = uint64_t{1} << 30;
constexpr size_t kMaxChunk = 1 << 20;
constexpr int kMaxRecipients = 1000;

int64_t NowMicros() { return absl::ToUnixMicros(absl::Now()); }

absl::Status BadRequest(std::string_view why) {
  return Error(pb::ERROR_REASON_INVALID_REQUEST, why);
}

// The bytes of an upload, until all have come.
class Body {
 public:
  absl::Status Open(engine::Engine& engine, const std::string& directory, uint64_t announced) {
    if (announced > kMaxMessage) return TooLarge();
    announced_ = announced;
    RMAIL_ASSIGN_OR_RETURN(
        message_, engine::IncomingMessage::Create(engine.env(), directory, &engine.commits()));
    return absl::OkStatus();
  }
  bool open() const { return message_ != nullptr; }

  absl::Status Write(std::string_view data) {
    if (message_ == nullptr) return BadRequest("data before the header");
    if (data.size() > kMaxChunk) return BadRequest("a chunk is too large");
    const uint64_t size = message_->size() + data.size();
    if (size > kMaxMessage || (announced_ != 0 && size > announced_)) return TooLarge();
    records_builder_.Update(data);
    return message_->Write(data);
  }

  // All have come: checks that, and that they are on disk.
  absl::Status Finish(const pb::MessageEnd& end) {
    if (message_ == nullptr) return BadRequest("an end before the header");
    const uint64_t size = message_->size();
    if (end.size() != size || (announced_ != 0 && announced_ != size)) {
      return BadRequest(fmt::format("{} octets came, not as many as announced", size));
    }
    records_ = records_builder_.Finish();
    return message_->Finish();
  }

  const engine::IncomingMessage& message() const { return *message_; }
  // After Finish: what is kept beside the message.
  const engine::MessageRecords& records() const { return records_; }

 private:
  static absl::Status TooLarge() {
    return Error(pb::ERROR_REASON_MESSAGE_TOO_LARGE, "the message is larger than it may be");
  }

  std::unique_ptr<engine::IncomingMessage> message_;
  engine::MessageRecordsBuilder records_builder_;
  engine::MessageRecords records_;
  uint64_t announced_ = 0;
};

// The order of an upload's messages, the same for both calls.
template <typename Request, typename Response, typename Header>
class BodyReceiver : public Receiver<Request, Response> {
 public:
  absl::StatusOr<bool> Take(Request* request) final {
    switch (request->part_case()) {
      case Request::kHeader:
        if (body_.open()) return BadRequest("a second header");
        RMAIL_RETURN_IF_ERROR(Begin(request->header()));
        return false;
      case Request::kData:
        RMAIL_RETURN_IF_ERROR(Write(request->data()));
        return false;
      case Request::kEnd:
        RMAIL_RETURN_IF_ERROR(body_.Finish(request->end()));
        return true;
      case Request::PART_NOT_SET:
        break;
    }
    return BadRequest("an empty message in an upload");
  }

 protected:
  // Opens `body_`.
  virtual absl::Status Begin(const Header& header) = 0;
  virtual absl::Status Write(const std::string& data) { return body_.Write(data); }

  Body body_;
};

class AppendReceiver
    : public BodyReceiver<pb::AppendMessageRequest, pb::AppendMessageResponse, pb::AppendHeader> {
 public:
  AppendReceiver(ServiceContext context, const grpc::CallbackServerContext* call)
      : context_(context), call_(call) {}

  absl::Status Finish(pb::AppendMessageResponse* response) override { return Commit(response); }

 private:
  absl::Status Begin(const pb::AppendHeader& header) override {
    RMAIL_ASSIGN_OR_RETURN(resource_, context_.authorizer.Resource(*call_, header.mailbox()));
    if (header.internal_date() < 0) return BadRequest("an internal date before 1970");
    RMAIL_ASSIGN_OR_RETURN(mailbox_, resource_.account->OpenMailbox(resource_.mailbox_id));
    // Early, so that nobody sends what won't fit.
    RMAIL_RETURN_IF_ERROR(CheckRoom(header.size()));
    header_ = header;
    RMAIL_ASSIGN_OR_RETURN(const std::string directory, mailbox_->IncomingDirectory());
    return body_.Open(context_.engine, directory, header.size());
  }

  absl::Status Write(const std::string& data) override {
    if (body_.open()) RMAIL_RETURN_IF_ERROR(CheckRoom(body_.message().size() + data.size()));
    return body_.Write(data);
  }

  absl::Status CheckRoom(uint64_t size) {
    if (checked_ && size <= *checked_) return absl::OkStatus();
    checked_ = size;
    return resource_.account->CheckRoom(size);
  }

  absl::Status Commit(pb::AppendMessageResponse* response) {
    engine::Account& account = *resource_.account;
    engine::MessageInfo info;
    RMAIL_ASSIGN_OR_RETURN(
        info.flags, account.FlagsMask(resource_.mailbox_id, header_.flags(), /*create=*/true));
    info.internal_date = header_.internal_date() != 0 ? header_.internal_date() : NowMicros();
    info.size = body_.message().size();
    engine::Mailbox::AppendOptions options;
    options.records = &body_.records();
    RMAIL_ASSIGN_OR_RETURN(options.quota, account.QuotaLimit());
    RMAIL_ASSIGN_OR_RETURN(const engine::Mailbox::AppendedMessage appended,
                           mailbox_->Append(body_.message().path(), info, options));
    // Deleted right after, it has none.
    const absl::StatusOr<engine::MailboxEntry> entry = account.Entry(resource_.mailbox_id);
    if (entry.ok()) response->set_uid_validity(entry->uid_validity);
    response->set_uid(appended.uid);
    response->set_modseq(appended.modseq);
    return absl::OkStatus();
  }

  const ServiceContext context_;
  const grpc::CallbackServerContext* const call_;
  AccountResource resource_;
  std::shared_ptr<engine::Mailbox> mailbox_;
  pb::AppendHeader header_;
  std::optional<uint64_t> checked_;  // octets that had room
};

class DeliverReceiver : public BodyReceiver<pb::DeliverMessageRequest, pb::DeliverMessageResponse,
                                            pb::DeliverHeader> {
 public:
  DeliverReceiver(ServiceContext context, const grpc::CallbackServerContext* call)
      : context_(context), call_(call) {}

  absl::Status Finish(pb::DeliverMessageResponse* response) override {
    for (const std::string& recipient : header_.recipients()) {
      pb::DeliveryResult* const result = response->add_results();
      result->set_recipient(recipient);
      const absl::StatusOr<uint32_t> uid = DeliverTo(recipient);
      if (uid.ok()) {
        result->set_uid(*uid);
        continue;
      }
      const absl::Status status = AsStoreError(uid.status());
      result->set_reason(ReasonName(ReasonOf(status)));
      result->set_message(std::string(FromAbsl(status.message())));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Begin(const pb::DeliverHeader& header) override {
    RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call_, {TokenScope::kDeliver}));
    if (header.recipients().empty() || header.recipients_size() > kMaxRecipients) {
      return BadRequest("a delivery has 1 to 1,000 recipients");
    }
    const absl::flat_hash_set<std::string> distinct(header.recipients().begin(),
                                                    header.recipients().end());
    if (distinct.size() != static_cast<size_t>(header.recipients_size())) {
      return BadRequest("a recipient comes twice");
    }
    header_ = header;
    // The file is written where the first recipient that can be reached will have it.
    absl::Status refused;
    for (const std::string& recipient : header.recipients()) {
      absl::Status opened = OpenBodyAt(recipient);
      if (opened.ok()) return opened;
      // What may pass comes first: who is told that there is no such account bounces the mail.
      if (refused.ok() || (IsRecipientsFault(refused) && !IsRecipientsFault(opened))) {
        refused = std::move(opened);
      }
    }
    return refused;
  }

  // Whether trying again would not help.
  static bool IsRecipientsFault(const absl::Status& status) {
    switch (ReasonOf(status)) {
      case pb::ERROR_REASON_ACCOUNT_NOT_FOUND:
      case pb::ERROR_REASON_ACCOUNT_DISABLED:
      case pb::ERROR_REASON_INVALID_ADDRESS:
      case pb::ERROR_REASON_INVALID_REQUEST:
        return true;
      default:
        return false;
    }
  }

  absl::Status OpenBodyAt(const std::string& recipient) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                           FindRecipient(recipient));
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> inbox, account->OpenInbox());
    RMAIL_ASSIGN_OR_RETURN(const std::string directory, inbox->IncomingDirectory());
    return body_.Open(context_.engine, directory, header_.size());
  }

  absl::StatusOr<std::shared_ptr<engine::Account>> FindRecipient(const std::string& name) {
    const std::optional<engine::ResourceName> resource = engine::ParseResourceName(name);
    if (!resource || !resource->mailbox.empty()) {
      return BadRequest("a recipient is not the name of an account");
    }
    RMAIL_ASSIGN_OR_RETURN(std::shared_ptr<engine::Account> account,
                           context_.engine.FindAccount(resource->account));
    RMAIL_ASSIGN_OR_RETURN(const engine::UserSettings settings, account->Settings());
    if (settings.disabled) {
      return Error(pb::ERROR_REASON_ACCOUNT_DISABLED, "the account is disabled");
    }
    return account;
  }

  absl::StatusOr<uint32_t> DeliverTo(const std::string& recipient) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                           FindRecipient(recipient));
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> inbox, account->OpenInbox());
    engine::MessageInfo info;
    info.internal_date = NowMicros();
    info.size = body_.message().size();
    engine::Mailbox::AppendOptions options;
    options.records = &body_.records();
    RMAIL_ASSIGN_OR_RETURN(options.quota, account->QuotaLimit());
    RMAIL_ASSIGN_OR_RETURN(const engine::Mailbox::AppendedMessage appended,
                           inbox->Append(body_.message().path(), info, options));
    return appended.uid;
  }

  const ServiceContext context_;
  const grpc::CallbackServerContext* const call_;
  pb::DeliverHeader header_;
};

}  // namespace

std::unique_ptr<Receiver<pb::AppendMessageRequest, pb::AppendMessageResponse>> NewAppendReceiver(
    ServiceContext context, const grpc::CallbackServerContext* call) {
  return std::make_unique<AppendReceiver>(context, call);
}

std::unique_ptr<Receiver<pb::DeliverMessageRequest, pb::DeliverMessageResponse>> NewDeliverReceiver(
    ServiceContext context, const grpc::CallbackServerContext* call) {
  return std::make_unique<DeliverReceiver>(context, call);
}

}  // namespace rmail::service

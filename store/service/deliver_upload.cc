// DeliverMessage: one message to the INBOX of each recipient, and into the queue for other servers.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/engine/file_name.h"
#include "store/engine/incoming_message.h"
#include "store/engine/message_records.h"
#include "store/engine/queue_file.h"
#include "store/service/upload_body.h"
#include "store/service/uploads.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr int kMaxRecipients = 1000;
constexpr size_t kMaxFields = 16 << 10;

// Whole fields, and no end of the header: what follows is the message's.
bool AreHeaderFields(std::string_view text) {
  if (text.empty()) return true;
  return text.size() <= kMaxFields && text.ends_with("\r\n") && text.front() > ' ' &&
         text.find("\r\n\r\n") == std::string_view::npos &&
         text.find('\0') == std::string_view::npos;
}

class DeliverReceiver : public BodyReceiver<pb::DeliverMessageRequest, pb::DeliverMessageResponse,
                                            pb::DeliverHeader> {
 public:
  DeliverReceiver(ServiceContext context, const grpc::CallbackServerContext* call)
      : context_(context), call_(call) {}

  absl::Status Finish(pb::DeliverMessageResponse* response) override {
    if (header_.has_queue()) {
      // First: when it fails, nothing is stored.
      const engine::IncomingMessage& queued = copy_ != nullptr ? *copy_ : *message_;
      RMAIL_ASSIGN_OR_RETURN(
          const std::string id,
          context_.engine.queue().Enqueue(queued.path(), queued.size(), header_.queue(),
                                          header_.max_queued_messages()));
      response->set_queued(engine::QueueName(id));
    }
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
  absl::Status Add(Body& body) override {
    message_ = body.TakeMessage();
    copy_ = body.TakeCopy();
    records_ = body.TakeRecords();
    return absl::OkStatus();
  }
  bool IsComplete() const override { return message_ != nullptr; }

  absl::Status Begin(const pb::DeliverHeader& header) override {
    if (message_ != nullptr) return BadRequest("a second message in a delivery");
    RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call_, {TokenScope::kDeliver}));
    RMAIL_RETURN_IF_ERROR(CheckHeader(header));
    header_ = header;
    BodyPlan plan;
    plan.announced = header.size();
    if (!header.has_queue()) {
      plan.fields = header.mailbox_fields();
      return OpenAtInbox(plan);
    }
    engine::Queue& queue = context_.engine.queue();
    // Early, so that nobody sends what there is no room for.
    RMAIL_RETURN_IF_ERROR(queue.CheckRoom(header.max_queued_messages()));
    RMAIL_ASSIGN_OR_RETURN(const std::string directory, queue.IncomingDirectory());
    if (!header.recipients().empty() && !header.mailbox_fields().empty()) {
      plan.fields = header.mailbox_fields();
      plan.copy_directory = directory;
      unreachable_ = OpenAtInbox(plan);
      if (unreachable_.ok()) return absl::OkStatus();
      plan.fields.clear();
      plan.copy_directory.clear();
    }
    // One file for all.
    plan.directory = directory;
    plan.records = !header.recipients().empty() && unreachable_.ok();
    return OpenBody(context_.engine, plan);
  }

  static absl::Status CheckHeader(const pb::DeliverHeader& header) {
    if (header.recipients_size() > kMaxRecipients ||
        (header.recipients().empty() && !header.has_queue())) {
      return BadRequest("a delivery has 1 to 1,000 recipients");
    }
    const absl::flat_hash_set<std::string> distinct(header.recipients().begin(),
                                                    header.recipients().end());
    if (distinct.size() != static_cast<size_t>(header.recipients_size())) {
      return BadRequest("a recipient comes twice");
    }
    if (!AreHeaderFields(header.mailbox_fields())) {
      return BadRequest("mailbox_fields are not header fields");
    }
    return header.has_queue() ? engine::CheckEnvelope(header.queue()) : absl::OkStatus();
  }

  // The file is written where the first recipient that can be reached will have it.
  absl::Status OpenAtInbox(const BodyPlan& plan) {
    absl::Status refused;
    for (const std::string& recipient : header_.recipients()) {
      absl::Status opened = OpenBodyAt(recipient, plan);
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

  absl::Status OpenBodyAt(const std::string& recipient, BodyPlan plan) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                           FindRecipient(recipient));
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> inbox, account->OpenInbox());
    RMAIL_ASSIGN_OR_RETURN(plan.directory, inbox->IncomingDirectory());
    return OpenBody(context_.engine, plan);
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
    // Whoever could not be reached when the message came has no file of it.
    RMAIL_RETURN_IF_ERROR(unreachable_);
    engine::MessageInfo info;
    info.internal_date = absl::ToUnixMicros(absl::Now());
    info.size = message_->size();
    engine::Mailbox::AppendOptions options;
    options.records = &records_;
    RMAIL_ASSIGN_OR_RETURN(options.quota, account->QuotaLimit());
    RMAIL_ASSIGN_OR_RETURN(const engine::Mailbox::AppendedMessage appended,
                           inbox->Append(message_->path(), info, options));
    return appended.uid;
  }

  const ServiceContext context_;
  const grpc::CallbackServerContext* const call_;
  pb::DeliverHeader header_;
  // Why there is no file for mailboxes, although there are recipients.
  absl::Status unreachable_;
  // Once it has come. What is queued is the copy, when there is one.
  std::unique_ptr<engine::IncomingMessage> message_;
  std::unique_ptr<engine::IncomingMessage> copy_;
  engine::MessageRecords records_;
};

}  // namespace

std::unique_ptr<Receiver<pb::DeliverMessageRequest, pb::DeliverMessageResponse>> NewDeliverReceiver(
    ServiceContext context, const grpc::CallbackServerContext* call) {
  return std::make_unique<DeliverReceiver>(context, call);
}

}  // namespace rmail::service

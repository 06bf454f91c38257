// AppendMessage: messages to one mailbox, all or none.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/file_name.h"
#include "store/engine/incoming_message.h"
#include "store/engine/message_records.h"
#include "store/service/upload_body.h"
#include "store/service/uploads.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using engine::Mailbox;

// What is kept beside the messages waits in memory for the last of them. What is beyond this is
// made when it is first asked for.
constexpr size_t kMaxRecordOctets = 16 << 20;

class AppendReceiver
    : public BodyReceiver<pb::AppendMessageRequest, pb::AppendMessageResponse, pb::AppendHeader> {
 public:
  AppendReceiver(ServiceContext context, const grpc::CallbackServerContext* call)
      : context_(context), call_(call) {}

  absl::Status Finish(pb::AppendMessageResponse* response) override {
    RMAIL_ASSIGN_OR_RETURN(const std::vector<Mailbox::NewMessage> messages, Messages());
    Mailbox::AppendOptions options;
    RMAIL_ASSIGN_OR_RETURN(options.quota, resource_.account->QuotaLimit());
    if (replaced_in_ == mailbox_) {
      options.replaces = replaced_uid_;
    } else if (replaced_in_ != nullptr) {
      RMAIL_ASSIGN_OR_RETURN(options.freed, SizeOfReplaced());
    }
    RMAIL_ASSIGN_OR_RETURN(const Mailbox::AppendedMessage appended,
                           mailbox_->AppendAll(messages, options));
    // Deleted right after, it has none.
    const absl::StatusOr<engine::MailboxEntry> entry =
        resource_.account->Entry(resource_.mailbox_id);
    if (entry.ok()) response->set_uid_validity(entry->uid_validity);
    response->set_uid(appended.uid);
    response->set_modseq(appended.modseq);
    response->set_replaced(appended.replaced || RemoveElsewhere());
    if (options.freed == 0 || response->replaced()) return absl::OkStatus();
    return KeepIfThereIsRoom(appended.uid);
  }

 private:
  // A message that has come, and waits for the others.
  struct Arrived {
    pb::AppendHeader header;
    std::unique_ptr<engine::IncomingMessage> message;
    std::optional<engine::MessageRecords> records;
  };

  absl::Status Begin(const pb::AppendHeader& header) override {
    if (arrived_.size() == Mailbox::kMaxAppended) return BadRequest("too many messages");
    if (header.internal_date() < 0) return BadRequest("an internal date before 1970");
    if (arrived_.empty()) {
      RMAIL_ASSIGN_OR_RETURN(resource_, context_.authorizer.Resource(*call_, header.mailbox()));
      RMAIL_ASSIGN_OR_RETURN(mailbox_, resource_.account->OpenMailbox(resource_.mailbox_id));
      if (header.has_replaces()) RMAIL_RETURN_IF_ERROR(FindReplaced(header.replaces()));
    } else if (header.mailbox() != header_.mailbox()) {
      return BadRequest("messages for several mailboxes");
    } else if (header.has_replaces() || header_.has_replaces()) {
      return BadRequest("only a single message can replace another");
    }
    // Early, so that nobody sends what won't fit.
    RMAIL_RETURN_IF_ERROR(CheckRoom(arrived_octets_ + header.size()));
    // So are flags that can't be: headers are kept until the last message has come.
    RMAIL_RETURN_IF_ERROR(
        resource_.account->FlagsMask(resource_.mailbox_id, header.flags(), /*create=*/false)
            .status());
    header_ = header;
    BodyPlan plan;
    RMAIL_ASSIGN_OR_RETURN(plan.directory, mailbox_->IncomingDirectory());
    plan.announced = header.size();
    return OpenBody(context_.engine, plan);
  }

  absl::Status Write(Body& body, const std::string& data) override {
    RMAIL_RETURN_IF_ERROR(CheckRoom(arrived_octets_ + body.size() + data.size()));
    return body.Write(data);
  }

  absl::Status Add(Body& body) override {
    Arrived& arrived = arrived_.emplace_back();
    arrived.header = header_;
    arrived_octets_ += body.size();
    arrived.message = body.TakeMessage();
    engine::MessageRecords records = body.TakeRecords();
    const size_t octets = records.digest.size() + records.keys.size();
    if (octets <= kMaxRecordOctets - record_octets_) {
      record_octets_ += octets;
      arrived.records = std::move(records);
    }
    return absl::OkStatus();
  }

  bool IsComplete() const override { return !arrived_.empty(); }

  absl::Status CheckRoom(uint64_t size) {
    if (checked_ && size <= *checked_) return absl::OkStatus();
    checked_ = size;
    if (size <= freed_) return absl::OkStatus();
    return resource_.account->CheckRoom(size - freed_);
  }

  absl::Status FindReplaced(const pb::ReplacedMessage& replaced) {
    RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                           context_.authorizer.Resource(*call_, replaced.mailbox()));
    if (resource.account->address().ToString() != resource_.account->address().ToString()) {
      return BadRequest("the message replaced is another account's");
    }
    if (replaced.uid() == 0) return BadRequest("no UID of the message replaced");
    replaced_uid_ = replaced.uid();
    if (resource.mailbox_id == resource_.mailbox_id) {
      replaced_in_ = mailbox_;
    } else {
      absl::StatusOr<std::shared_ptr<Mailbox>> opened =
          resource.account->OpenMailbox(resource.mailbox_id);
      // Gone with its mailbox.
      if (ReasonOf(opened.status()) == pb::ERROR_REASON_MAILBOX_NOT_FOUND) return absl::OkStatus();
      RMAIL_RETURN_IF_ERROR(opened.status());
      replaced_in_ = *std::move(opened);
    }
    RMAIL_ASSIGN_OR_RETURN(freed_, SizeOfReplaced());
    return absl::OkStatus();
  }

  // 0 when it is there no more.
  absl::StatusOr<uint64_t> SizeOfReplaced() {
    const absl::StatusOr<std::vector<engine::MessageRow>> rows =
        replaced_in_->Rows({{replaced_uid_, replaced_uid_}});
    if (ReasonOf(rows.status()) == pb::ERROR_REASON_MAILBOX_NOT_FOUND) return 0;
    RMAIL_RETURN_IF_ERROR(rows.status());
    return rows->empty() ? 0 : rows->front().info.size;
  }

  absl::StatusOr<std::vector<Mailbox::NewMessage>> Messages() {
    const int64_t now = absl::ToUnixMicros(absl::Now());
    std::vector<Mailbox::NewMessage> messages;
    for (const Arrived& arrived : arrived_) {
      Mailbox::NewMessage& message = messages.emplace_back();
      message.path = arrived.message->path();
      message.info.size = arrived.message->size();
      message.info.internal_date =
          arrived.header.internal_date() != 0 ? arrived.header.internal_date() : now;
      message.records = arrived.records ? &*arrived.records : nullptr;
      RMAIL_ASSIGN_OR_RETURN(message.info.flags,
                             resource_.account->FlagsMask(resource_.mailbox_id,
                                                          arrived.header.flags(), /*create=*/true));
    }
    return messages;
  }

  // Removes the message replaced, if it is in another mailbox. The new one is there whatever comes
  // of it.
  bool RemoveElsewhere() {
    if (replaced_in_ == nullptr || replaced_in_ == mailbox_) return false;
    const absl::StatusOr<Mailbox::ExpungeResult> removed =
        replaced_in_->Remove({{replaced_uid_, replaced_uid_}});
    if (removed.ok()) return !removed->uids.empty();
    LogWarning("{}: UID {} was replaced and is not removed: {}", replaced_in_->directory(),
               replaced_uid_, FromAbsl(removed.status().message()));
    return false;
  }

  // The message replaced was counted on to make room, and another call removed it: of several that
  // replace the same message, only one may take its room.
  absl::Status KeepIfThereIsRoom(uint32_t uid) {
    const absl::Status room = resource_.account->CheckRoom(0);
    if (ReasonOf(room) != pb::ERROR_REASON_OVER_QUOTA) return absl::OkStatus();
    RMAIL_RETURN_IF_ERROR(mailbox_->Remove({{uid, uid}}).status());
    return room;
  }

  const ServiceContext context_;
  const grpc::CallbackServerContext* const call_;
  // Of the first header.
  AccountResource resource_;
  std::shared_ptr<Mailbox> mailbox_;
  // Null: no message is replaced.
  std::shared_ptr<Mailbox> replaced_in_;
  uint32_t replaced_uid_ = 0;
  uint64_t freed_ = 0;  // octets, as known when it began
  // Of the message under way, or the last one.
  pb::AppendHeader header_;
  std::vector<Arrived> arrived_;
  uint64_t arrived_octets_ = 0;
  size_t record_octets_ = 0;
  std::optional<uint64_t> checked_;  // octets that had room
};

}  // namespace

std::unique_ptr<Receiver<pb::AppendMessageRequest, pb::AppendMessageResponse>> NewAppendReceiver(
    ServiceContext context, const grpc::CallbackServerContext* call) {
  return std::make_unique<AppendReceiver>(context, call);
}

}  // namespace rmail::service

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rmail/store/v1/message.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/service/fetch.h"
#include "store/service/mailbox_view.h"
#include "store/service/reactors.h"
#include "store/service/search.h"
#include "store/service/services.h"
#include "store/service/uploads.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// Messages in one answer of SyncMailbox, twice as many without modseqs: about 256 KiB.
constexpr size_t kSyncBatch = 16'384;
constexpr int kMaxSections = 100;

struct OpenedMailbox {
  AccountResource resource;
  std::shared_ptr<engine::Mailbox> mailbox;
  engine::MailboxEntry entry;
};

absl::StatusOr<engine::FlagOperation> ToOperation(pb::UpdateFlagsRequest::Operation operation) {
  switch (operation) {
    case pb::UpdateFlagsRequest::OPERATION_ADD:
      return engine::FlagOperation::kAdd;
    case pb::UpdateFlagsRequest::OPERATION_REMOVE:
      return engine::FlagOperation::kRemove;
    case pb::UpdateFlagsRequest::OPERATION_REPLACE:
      return engine::FlagOperation::kReplace;
    default:
      return Error(pb::ERROR_REASON_INVALID_REQUEST, "no operation is given");
  }
}

class MessageServicer : public pb::MessageService::CallbackService {
 public:
  explicit MessageServicer(ServiceContext context) : context_(context) {}

  grpc::ServerReadReactor<pb::AppendMessageRequest>* AppendMessage(
      grpc::CallbackServerContext* call, pb::AppendMessageResponse* response) override {
    return new UploadReactor<pb::AppendMessageRequest, pb::AppendMessageResponse>(
        context_.pool, context_.authorizer.Caller(*call).status(), response,
        NewAppendReceiver(context_, call));
  }

  grpc::ServerReadReactor<pb::DeliverMessageRequest>* DeliverMessage(
      grpc::CallbackServerContext* call, pb::DeliverMessageResponse* response) override {
    return new UploadReactor<pb::DeliverMessageRequest, pb::DeliverMessageResponse>(
        context_.pool, context_.authorizer.Caller(*call).status(), response,
        NewDeliverReceiver(context_, call));
  }

  grpc::ServerWriteReactor<pb::SyncMailboxResponse>* SyncMailbox(
      grpc::CallbackServerContext* call, const pb::SyncMailboxRequest* request) override {
    return StreamReactor<pb::SyncMailboxResponse>::Start(
        context_.pool, [this, call, request] { return Sync(*call, *request); });
  }

  grpc::ServerWriteReactor<pb::FetchMessagesResponse>* FetchMessages(
      grpc::CallbackServerContext* call, const pb::FetchMessagesRequest* request) override {
    return StreamReactor<pb::FetchMessagesResponse>::Start(
        context_.pool,
        [this, call, request]() -> absl::StatusOr<Producer<pb::FetchMessagesResponse>> {
          RMAIL_ASSIGN_OR_RETURN(const OpenedMailbox opened, Open(*call, request->mailbox()));
          if (request->sections_size() > kMaxSections) {
            return Error(pb::ERROR_REASON_INVALID_REQUEST, "too many sections");
          }
          RMAIL_ASSIGN_OR_RETURN(const std::vector<engine::UidSpan> spans,
                                 ToSpans(request->uids()));
          RMAIL_ASSIGN_OR_RETURN(engine::RowCursor rows,
                                 opened.mailbox->View(spans, request->changed_since()));
          return NewFetch(context_.engine.env(), opened.mailbox, std::move(rows), *request);
        });
  }

  grpc::ServerUnaryReactor* UpdateFlags(grpc::CallbackServerContext* call,
                                        const pb::UpdateFlagsRequest* request,
                                        pb::UpdateFlagsResponse* response) override {
    return RunUnary(context_.pool, call,
                    [this, call, request, response] { return Update(*call, *request, response); });
  }

  grpc::ServerUnaryReactor* CopyMessages(grpc::CallbackServerContext* call,
                                         const pb::CopyMessagesRequest* request,
                                         pb::CopyMessagesResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response] {
      return Transfer(*call, *request, &engine::Account::CopyMessages, response);
    });
  }

  grpc::ServerUnaryReactor* MoveMessages(grpc::CallbackServerContext* call,
                                         const pb::MoveMessagesRequest* request,
                                         pb::MoveMessagesResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      uint64_t source_modseq = 0;
      RMAIL_RETURN_IF_ERROR(
          Transfer(*call, *request, &engine::Account::MoveMessages, response, &source_modseq));
      response->set_source_modseq(source_modseq);
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* ExpungeMessages(grpc::CallbackServerContext* call,
                                            const pb::ExpungeMessagesRequest* request,
                                            pb::ExpungeMessagesResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const OpenedMailbox opened, Open(*call, request->mailbox()));
      RMAIL_ASSIGN_OR_RETURN(std::vector<engine::UidSpan> spans, ToSpans(request->uids()));
      if (request->uids().empty()) spans.push_back({1, UINT32_MAX});
      RMAIL_ASSIGN_OR_RETURN(const engine::Mailbox::ExpungeResult result,
                             opened.mailbox->Expunge(spans));
      AddRanges(result.uids, response->mutable_expunged());
      response->set_highest_modseq(result.highest_modseq);
      return absl::OkStatus();
    });
  }

  grpc::ServerWriteReactor<pb::SearchMessagesResponse>* SearchMessages(
      grpc::CallbackServerContext* call, const pb::SearchMessagesRequest* request) override {
    return StartSearch<pb::SearchMessagesResponse>(*call, *request, &NewSearch);
  }

  grpc::ServerWriteReactor<pb::SortMessagesResponse>* SortMessages(
      grpc::CallbackServerContext* call, const pb::SortMessagesRequest* request) override {
    return StartSearch<pb::SortMessagesResponse>(*call, *request, &NewSort);
  }

  grpc::ServerWriteReactor<pb::ThreadMessagesResponse>* ThreadMessages(
      grpc::CallbackServerContext* call, const pb::ThreadMessagesRequest* request) override {
    return StartSearch<pb::ThreadMessagesResponse>(*call, *request, &NewThread);
  }

 private:
  template <typename Response, typename Request>
  grpc::ServerWriteReactor<Response>* StartSearch(
      const grpc::CallbackServerContext& call, const Request& request,
      absl::StatusOr<Producer<Response>> (*make)(SearchedMailbox, const Request&)) {
    return StreamReactor<Response>::Start(
        context_.pool, [this, &call, &request, make]() -> absl::StatusOr<Producer<Response>> {
          RMAIL_ASSIGN_OR_RETURN(const OpenedMailbox opened, Open(call, request.mailbox()));
          return make({context_.engine.env(), opened.mailbox, engine::AllKeywords(opened.entry)},
                      request);
        });
  }

  absl::StatusOr<OpenedMailbox> Open(const grpc::CallbackServerContext& call,
                                     const std::string& name) {
    OpenedMailbox opened;
    RMAIL_ASSIGN_OR_RETURN(opened.resource, context_.authorizer.Resource(call, name));
    const AccountResource& resource = opened.resource;
    RMAIL_ASSIGN_OR_RETURN(opened.mailbox, resource.account->OpenMailbox(resource.mailbox_id));
    RMAIL_ASSIGN_OR_RETURN(opened.entry, Entry(resource));
    return opened;
  }

  static absl::StatusOr<engine::MailboxEntry> Entry(const AccountResource& resource) {
    return resource.account->Entry(resource.mailbox_id);
  }

  absl::StatusOr<Producer<pb::SyncMailboxResponse>> Sync(const grpc::CallbackServerContext& call,
                                                         const pb::SyncMailboxRequest& request) {
    RMAIL_ASSIGN_OR_RETURN(const OpenedMailbox opened, Open(call, request.mailbox()));
    const bool other_validity =
        request.uid_validity() != 0 && request.uid_validity() != opened.entry.uid_validity;
    RMAIL_ASSIGN_OR_RETURN(
        engine::Mailbox::Changes changes,
        opened.mailbox->ChangesSince(other_validity ? 0 : request.since_modseq()));
    // Read after the flags: each bit in them has its name in the list.
    RMAIL_ASSIGN_OR_RETURN(const engine::MailboxEntry entry, Entry(opened.resource));
    pb::SyncMailboxResponse first;
    FillMailbox(*opened.resource.account, opened.resource.mailbox_id, entry,
                first.mutable_mailbox());
    FillCounts(entry, changes.counts, first.mutable_mailbox()->mutable_counts());
    first.set_reset(changes.reset || other_validity);
    AddRanges(changes.expunged, first.mutable_expunged());
    return [first = std::move(first), rows = std::move(changes.changed), started = false,
            omit_modseqs = request.omit_modseqs()](
               pb::SyncMailboxResponse* response) mutable -> absl::StatusOr<bool> {
      const bool is_first = !std::exchange(started, true);
      if (is_first) *response = std::move(first);
      const size_t batch = omit_modseqs ? 2 * kSyncBatch : kSyncBatch;
      engine::RowRun run;
      size_t added = 0;
      for (; rows.NextRun(batch - added, &run); added += run.end - run.begin) {
        AddRun(run, !omit_modseqs, response->mutable_changed());
      }
      return is_first || added > 0;
    };
  }

  using TransferCall = absl::StatusOr<engine::Mailbox::TransferResult> (engine::Account::*)(
      const std::string&, const std::vector<engine::UidSpan>&, const std::string&);

  // CopyMessages and MoveMessages: requests and answers have the same fields.
  template <typename Request, typename Response>
  absl::Status Transfer(const grpc::CallbackServerContext& call, const Request& request,
                        TransferCall transfer, Response* response,
                        uint64_t* source_modseq = nullptr) {
    RMAIL_ASSIGN_OR_RETURN(const AccountResource source,
                           context_.authorizer.Resource(call, request.mailbox()));
    RMAIL_ASSIGN_OR_RETURN(const AccountResource target,
                           context_.authorizer.Resource(call, request.target()));
    if (source.account->address().ToString() != target.account->address().ToString()) {
      return Error(pb::ERROR_REASON_INVALID_REQUEST, "the target is another account's");
    }
    RMAIL_ASSIGN_OR_RETURN(const std::vector<engine::UidSpan> spans, ToSpans(request.uids()));
    RMAIL_ASSIGN_OR_RETURN(
        const engine::Mailbox::TransferResult result,
        ((*source.account).*transfer)(source.mailbox_id, spans, target.mailbox_id));
    RMAIL_ASSIGN_OR_RETURN(const engine::MailboxEntry entry, Entry(target));
    response->set_uid_validity(entry.uid_validity);
    AddRanges(result.source_uids, response->mutable_source_uids());
    AddRanges(result.target_uids, response->mutable_target_uids());
    response->set_target_modseq(result.target_modseq);
    if (source_modseq != nullptr) *source_modseq = result.source_modseq;
    return absl::OkStatus();
  }

  absl::Status Update(const grpc::CallbackServerContext& call,
                      const pb::UpdateFlagsRequest& request, pb::UpdateFlagsResponse* response) {
    RMAIL_ASSIGN_OR_RETURN(const OpenedMailbox opened, Open(call, request.mailbox()));
    engine::Account& account = *opened.resource.account;
    const std::string& id = opened.resource.mailbox_id;
    engine::Mailbox::FlagUpdate update;
    RMAIL_ASSIGN_OR_RETURN(update.spans, ToSpans(request.uids()));
    RMAIL_ASSIGN_OR_RETURN(update.operation, ToOperation(request.operation()));
    const bool create = update.operation != engine::FlagOperation::kRemove;
    RMAIL_ASSIGN_OR_RETURN(update.flags, account.FlagsMask(id, request.flags(), create));
    if (request.has_unchanged_since()) update.unchanged_since = request.unchanged_since();
    RMAIL_ASSIGN_OR_RETURN(const engine::Mailbox::FlagResult result,
                           opened.mailbox->UpdateFlags(update));
    if (result.records == 1) response->set_modseq(result.modseq);
    for (const engine::MessageRow& row : result.messages) {
      AddRow(row, response->mutable_messages());
    }
    AddRanges(result.conflicts, response->mutable_conflicts());
    RMAIL_ASSIGN_OR_RETURN(const engine::MailboxEntry entry, Entry(opened.resource));
    for (const std::string& keyword : engine::AllKeywords(entry)) {
      response->add_keywords(keyword);
    }
    return absl::OkStatus();
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewMessageService(ServiceContext context) {
  return std::make_unique<MessageServicer>(context);
}

}  // namespace rmail::service

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rmail/store/v1/admin.grpc.pb.h"
#include "store/base/status.h"
#include "store/service/progress_reactor.h"
#include "store/service/reactors.h"
#include "store/service/services.h"
#include "store/service/worker_pool.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr size_t kMaxProblems = 1000;
// Shards in an answer of ListShards.
constexpr size_t kShardBatch = 1000;
// Checks and rebuilds of large mailboxes take minutes: they have threads of their own, so that they
// never take those that all other calls need.
constexpr int kLongCalls = 2;

class AdminServicer : public pb::AdminService::CallbackService {
 public:
  explicit AdminServicer(ServiceContext context) : context_(context) {}

  grpc::ServerWriteReactor<pb::ListShardsResponse>* ListShards(
      grpc::CallbackServerContext* call, const pb::ListShardsRequest* request) override {
    return StreamReactor<pb::ListShardsResponse>::Start(
        context_.pool, [this, call, request]() -> absl::StatusOr<Producer<pb::ListShardsResponse>> {
          RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox,
                                 Open(*call, request->mailbox()));
          RMAIL_ASSIGN_OR_RETURN(std::vector<engine::Mailbox::ShardInfo> shards, mailbox->Shards());
          return [shards = std::move(shards),
                  next = size_t{0}](pb::ListShardsResponse* response) mutable -> bool {
            if (next == shards.size()) return false;
            for (const size_t end = std::min(shards.size(), next + kShardBatch); next < end;
                 ++next) {
              AddShard(shards[next], response);
            }
            return true;
          };
        });
  }

  grpc::ServerWriteReactor<pb::CheckMailboxResponse>* CheckMailbox(
      grpc::CallbackServerContext* call, const pb::CheckMailboxRequest* request) override {
    return ProgressReactor<pb::CheckMailboxResponse>::Start(
        pool_,
        [this, call, request](const ProgressFunction& progress,
                              pb::CheckMailboxResponse* last) -> absl::Status {
          RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox,
                                 Open(*call, request->mailbox()));
          RMAIL_ASSIGN_OR_RETURN(engine::Mailbox::CheckResult found,
                                 mailbox->Check(kMaxProblems, progress));
          pb::CheckResult& result = *last->mutable_result();
          result.set_indexed(found.indexed);
          result.set_files(found.files);
          for (std::string& problem : found.problems) result.add_problems(std::move(problem));
          return absl::OkStatus();
        });
  }

  grpc::ServerWriteReactor<pb::RebuildMailboxResponse>* RebuildMailbox(
      grpc::CallbackServerContext* call, const pb::RebuildMailboxRequest* request) override {
    return ProgressReactor<pb::RebuildMailboxResponse>::Start(
        pool_,
        [this, call, request](const ProgressFunction& progress,
                              pb::RebuildMailboxResponse* last) -> absl::Status {
          RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox,
                                 Open(*call, request->mailbox()));
          RMAIL_ASSIGN_OR_RETURN(const uint64_t messages, mailbox->Rebuild(progress));
          last->mutable_result()->set_messages(messages);
          return absl::OkStatus();
        });
  }

 private:
  static void AddShard(const engine::Mailbox::ShardInfo& info, pb::ListShardsResponse* response) {
    pb::Shard& shard = *response->add_shards();
    shard.set_number(info.summary.shard);
    shard.set_messages(info.summary.messages);
    shard.set_size(info.summary.size);
    shard.set_files(info.files);
  }

  absl::StatusOr<std::shared_ptr<engine::Mailbox>> Open(const grpc::CallbackServerContext& call,
                                                        const std::string& name) {
    RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                           context_.authorizer.ResourceForAdmin(call, name));
    return resource.account->OpenMailbox(resource.mailbox_id);
  }

  const ServiceContext context_;
  WorkerPool pool_{kLongCalls};
};

}  // namespace

std::unique_ptr<grpc::Service> NewAdminService(ServiceContext context) {
  return std::make_unique<AdminServicer>(context);
}

}  // namespace rmail::service

// GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208). An account is one quota root, named "".
#include <optional>
#include <string>

#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/writer.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// RFC 9208, 5.1.
constexpr uint64_t kUnit = 1024;

boost::asio::awaitable<absl::StatusOr<store::v1::Quota>> QuotaOf(const StoreSession& store) {
  store::v1::GetQuotaRequest request;
  request.set_name(store.account());
  RMAIL_CO_ASSIGN_OR_RETURN(const store::v1::GetQuotaResponse response,
                            co_await store.Call(std::move(request)));
  co_return response.quota();
}

void AppendQuota(std::string& out, const store::v1::Quota& quota) {
  out += "* QUOTA \"\" (STORAGE ";
  AppendNumber(out, quota.used() / kUnit + (quota.used() % kUnit != 0 ? 1 : 0));
  out += ' ';
  AppendNumber(out, quota.limit_mb() * kUnit);
  out += ")\r\n";
}

}  // namespace

boost::asio::awaitable<Reply> GetQuota(Session& session, const Command& command) {
  const auto quota = co_await QuotaOf(session.store());
  if (!quota.ok()) co_return NoBecause(quota.status());
  // An account without a limit has no quota root.
  if (!std::get<QuotaArguments>(command.arguments).root.empty() || quota->limit_mb() == 0) {
    co_return No("NONEXISTENT", "No such quota root");
  }
  AppendQuota(session.out().buffer(), *quota);
  co_return Ok("GETQUOTA completed");
}

boost::asio::awaitable<Reply> GetQuotaRoot(Session& session, const Command& command) {
  const auto quota = co_await QuotaOf(session.store());
  if (!quota.ok()) co_return NoBecause(quota.status());
  std::string& out = session.out().buffer();
  out += "* QUOTAROOT ";
  // RFC 9208, 4.1.2: there need not be such a mailbox (yet).
  AppendMailboxName(out, std::get<MailboxArguments>(command.arguments).mailbox,
                    session.enabled().utf8_names());
  if (quota->limit_mb() == 0) {
    out += "\r\n";
  } else {
    out += " \"\"\r\n";
    AppendQuota(out, *quota);
  }
  co_return Ok("GETQUOTAROOT completed");
}

boost::asio::awaitable<Reply> SetQuota(Session&, const Command&) {
  co_return No("NOPERM", "Only an administrator sets quotas");
}

}  // namespace rmail::gateway::imap

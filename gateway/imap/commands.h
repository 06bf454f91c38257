// The command handlers, one cmd_*.cc a group. See CommandFunction.
#ifndef RMAIL_GATEWAY_IMAP_COMMANDS_H_
#define RMAIL_GATEWAY_IMAP_COMMANDS_H_

#include <boost/asio/awaitable.hpp>

#include "gateway/imap/reply.h"
#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

class Session;

// cmd_session.cc
boost::asio::awaitable<Reply> Capability(Session& session, const Command& command);
boost::asio::awaitable<Reply> Enable(Session& session, const Command& command);
boost::asio::awaitable<Reply> Id(Session& session, const Command& command);
boost::asio::awaitable<Reply> Logout(Session& session, const Command& command);
boost::asio::awaitable<Reply> Namespace(Session& session, const Command& command);
// NOOP and CHECK.
boost::asio::awaitable<Reply> Noop(Session& session, const Command& command);

// cmd_login.cc
boost::asio::awaitable<Reply> Authenticate(Session& session, const Command& command);
boost::asio::awaitable<Reply> Login(Session& session, const Command& command);
boost::asio::awaitable<Reply> StartTls(Session& session, const Command& command);
boost::asio::awaitable<Reply> Unauthenticate(Session& session, const Command& command);

// cmd_compress.cc
boost::asio::awaitable<Reply> Compress(Session& session, const Command& command);

// cmd_select.cc
boost::asio::awaitable<Reply> Close(Session& session, const Command& command);
// SELECT and EXAMINE.
boost::asio::awaitable<Reply> Select(Session& session, const Command& command);
boost::asio::awaitable<Reply> Unselect(Session& session, const Command& command);

// cmd_mailbox.cc
boost::asio::awaitable<Reply> Create(Session& session, const Command& command);
boost::asio::awaitable<Reply> Delete(Session& session, const Command& command);
boost::asio::awaitable<Reply> Rename(Session& session, const Command& command);
boost::asio::awaitable<Reply> Subscribe(Session& session, const Command& command);
boost::asio::awaitable<Reply> Unsubscribe(Session& session, const Command& command);

// cmd_copy.cc
boost::asio::awaitable<Reply> Copy(Session& session, const Command& command);
boost::asio::awaitable<Reply> Move(Session& session, const Command& command);

// cmd_quota.cc
boost::asio::awaitable<Reply> GetQuota(Session& session, const Command& command);
boost::asio::awaitable<Reply> GetQuotaRoot(Session& session, const Command& command);
boost::asio::awaitable<Reply> SetQuota(Session& session, const Command& command);

// cmd_metadata.cc
boost::asio::awaitable<Reply> GetMetadata(Session& session, const Command& command);
boost::asio::awaitable<Reply> SetMetadata(Session& session, const Command& command);

// cmd_notify.cc
boost::asio::awaitable<Reply> Notify(Session& session, const Command& command);
// Writes what has changed of what NOTIFY asked for.
boost::asio::awaitable<void> PushNotifications(Session& session);

// cmd_list.cc
boost::asio::awaitable<Reply> List(Session& session, const Command& command);
boost::asio::awaitable<Reply> Lsub(Session& session, const Command& command);
boost::asio::awaitable<Reply> StatusOf(Session& session, const Command& command);

// cmd_append.cc
boost::asio::awaitable<Reply> Append(Session& session, const Command& command);

// cmd_replace.cc
boost::asio::awaitable<Reply> Replace(Session& session, const Command& command);

// cmd_urlauth.cc
boost::asio::awaitable<Reply> GenUrlAuth(Session& session, const Command& command);
boost::asio::awaitable<Reply> ResetKey(Session& session, const Command& command);
boost::asio::awaitable<Reply> UrlFetch(Session& session, const Command& command);

// cmd_fetch.cc
boost::asio::awaitable<Reply> Fetch(Session& session, const Command& command);

// cmd_search.cc
boost::asio::awaitable<Reply> CancelUpdate(Session& session, const Command& command);
boost::asio::awaitable<Reply> Search(Session& session, const Command& command);

// cmd_sort.cc
boost::asio::awaitable<Reply> Sort(Session& session, const Command& command);

// cmd_thread.cc
boost::asio::awaitable<Reply> Thread(Session& session, const Command& command);

// cmd_store.cc
boost::asio::awaitable<Reply> Expunge(Session& session, const Command& command);
boost::asio::awaitable<Reply> StoreFlags(Session& session, const Command& command);

// cmd_idle.cc
boost::asio::awaitable<Reply> Idle(Session& session, const Command& command);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_COMMANDS_H_

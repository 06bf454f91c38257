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

// cmd_select.cc
boost::asio::awaitable<Reply> Close(Session& session, const Command& command);
// SELECT and EXAMINE.
boost::asio::awaitable<Reply> Select(Session& session, const Command& command);
boost::asio::awaitable<Reply> Unselect(Session& session, const Command& command);

// cmd_list.cc
boost::asio::awaitable<Reply> Create(Session& session, const Command& command);
boost::asio::awaitable<Reply> List(Session& session, const Command& command);
boost::asio::awaitable<Reply> Lsub(Session& session, const Command& command);
boost::asio::awaitable<Reply> StatusOf(Session& session, const Command& command);

// cmd_append.cc
boost::asio::awaitable<Reply> Append(Session& session, const Command& command);

// cmd_fetch.cc
boost::asio::awaitable<Reply> Fetch(Session& session, const Command& command);

// cmd_search.cc
boost::asio::awaitable<Reply> Search(Session& session, const Command& command);

// cmd_store.cc
boost::asio::awaitable<Reply> Expunge(Session& session, const Command& command);
boost::asio::awaitable<Reply> StoreFlags(Session& session, const Command& command);

// cmd_idle.cc
boost::asio::awaitable<Reply> Idle(Session& session, const Command& command);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_COMMANDS_H_

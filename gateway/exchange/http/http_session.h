// One client's connection: requests one after the other, also when they are pipelined.
//
// Never done: a request is not read while the one before it is unanswered; a connection whose
// framing is in doubt is not used again; an idle connection holds no buffer.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_HTTP_SESSION_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_HTTP_SESSION_H_

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/common/connection.h"
#include "gateway/exchange/exchange_options.h"
#include "gateway/exchange/http/application.h"

namespace rmail::gateway::exchange::http {

// Runs until the client goes, a time-out passes or the server drains. `limits` and `application`
// outlive it.
boost::asio::awaitable<void> RunHttpSession(std::shared_ptr<gateway::Connection> connection,
                                            const HttpLimits& limits, Application& application);

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_HTTP_SESSION_H_

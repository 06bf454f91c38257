// The table of routes.
#ifndef RMAIL_GATEWAY_EXCHANGE_ROUTES_H_
#define RMAIL_GATEWAY_EXCHANGE_ROUTES_H_

#include <vector>

#include "gateway/exchange/api.h"

namespace rmail::gateway::exchange {

// All routes there are; lives as long as the process.
const std::vector<Route>& Routes();

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_ROUTES_H_

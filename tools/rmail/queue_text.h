// A queued message as `rmail queue` shows it.
#ifndef RMAIL_TOOLS_RMAIL_QUEUE_TEXT_H_
#define RMAIL_TOOLS_RMAIL_QUEUE_TEXT_H_

#include <string>

#include "rmail/store/v1/queue.pb.h"

namespace rmail::tools {

// A line for the message and one for each recipient. Times are UTC. What other servers said can't
// do anything to a terminal.
std::string ToText(const store::v1::QueuedMessage& message);

// A JSON object on one line.
std::string ToJson(const store::v1::QueuedMessage& message);

}  // namespace rmail::tools

#endif  // RMAIL_TOOLS_RMAIL_QUEUE_TEXT_H_

// What a FETCH needs from the store and how its answers look.
#ifndef RMAIL_GATEWAY_IMAP_FETCH_PLAN_H_
#define RMAIL_GATEWAY_IMAP_FETCH_PLAN_H_

#include <string>
#include <vector>

#include "gateway/imap/syntax/command.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

struct FetchPlan {
  // Without mailbox and UIDs. Identical sections are asked for once.
  store::v1::FetchMessagesRequest request;
  // One for each of the request's sections: "BODY[HEADER]<0>", "RFC822.TEXT".
  std::vector<std::string> labels;
  bool uid = false;
  bool flags = false;
  bool internal_date = false;
  bool size = false;
  bool envelope = false;
  bool body = false;
  bool body_structure = false;
  // Reading the sections marks the messages as seen (RFC 9051, 6.4.5).
  bool sets_seen = false;

  // UIDs and flags are at hand: the store need not be asked.
  bool local() const {
    return labels.empty() && !internal_date && !size && !envelope && !body && !body_structure;
  }
};

// `uid_command`: every answer to UID FETCH has the UID (RFC 9051, 6.4.9).
FetchPlan MakeFetchPlan(const std::vector<FetchItem>& items, bool uid_command);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_FETCH_PLAN_H_

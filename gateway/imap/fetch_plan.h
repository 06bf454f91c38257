// What a FETCH needs from the store and how its answers look.
#ifndef RMAIL_GATEWAY_IMAP_FETCH_PLAN_H_
#define RMAIL_GATEWAY_IMAP_FETCH_PLAN_H_

#include <optional>
#include <string>
#include <vector>

#include "gateway/imap/syntax/command.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// How a section is answered.
struct FetchSection {
  enum class Form {
    // A string.
    kText,
    // A string, which may be a literal8 (RFC 3516).
    kBinary,
    // The number of octets alone.
    kSize,
  };
  // "BODY[HEADER]<0>", "RFC822.TEXT".
  std::string label;
  Form form = Form::kText;
};

struct FetchPlan {
  // Without mailbox and UIDs. Identical sections are asked for once.
  store::v1::FetchMessagesRequest request;
  // One for each of the request's sections.
  std::vector<FetchSection> sections;
  bool uid = false;
  bool flags = false;
  bool modseq = false;
  bool internal_date = false;
  bool size = false;
  bool envelope = false;
  bool body = false;
  bool body_structure = false;
  bool preview = false;
  bool save_date = false;
  bool email_id = false;
  bool thread_id = false;
  // Reading the sections marks the messages as seen (RFC 9051, 6.4.5).
  bool sets_seen = false;

  // UIDs, flags and modseqs are at hand: the store need not be asked.
  bool local() const { return sections.empty() && !internal_date && !size && !digests(); }
  // Something of the digest is wanted.
  bool digests() const {
    return envelope || body || body_structure || preview || save_date || email_id || thread_id;
  }
};

// What the store is asked for a section.
store::v1::SectionSpec MakeSectionSpec(const Section& section,
                                       const std::optional<Partial>& partial);

// `uid_command`: every answer to UID FETCH has the UID (RFC 9051, 6.4.9).
FetchPlan MakeFetchPlan(const std::vector<FetchItem>& items, bool uid_command);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_FETCH_PLAN_H_

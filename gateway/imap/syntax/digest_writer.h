// ENVELOPE, BODY and BODYSTRUCTURE from the store's digest (RFC 9051, 7.5.2).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_DIGEST_WRITER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_DIGEST_WRITER_H_

#include <string>

#include "rmail/store/v1/digest.pb.h"

namespace rmail::gateway::imap {

void AppendEnvelope(std::string& out, const store::v1::Envelope& envelope);

// With extension data it is BODYSTRUCTURE, without it BODY.
void AppendBodyStructure(std::string& out, const store::v1::BodyPart& part, bool extended);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_DIGEST_WRITER_H_

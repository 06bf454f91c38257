// Search keys as text; part of command_writer.h.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_KEY_WRITER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_KEY_WRITER_H_

#include <string>

#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

// The key with a space in front: " NOT SEEN".
void AppendSearchKey(std::string& out, const SearchKey& key);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_KEY_WRITER_H_

// From IMAP's search keys to the store's expressions.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_EXPRESSION_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_EXPRESSION_H_

#include <optional>
#include <string_view>
#include <vector>

#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/command.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// An expression that all keys together make. Sequence numbers become UIDs by the mailbox; nullopt
// when one is higher than the number of messages.
std::optional<store::v1::SearchExpression> MakeSearchExpression(const std::vector<SearchKey>& keys,
                                                                const SelectedMailbox& mailbox);

// Whether the charset is one that searches can be in: UTF-8, US-ASCII or none given.
bool IsSearchCharset(std::string_view charset);

// Whether all texts of the keys are UTF-8.
bool HasUtf8Texts(const std::vector<SearchKey>& keys);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_EXPRESSION_H_

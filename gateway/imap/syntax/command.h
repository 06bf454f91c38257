// Commands as typed values: what the parser makes and the command handlers take.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_H_

#include <string>
#include <variant>

#include "gateway/imap/syntax/append_arguments.h"
#include "gateway/imap/syntax/mailbox_arguments.h"
#include "gateway/imap/syntax/message_arguments.h"
#include "gateway/imap/syntax/metadata_arguments.h"
#include "gateway/imap/syntax/notify_arguments.h"
#include "gateway/imap/syntax/search_arguments.h"
#include "gateway/imap/syntax/select_arguments.h"
#include "gateway/imap/syntax/session_arguments.h"
#include "gateway/imap/syntax/url_arguments.h"

namespace rmail::gateway::imap {

using Arguments =
    std::variant<NoArguments, AuthenticateArguments, CompressArguments, LoginArguments, IdArguments,
                 EnableArguments, MailboxArguments, SelectArguments, StatusArguments, ListArguments,
                 FetchArguments, StoreArguments, SearchArguments, SortArguments, ThreadArguments,
                 CancelUpdateArguments, UidExpungeArguments, AppendArguments, GenUrlAuthArguments,
                 ResetKeyArguments, UrlFetchArguments, CreateArguments, RenameArguments,
                 CopyArguments, QuotaArguments, GetMetadataArguments, SetMetadataArguments,
                 NotifyArguments>;

struct Command {
  std::string tag;
  // In upper case, without "UID".
  std::string name;
  // The UID form.
  bool uid = false;
  Arguments arguments;
  bool operator==(const Command&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_H_

// The parts of WriteCommand: arguments of each command, each with the space in front, and what
// several of them are made of.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_WRITE_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_WRITE_ARGUMENTS_H_

#include <string>
#include <string_view>

#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

// write_session.cc
void WriteArguments(std::string& out, const NoArguments& arguments);
void WriteArguments(std::string& out, const AuthenticateArguments& arguments);
void WriteArguments(std::string& out, const CompressArguments& arguments);
void WriteArguments(std::string& out, const LoginArguments& arguments);
void WriteArguments(std::string& out, const IdArguments& arguments);
void WriteArguments(std::string& out, const EnableArguments& arguments);

// write_mailbox.cc
void WriteArguments(std::string& out, const MailboxArguments& arguments);
void WriteArguments(std::string& out, const StatusArguments& arguments);
void WriteArguments(std::string& out, const ListArguments& arguments);
void WriteArguments(std::string& out, const CreateArguments& arguments);
void WriteArguments(std::string& out, const RenameArguments& arguments);
void WriteArguments(std::string& out, const CopyArguments& arguments);
void WriteArguments(std::string& out, const QuotaArguments& arguments);

// write_metadata.cc
void WriteArguments(std::string& out, const GetMetadataArguments& arguments);
void WriteArguments(std::string& out, const SetMetadataArguments& arguments);
void WriteArguments(std::string& out, const NotifyArguments& arguments);

// write_modseq.cc
void WriteArguments(std::string& out, const SelectArguments& arguments);
void WriteFetchModifiers(std::string& out, const FetchArguments& arguments);
void WriteStoreModifiers(std::string& out, const StoreArguments& arguments);

// write_message.cc
void WriteArguments(std::string& out, const FetchArguments& arguments);
void WriteArguments(std::string& out, const StoreArguments& arguments);
void WriteArguments(std::string& out, const UidExpungeArguments& arguments);
// "BODY.PEEK[TEXT]<0.10>".
void WriteFetchItem(std::string& out, const FetchItem& item);

// write_search.cc
void WriteSearchKeys(std::string& out, const std::vector<SearchKey>& keys);

// write_search_options.cc
void WriteArguments(std::string& out, const SearchArguments& arguments);
void WriteArguments(std::string& out, const SortArguments& arguments);
void WriteArguments(std::string& out, const ThreadArguments& arguments);
void WriteArguments(std::string& out, const CancelUpdateArguments& arguments);

// write_append.cc
void WriteArguments(std::string& out, const AppendArguments& arguments);
void WriteArguments(std::string& out, const GenUrlAuthArguments& arguments);
void WriteArguments(std::string& out, const ResetKeyArguments& arguments);
void WriteArguments(std::string& out, const UrlFetchArguments& arguments);

// Each with a space in front. command_writer.cc
void WriteWord(std::string& out, std::string_view word);
void WriteAString(std::string& out, std::string_view text);
void WriteMailbox(std::string& out, std::string_view name);
void WriteSet(std::string& out, const SequenceSet& set);
void WriteFlags(std::string& out, const FlagList& flags);

// "(a b)", `write` appending each item; "" for no items.
template <typename Items, typename Write>
void WriteInParentheses(std::string& out, const Items& items, Write write) {
  if (items.empty()) return;
  char separator = '(';
  for (const auto& item : items) {
    out += separator;
    separator = ' ';
    write(item);
  }
  out += ')';
}

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_WRITE_ARGUMENTS_H_

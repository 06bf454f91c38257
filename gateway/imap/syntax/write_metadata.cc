// GETMETADATA, SETMETADATA and NOTIFY.
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

void WriteGroup(std::string& out, const NotifyGroup& group) {
  out += " (";
  out += kNotifyFilterNames[static_cast<size_t>(group.filter)];
  out += ' ';
  if (!group.mailboxes.empty()) {
    WriteInParentheses(out, group.mailboxes,
                       [&](const std::string& mailbox) { AppendMailboxName(out, mailbox); });
    out += ' ';
  }
  std::vector<std::string> events;
  for (size_t bit = 0; bit < std::size(kNotifyEventNames); ++bit) {
    if ((group.events >> bit & 1) == 0) continue;
    std::string& event = events.emplace_back(kNotifyEventNames[bit]);
    if (bit > 0 || group.fetch.empty()) continue;
    event += ' ';
    WriteInParentheses(event, group.fetch,
                       [&](const FetchItem& item) { WriteFetchItem(event, item); });
  }
  events.insert(events.end(), group.unknown_events.begin(), group.unknown_events.end());
  if (events.empty()) out += "NONE";
  WriteInParentheses(out, events, [&](const std::string& event) { out += event; });
  out += ')';
}

}  // namespace

void WriteArguments(std::string& out, const GetMetadataArguments& arguments) {
  static constexpr std::string_view kDepths[] = {"0", "1", "infinity"};
  out += " (DEPTH ";
  out += kDepths[static_cast<size_t>(arguments.depth)];
  if (arguments.max_size) {
    out += " MAXSIZE ";
    AppendNumber(out, *arguments.max_size);
  }
  out += ')';
  WriteMailbox(out, arguments.mailbox);
  out += ' ';
  WriteInParentheses(out, arguments.entries,
                     [&](const std::string& entry) { AppendAString(out, entry); });
}

void WriteArguments(std::string& out, const SetMetadataArguments& arguments) {
  WriteMailbox(out, arguments.mailbox);
  out += ' ';
  WriteInParentheses(out, arguments.entries, [&](const auto& entry) {
    AppendAString(out, entry.first);
    out += ' ';
    if (entry.second) {
      AppendOctets(out, *entry.second);
    } else {
      out += "NIL";
    }
  });
}

void WriteArguments(std::string& out, const NotifyArguments& arguments) {
  WriteWord(out, arguments.groups.empty() ? "NONE" : "SET");
  if (arguments.status) out += " STATUS";
  for (const NotifyGroup& group : arguments.groups) WriteGroup(out, group);
}

}  // namespace rmail::gateway::imap

#include <utility>

#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

struct Option {
  bool chosen;
  std::string_view name;
};

void WriteList(std::string& out, std::initializer_list<Option> options) {
  out += " (";
  bool first = true;
  for (const Option& option : options) {
    if (!option.chosen) continue;
    if (!first) out += ' ';
    first = false;
    out += option.name;
  }
  out += ')';
}

void WriteStatusItems(std::string& out, const std::vector<StatusItem>& items) {
  WriteInParentheses(out, items, [&](StatusItem item) { out += StatusItemName(item); });
}

}  // namespace

void WriteArguments(std::string& out, const MailboxArguments& arguments) {
  WriteMailbox(out, arguments.mailbox);
}

void WriteArguments(std::string& out, const StatusArguments& arguments) {
  WriteMailbox(out, arguments.mailbox);
  out += ' ';
  WriteStatusItems(out, arguments.items);
}

void WriteArguments(std::string& out, const ListArguments& arguments) {
  if (arguments.extended) {
    WriteList(out, {{arguments.select_subscribed, "SUBSCRIBED"},
                    {arguments.select_remote, "REMOTE"},
                    {arguments.select_recursive_match, "RECURSIVEMATCH"},
                    {arguments.select_special_use, "SPECIAL-USE"}});
  }
  WriteMailbox(out, arguments.reference);
  if (!arguments.extended) return WriteMailbox(out, arguments.patterns[0]);
  out += ' ';
  WriteInParentheses(out, arguments.patterns,
                     [&](const std::string& pattern) { AppendMailboxName(out, pattern); });
  out += " RETURN";
  WriteList(out, {{arguments.return_subscribed, "SUBSCRIBED"},
                  {arguments.return_children, "CHILDREN"},
                  {arguments.return_special_use, "SPECIAL-USE"}});
  if (arguments.return_status.empty()) return;
  out.pop_back();
  out += out.ends_with('(') ? "STATUS " : " STATUS ";
  WriteStatusItems(out, arguments.return_status);
  out += ')';
}

void WriteArguments(std::string& out, const CreateArguments& arguments) {
  WriteMailbox(out, arguments.mailbox);
  if (arguments.uses.empty()) return;
  out += " (USE ";
  WriteInParentheses(out, arguments.uses, [&](const std::string& use) { out += '\\' + use; });
  out += ')';
}

void WriteArguments(std::string& out, const RenameArguments& arguments) {
  WriteMailbox(out, arguments.from);
  WriteMailbox(out, arguments.to);
}

void WriteArguments(std::string& out, const CopyArguments& arguments) {
  WriteSet(out, arguments.set);
  WriteMailbox(out, arguments.mailbox);
}

void WriteArguments(std::string& out, const QuotaArguments& arguments) {
  WriteAString(out, arguments.root);
  if (!arguments.limits) return;
  out += " (";
  bool first = true;
  for (const auto& [name, limit] : *arguments.limits) {
    if (!std::exchange(first, false)) out += ' ';
    out += name;
    out += ' ';
    AppendNumber(out, limit);
  }
  out += ')';
}

std::string_view StatusItemName(StatusItem item) {
  return kStatusItemNames[static_cast<size_t>(item)];
}

}  // namespace rmail::gateway::imap

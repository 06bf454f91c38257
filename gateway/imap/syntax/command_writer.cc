#include "gateway/imap/syntax/command_writer.h"

#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

std::string WriteCommand(const Command& command) {
  std::string out = command.tag;
  out += ' ';
  if (command.uid) out += "UID ";
  out += command.name;
  std::visit([&](const auto& arguments) { WriteArguments(out, arguments); }, command.arguments);
  return out;
}

void WriteWord(std::string& out, std::string_view word) {
  out += ' ';
  out += word;
}

void WriteAString(std::string& out, std::string_view text) {
  out += ' ';
  AppendAString(out, text);
}

void WriteMailbox(std::string& out, std::string_view name) {
  out += ' ';
  AppendMailboxName(out, name);
}

void WriteSet(std::string& out, const SequenceSet& set) {
  out += ' ';
  AppendSequenceSet(out, set);
}

void WriteFlags(std::string& out, const FlagList& flags) {
  out += ' ';
  // Keywords stand here by name, not by bit.
  AppendFlags(out, flags.system, {});
  out.pop_back();
  for (const std::string& keyword : flags.keywords) {
    if (!out.ends_with('(')) out += ' ';
    out += keyword;
  }
  out += ')';
}

}  // namespace rmail::gateway::imap

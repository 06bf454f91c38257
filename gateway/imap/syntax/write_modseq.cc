#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

void WriteNumber(std::string& out, uint64_t number) {
  out += ' ';
  AppendNumber(out, number);
}

void WriteQresync(std::string& out, const QresyncParameter& parameter) {
  out += "QRESYNC (";
  AppendNumber(out, parameter.uid_validity);
  WriteNumber(out, parameter.modseq);
  if (parameter.known_uids) WriteSet(out, *parameter.known_uids);
  if (!parameter.match_numbers.ranges.empty()) {
    out += " (";
    AppendSequenceSet(out, parameter.match_numbers);
    WriteSet(out, parameter.match_uids);
    out += ')';
  }
  out += ')';
}

}  // namespace

void WriteArguments(std::string& out, const SelectArguments& arguments) {
  WriteMailbox(out, arguments.mailbox);
  if (!arguments.condstore && !arguments.qresync) return;
  out += arguments.condstore ? " (CONDSTORE" : " (";
  if (arguments.condstore && arguments.qresync) out += ' ';
  if (arguments.qresync) WriteQresync(out, *arguments.qresync);
  out += ')';
}

void WriteFetchModifiers(std::string& out, const FetchArguments& arguments) {
  std::string modifiers;
  if (arguments.changed_since) {
    modifiers += " CHANGEDSINCE";
    WriteNumber(modifiers, *arguments.changed_since);
  }
  if (arguments.vanished) modifiers += " VANISHED";
  if (arguments.partial) {
    modifiers += " PARTIAL ";
    AppendPartialRange(modifiers, *arguments.partial);
  }
  if (modifiers.empty()) return;
  modifiers[0] = '(';
  out += ' ';
  out += modifiers;
  out += ')';
}

void WriteStoreModifiers(std::string& out, const StoreArguments& arguments) {
  if (!arguments.unchanged_since) return;
  out += " (UNCHANGEDSINCE";
  WriteNumber(out, *arguments.unchanged_since);
  out += ')';
}

}  // namespace rmail::gateway::imap

#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

void WriteArguments(std::string& out, const AppendArguments& arguments) {
  WriteMailbox(out, arguments.mailbox);
  WriteFlags(out, arguments.flags);
  if (arguments.internal_date) {
    out += ' ';
    AppendInternalDate(out, *arguments.internal_date);
  }
  out += " {";
  AppendNumber(out, arguments.size);
  out += arguments.synchronizing ? "}" : "+}";
}

}  // namespace rmail::gateway::imap

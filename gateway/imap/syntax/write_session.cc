#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

void WriteArguments(std::string&, const NoArguments&) {}

void WriteArguments(std::string& out, const AuthenticateArguments& arguments) {
  WriteWord(out, arguments.mechanism);
  if (arguments.initial_response) WriteWord(out, *arguments.initial_response);
}

void WriteArguments(std::string& out, const CompressArguments& arguments) {
  WriteWord(out, arguments.mechanism);
}

void WriteArguments(std::string& out, const LoginArguments& arguments) {
  WriteAString(out, arguments.user);
  WriteAString(out, arguments.password);
}

void WriteArguments(std::string& out, const IdArguments& arguments) {
  if (arguments.fields.empty()) return WriteWord(out, "()");
  out += ' ';
  WriteInParentheses(out, arguments.fields, [&](const auto& field) {
    AppendString(out, field.first);
    out += ' ';
    if (field.second) {
      AppendString(out, *field.second);
    } else {
      out += "NIL";
    }
  });
}

void WriteArguments(std::string& out, const EnableArguments& arguments) {
  for (const std::string& capability : arguments.capabilities) WriteWord(out, capability);
}

}  // namespace rmail::gateway::imap

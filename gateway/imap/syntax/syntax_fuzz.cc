#include "gateway/imap/syntax/syntax_fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gateway/imap/syntax/command_assembler.h"
#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/list_pattern.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {

namespace {

using Next = CommandAssembler::Next;

constexpr CommandAssembler::Limits kLimits{64, 512};

void Check(bool condition, std::string_view what, std::string_view text) {
  if (condition) return;
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(text.size()), text.data());
  std::abort();
}

void CheckRoundTrip(const std::string& text) {
  const ParseResult first = ParseCommand(text);
  Check(first.command.has_value() == first.error.empty(), "neither command nor error", text);
  if (!first.command) return;
  const std::string written = WriteCommand(*first.command);
  const ParseResult second = ParseCommand(written);
  Check(second.command == first.command, "differs after a round trip", written);
}

// What follows the octets of a literal of APPEND.
void CheckFragment(AppendPosition position, std::string_view text) {
  AppendFragment first;
  Lexer lexer(text);
  if (!ParseAppendFragment(lexer, position, first)) return;
  const std::string written = WriteAppendFragment(position, first);
  AppendFragment second;
  Lexer again(written);
  Check(ParseAppendFragment(again, position, second) && first == second, "fragment differs",
        written);
}

// Takes one command off the input; the rest when it is not complete.
void TakeCommand(std::string_view& input) {
  CommandAssembler assembler(kLimits);
  Next next = Next::kLine;
  while (!input.empty() && next != Next::kDone && next != Next::kMessage) {
    size_t count = std::min(input.find('\n'), input.size() - 1) + 1;
    if (next != Next::kLine) count = std::min<size_t>(input.size(), assembler.literal_left());
    const std::string_view taken = input.substr(0, count);
    input.remove_prefix(count);
    if (next == Next::kLine) {
      next = assembler.AddLine(taken);
    } else {
      next = assembler.AddLiteral(taken);
    }
  }
  // Two octets a literal for the line ending that is put in, whatever the client sent.
  Check(assembler.text().size() <= kLimits.command + 2 * 64, "too long", assembler.text());
  if (!assembler.oversized()) CheckRoundTrip(assembler.text());
}

}  // namespace

void FuzzSyntax(std::string_view input) {
  CheckRoundTrip(std::string(input));
  if (const std::optional<std::string> name = DecodeMailboxName(input)) {
    Check(DecodeMailboxName(EncodeMailboxName(*name)) == name, "mailbox name differs", input);
  }
  for (const AppendPosition position :
       {AppendPosition::kStart, AppendPosition::kBehindLiteral, AppendPosition::kBehindUtf8,
        AppendPosition::kInList, AppendPosition::kInListUtf8}) {
    CheckFragment(position, input);
  }
  const size_t half = input.size() / 2;
  ListPattern("", input.substr(0, half)).Matches(input.substr(half));
  while (!input.empty()) TakeCommand(input);
}

}  // namespace rmail::gateway::imap

// libFuzzer's entry.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  rmail::gateway::imap::FuzzSyntax({reinterpret_cast<const char*>(data), size});
  return 0;
}

// Arguments of the commands that bring messages (RFC 9051, 6.3.12; RFC 3502, 4469, 6855, 8508).
//
// Such a command is not read as a whole: it comes in fragments, each ending at a literal whose
// octets are read on their own, or at the command's end.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_APPEND_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_APPEND_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/syntax/flag_list.h"
#include "gateway/imap/syntax/lexer.h"

namespace rmail::gateway::imap {

// Octets of a URL, and steps of one fragment.
inline constexpr size_t kMaxUrl = 4096;
inline constexpr size_t kMaxAppendSteps = 1000;

// How a message's octets come.
enum class AppendForm {
  // One literal.
  kLiteral,
  // The same as "UTF8 (~{310}": RFC 6855, 4.
  kUtf8,
  // Parts in parentheses (RFC 4469).
  kCatenate,
};

struct AppendStep {
  enum class Kind {
    // A message begins. Unless it is kCatenate, `literal` is all of it.
    kMessage,
    // A part of a kCatenate: the octets of `literal`.
    kText,
    // A part of a kCatenate: what `url`, or else the text of `literal`, names.
    kUrl,
    // The message is complete.
    kMessageEnd,
  };
  Kind kind = Kind::kMessage;
  // For kMessage. kText is kLiteral or kUtf8.
  AppendForm form = AppendForm::kLiteral;
  FlagList flags;
  // Microseconds since 1970.
  std::optional<int64_t> internal_date;
  // In printable ASCII, up to kMaxUrl octets.
  std::string url;
  // The fragment ends with its announcement.
  std::optional<LiteralSize> literal;
  bool operator==(const AppendStep&) const = default;
};

// What the next fragment, behind the octets of a literal, begins with.
enum class AppendPosition {
  // The first message of the command.
  kStart,
  // The end of a message of the form kLiteral or kUtf8, then the next message or the end.
  kBehindLiteral,
  kBehindUtf8,
  // The next part of a kCatenate, or its end; for kInListUtf8 the parenthesis of its UTF8 part
  // first.
  kInList,
  kInListUtf8,
  // There is none: the command is complete.
  kEnd,
};

struct AppendFragment {
  std::vector<AppendStep> steps;
  AppendPosition next = AppendPosition::kEnd;
  bool operator==(const AppendFragment&) const = default;
};

// APPEND and REPLACE up to the first literal that is not the mailbox's name.
struct AppendArguments {
  // The message that REPLACE is about: a sequence number or UID, or kStar. Unset for APPEND.
  std::optional<uint32_t> replaces;
  std::string mailbox;
  AppendFragment fragment;
  bool operator==(const AppendArguments&) const = default;
};

// Takes a fragment that begins at `position`, which is not kEnd, and goes up to the end of the
// text.
bool ParseAppendFragment(Lexer& lexer, AppendPosition position, AppendFragment& fragment);

// The reverse, for tests.
std::string WriteAppendFragment(AppendPosition position, const AppendFragment& fragment);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_APPEND_ARGUMENTS_H_

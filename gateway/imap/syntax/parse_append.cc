// APPEND and REPLACE, which come in fragments.
#include <algorithm>

#include "gateway/imap/syntax/parse_arguments.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {

namespace {

using Kind = AppendStep::Kind;

AppendStep* AddStep(Lexer& lexer, AppendFragment& fragment, Kind kind) {
  if (fragment.steps.size() == kMaxAppendSteps) {
    lexer.Fail("Too many parts");
    return nullptr;
  }
  AppendStep& step = fragment.steps.emplace_back();
  step.kind = kind;
  return &step;
}

// The fragment ends here: its last step is the literal's.
bool EndWithLiteral(Lexer& lexer, AppendFragment& fragment, AppendPosition next) {
  fragment.next = next;
  return lexer.FinalLiteral(fragment.steps.back().literal.emplace());
}

// RFC 6855, 4: the literal of "UTF8 (~{310}" is a literal8.
bool EndWithUtf8(Lexer& lexer, AppendFragment& fragment, AppendPosition next) {
  fragment.steps.back().form = AppendForm::kUtf8;
  if (!lexer.Space() || !lexer.Char('(') || !EndWithLiteral(lexer, fragment, next)) return false;
  return fragment.steps.back().literal->binary || lexer.Fail("literal8 expected");
}

// RFC 4469, cat-part; RFC 6855, 4.
bool ParsePart(Lexer& lexer, AppendFragment& fragment) {
  const bool utf8 = lexer.TryPrefix("UTF8");
  if (utf8 || lexer.TryPrefix("TEXT")) {
    if (AddStep(lexer, fragment, Kind::kText) == nullptr) return false;
    if (utf8) return EndWithUtf8(lexer, fragment, AppendPosition::kInListUtf8);
    return lexer.Space() && EndWithLiteral(lexer, fragment, AppendPosition::kInList);
  }
  if (!lexer.TryPrefix("URL")) return lexer.Fail("TEXT or URL expected");
  AppendStep* const step = AddStep(lexer, fragment, Kind::kUrl);
  if (step == nullptr || !lexer.Space()) return false;
  if (lexer.Peek() == '{') return EndWithLiteral(lexer, fragment, AppendPosition::kInList);
  return ParseUrl(lexer, step->url);
}

// Further parts, each with a space in front, and the closing parenthesis.
bool ParseParts(Lexer& lexer, AppendFragment& fragment) {
  while (lexer.TryChar(' ')) {
    if (!ParsePart(lexer, fragment)) return false;
    if (fragment.next != AppendPosition::kEnd) return true;
  }
  return lexer.Char(')') && AddStep(lexer, fragment, Kind::kMessageEnd) != nullptr;
}

bool ParseMessage(Lexer& lexer, AppendFragment& fragment) {
  AppendStep* const step = AddStep(lexer, fragment, Kind::kMessage);
  if (step == nullptr || !lexer.Space()) return false;
  if (lexer.Peek() == '(' && !(ParseFlagList(lexer, step->flags) && lexer.Space())) return false;
  if (lexer.Peek() == '"' &&
      !(ParseDateTime(lexer, step->internal_date.emplace()) && lexer.Space())) {
    return false;
  }
  if (lexer.TryPrefix("UTF8")) return EndWithUtf8(lexer, fragment, AppendPosition::kBehindUtf8);
  if (!lexer.TryPrefix("CATENATE")) {
    return EndWithLiteral(lexer, fragment, AppendPosition::kBehindLiteral);
  }
  step->form = AppendForm::kCatenate;
  if (!lexer.Space() || !lexer.Char('(') || !ParsePart(lexer, fragment)) return false;
  return fragment.next != AppendPosition::kEnd || ParseParts(lexer, fragment);
}

// What is left of the message that the fragment before ended in.
bool ParseResumed(Lexer& lexer, AppendPosition position, AppendFragment& fragment) {
  switch (position) {
    case AppendPosition::kInListUtf8:
      return lexer.Char(')') && ParseParts(lexer, fragment);
    case AppendPosition::kInList:
      return ParseParts(lexer, fragment);
    case AppendPosition::kBehindUtf8:
      return lexer.Char(')') && AddStep(lexer, fragment, Kind::kMessageEnd) != nullptr;
    case AppendPosition::kBehindLiteral:
      return AddStep(lexer, fragment, Kind::kMessageEnd) != nullptr;
    default:
      return ParseMessage(lexer, fragment);
  }
}

}  // namespace

bool ParseAppendFragment(Lexer& lexer, AppendPosition position, AppendFragment& fragment) {
  if (!ParseResumed(lexer, position, fragment)) return false;
  // RFC 3502: further messages.
  while (fragment.next == AppendPosition::kEnd && !lexer.AtEnd()) {
    if (!ParseMessage(lexer, fragment)) return false;
  }
  return true;
}

bool ParseAppend(Lexer& lexer, AppendArguments& arguments) {
  return lexer.Space() && lexer.Mailbox(arguments.mailbox) &&
         ParseAppendFragment(lexer, AppendPosition::kStart, arguments.fragment);
}

bool ParseReplace(Lexer& lexer, AppendArguments& arguments) {
  if (!lexer.Space()) return false;
  uint32_t& message = arguments.replaces.emplace(kStar);
  if (!lexer.TryChar('*') && !lexer.NonZero(message)) return false;
  return ParseAppend(lexer, arguments);
}

bool ParseUrl(Lexer& lexer, std::string& url) {
  if (!lexer.AString(url)) return false;
  return IsUrlText(url) || lexer.Fail("Invalid URL");
}

bool IsUrlText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxUrl &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace rmail::gateway::imap

#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

using Kind = AppendStep::Kind;

void WriteLiteral(std::string& out, const LiteralSize& literal) {
  if (literal.binary) out += '~';
  out += '{';
  AppendNumber(out, literal.octets);
  out += literal.synchronizing ? "}" : "+}";
}

// The announcement with what introduces it.
void WriteOctets(std::string& out, const AppendStep& step) {
  if (step.form == AppendForm::kUtf8) out += "UTF8 (";
  if (step.literal) WriteLiteral(out, *step.literal);
}

void WriteMessage(std::string& out, const AppendStep& step) {
  WriteFlags(out, step.flags);
  if (step.internal_date) {
    out += ' ';
    AppendInternalDate(out, *step.internal_date);
  }
  out += ' ';
  if (step.form == AppendForm::kCatenate) {
    out += "CATENATE (";
  } else {
    WriteOctets(out, step);
  }
}

void WritePart(std::string& out, const AppendStep& step) {
  if (!out.ends_with('(')) out += ' ';
  if (step.kind == Kind::kUrl) {
    out += "URL ";
    if (step.literal) {
      WriteLiteral(out, *step.literal);
    } else {
      AppendAString(out, step.url);
    }
    return;
  }
  if (step.form != AppendForm::kUtf8) out += "TEXT ";
  WriteOctets(out, step);
}

}  // namespace

std::string WriteAppendFragment(AppendPosition position, const AppendFragment& fragment) {
  std::string out;
  bool in_list = position == AppendPosition::kInList || position == AppendPosition::kInListUtf8;
  if (position == AppendPosition::kBehindUtf8 || position == AppendPosition::kInListUtf8) {
    out += ')';
  }
  for (const AppendStep& step : fragment.steps) {
    switch (step.kind) {
      case Kind::kMessage:
        in_list = step.form == AppendForm::kCatenate;
        WriteMessage(out, step);
        break;
      case Kind::kText:
      case Kind::kUrl:
        WritePart(out, step);
        break;
      case Kind::kMessageEnd:
        if (in_list) out += ')';
        break;
    }
  }
  return out;
}

void WriteArguments(std::string& out, const AppendArguments& arguments) {
  if (arguments.replaces) {
    SequenceSet set;
    set.ranges.push_back({*arguments.replaces, *arguments.replaces});
    WriteSet(out, set);
  }
  WriteMailbox(out, arguments.mailbox);
  out += WriteAppendFragment(AppendPosition::kStart, arguments.fragment);
}

void WriteArguments(std::string& out, const GenUrlAuthArguments& arguments) {
  for (const GenUrlAuthArguments::Item& item : arguments.items) {
    WriteAString(out, item.rump);
    WriteWord(out, item.mechanism);
  }
}

void WriteArguments(std::string& out, const ResetKeyArguments& arguments) {
  if (!arguments.mailbox) return;
  WriteMailbox(out, *arguments.mailbox);
  for (const std::string& mechanism : arguments.mechanisms) WriteWord(out, mechanism);
}

void WriteArguments(std::string& out, const UrlFetchArguments& arguments) {
  for (const std::string& url : arguments.urls) WriteAString(out, url);
}

}  // namespace rmail::gateway::imap

#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

void WriteRange(std::string& out, const std::optional<Partial>& partial) {
  if (!partial) return;
  out += '<';
  AppendNumber(out, partial->offset);
  out += '.';
  AppendNumber(out, partial->length);
  out += '>';
}

void WriteBinary(std::string& out, const FetchItem& item) {
  out += "BINARY";
  if (item.kind == FetchItem::Kind::kBinarySize) out += ".SIZE";
  if (item.peek) out += ".PEEK";
  out += '[';
  AppendSection(out, item.section);
  out += ']';
  WriteRange(out, item.partial);
}

void WriteItem(std::string& out, const FetchItem& item) {
  static constexpr std::string_view kNames[] = {
      "FLAGS",    "UID",           "INTERNALDATE", "RFC822.SIZE",   "ENVELOPE",
      "BODY",     "BODYSTRUCTURE", "RFC822",       "RFC822.HEADER", "RFC822.TEXT",
      "SAVEDATE", "EMAILID",       "THREADID",     "PREVIEW",       "MODSEQ"};
  static_assert(std::size(kNames) == static_cast<size_t>(FetchItem::Kind::kSection));
  if (item.kind > FetchItem::Kind::kSection) return WriteBinary(out, item);
  if (item.kind != FetchItem::Kind::kSection) {
    out += kNames[static_cast<size_t>(item.kind)];
    return;
  }
  out += item.peek ? "BODY.PEEK[" : "BODY[";
  AppendSection(out, item.section);
  out += ']';
  WriteRange(out, item.partial);
}

}  // namespace

void WriteFetchItem(std::string& out, const FetchItem& item) { WriteItem(out, item); }

void WriteArguments(std::string& out, const FetchArguments& arguments) {
  WriteSet(out, arguments.set);
  out += ' ';
  WriteInParentheses(out, arguments.items, [&](const FetchItem& item) { WriteItem(out, item); });
  WriteFetchModifiers(out, arguments);
}

void WriteArguments(std::string& out, const StoreArguments& arguments) {
  using Operation = StoreArguments::Operation;
  WriteSet(out, arguments.set);
  WriteStoreModifiers(out, arguments);
  out += ' ';
  if (arguments.operation == Operation::kAdd) out += '+';
  if (arguments.operation == Operation::kRemove) out += '-';
  out += "FLAGS";
  if (arguments.silent) out += ".SILENT";
  WriteFlags(out, arguments.flags);
}

void WriteArguments(std::string& out, const UidExpungeArguments& arguments) {
  WriteSet(out, arguments.set);
}

void AppendSection(std::string& out, const Section& section) {
  for (size_t i = 0; i < section.part.size(); ++i) {
    if (i > 0) out += '.';
    AppendNumber(out, section.part[i]);
  }
  if (section.kind == Section::Kind::kAll) return;
  if (!section.part.empty()) out += '.';
  switch (section.kind) {
    case Section::Kind::kAll:
      break;
    case Section::Kind::kHeader:
      out += "HEADER";
      break;
    case Section::Kind::kHeaderFields:
      out += "HEADER.FIELDS";
      break;
    case Section::Kind::kHeaderFieldsNot:
      out += "HEADER.FIELDS.NOT";
      break;
    case Section::Kind::kText:
      out += "TEXT";
      break;
    case Section::Kind::kMime:
      out += "MIME";
      break;
  }
  if (section.fields.empty()) return;
  out += ' ';
  WriteInParentheses(out, section.fields,
                     [&](const std::string& field) { AppendAString(out, field); });
}

}  // namespace rmail::gateway::imap

#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

void WriteReturn(std::string& out, const std::optional<SearchReturn>& returns) {
  if (!returns) return;
  out += " RETURN (";
  const size_t start = out.size();
  if (returns->min) out += "MIN ";
  if (returns->max) out += "MAX ";
  if (returns->all) out += "ALL ";
  if (returns->count) out += "COUNT ";
  if (returns->save) out += "SAVE ";
  if (returns->context) out += "CONTEXT ";
  if (returns->update) out += "UPDATE ";
  if (returns->partial) {
    out += "PARTIAL ";
    AppendPartialRange(out, *returns->partial);
    out += ' ';
  }
  if (out.size() > start) out.pop_back();
  out += ')';
}

std::string_view SortKeyName(SortKey::Kind kind) {
  static constexpr std::string_view kNames[] = {
      "ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"};
  static_assert(std::size(kNames) == static_cast<size_t>(SortKey::Kind::kTo) + 1);
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace

void WriteArguments(std::string& out, const SearchArguments& arguments) {
  WriteReturn(out, arguments.returns);
  if (!arguments.charset.empty()) {
    WriteWord(out, "CHARSET");
    WriteAString(out, arguments.charset);
  }
  WriteSearchKeys(out, arguments.keys);
}

void WriteArguments(std::string& out, const SortArguments& arguments) {
  WriteReturn(out, arguments.search.returns);
  out += ' ';
  WriteInParentheses(out, arguments.keys, [&](const SortKey& key) {
    if (key.reverse) out += "REVERSE ";
    out += SortKeyName(key.kind);
  });
  WriteAString(out, arguments.search.charset);
  WriteSearchKeys(out, arguments.search.keys);
}

void WriteArguments(std::string& out, const ThreadArguments& arguments) {
  static constexpr std::string_view kNames[] = {"ORDEREDSUBJECT", "REFERENCES", "REFS"};
  static_assert(std::size(kNames) == static_cast<size_t>(ThreadArguments::Algorithm::kRefs) + 1);
  WriteWord(out, kNames[static_cast<size_t>(arguments.algorithm)]);
  WriteAString(out, arguments.search.charset);
  WriteSearchKeys(out, arguments.search.keys);
}

void WriteArguments(std::string& out, const CancelUpdateArguments& arguments) {
  for (const std::string& tag : arguments.tags) {
    out += ' ';
    AppendString(out, tag);
  }
}

}  // namespace rmail::gateway::imap

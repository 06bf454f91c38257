#include "gateway/imap/syntax/command_writer.h"

#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/search_key_writer.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

// Writes the arguments of one command, each with the space in front.
class ArgumentWriter {
 public:
  explicit ArgumentWriter(std::string& out) : out_(out) {}

  void operator()(const NoArguments&) {}

  void operator()(const AuthenticateArguments& arguments) {
    Word(arguments.mechanism);
    if (arguments.initial_response) Word(*arguments.initial_response);
  }

  void operator()(const LoginArguments& arguments) {
    AString(arguments.user);
    AString(arguments.password);
  }

  void operator()(const IdArguments& arguments) {
    if (arguments.fields.empty()) return Word("()");
    char separator = '(';
    out_ += ' ';
    for (const auto& [name, value] : arguments.fields) {
      out_ += separator;
      separator = ' ';
      AppendString(out_, name);
      out_ += ' ';
      if (value) {
        AppendString(out_, *value);
      } else {
        out_ += "NIL";
      }
    }
    out_ += ')';
  }

  void operator()(const EnableArguments& arguments) {
    for (const std::string& capability : arguments.capabilities) Word(capability);
  }

  void operator()(const MailboxArguments& arguments) { Mailbox(arguments.mailbox); }

  void operator()(const StatusArguments& arguments) {
    Mailbox(arguments.mailbox);
    out_ += ' ';
    StatusItems(arguments.items);
  }

  void operator()(const ListArguments& arguments) {
    if (arguments.extended) {
      List({{arguments.select_subscribed, "SUBSCRIBED"},
            {arguments.select_remote, "REMOTE"},
            {arguments.select_recursive_match, "RECURSIVEMATCH"},
            {arguments.select_special_use, "SPECIAL-USE"}});
    }
    Mailbox(arguments.reference);
    if (!arguments.extended) return Mailbox(arguments.patterns[0]);
    char separator = '(';
    out_ += ' ';
    for (const std::string& pattern : arguments.patterns) {
      out_ += separator;
      separator = ' ';
      AppendMailboxName(out_, pattern);
    }
    out_ += ") RETURN";
    List({{arguments.return_subscribed, "SUBSCRIBED"},
          {arguments.return_children, "CHILDREN"},
          {arguments.return_special_use, "SPECIAL-USE"}});
    if (arguments.return_status.empty()) return;
    out_.pop_back();
    out_ += out_.ends_with('(') ? "STATUS " : " STATUS ";
    StatusItems(arguments.return_status);
    out_ += ')';
  }

  void operator()(const FetchArguments& arguments) {
    Set(arguments.set);
    char separator = '(';
    out_ += ' ';
    for (const FetchItem& item : arguments.items) {
      out_ += separator;
      separator = ' ';
      Item(item);
    }
    out_ += ')';
  }

  void operator()(const StoreArguments& arguments) {
    using Operation = StoreArguments::Operation;
    Set(arguments.set);
    out_ += ' ';
    if (arguments.operation == Operation::kAdd) out_ += '+';
    if (arguments.operation == Operation::kRemove) out_ += '-';
    out_ += "FLAGS";
    if (arguments.silent) out_ += ".SILENT";
    Flags(arguments.flags);
  }

  void operator()(const SearchArguments& arguments) {
    if (!arguments.charset.empty()) {
      Word("CHARSET");
      AString(arguments.charset);
    }
    for (const SearchKey& key : arguments.keys) AppendSearchKey(out_, key);
  }

  void operator()(const UidExpungeArguments& arguments) { Set(arguments.set); }

  void operator()(const AppendArguments& arguments) {
    Mailbox(arguments.mailbox);
    Flags(arguments.flags);
    if (arguments.internal_date) {
      out_ += ' ';
      AppendInternalDate(out_, *arguments.internal_date);
    }
    out_ += " {";
    AppendNumber(out_, arguments.size);
    out_ += arguments.synchronizing ? "}" : "+}";
  }

 private:
  struct Option {
    bool chosen;
    std::string_view name;
  };

  void Word(std::string_view word) {
    out_ += ' ';
    out_ += word;
  }
  void AString(std::string_view text) {
    out_ += ' ';
    AppendAString(out_, text);
  }
  void Mailbox(std::string_view name) {
    out_ += ' ';
    AppendMailboxName(out_, name);
  }
  void Set(const SequenceSet& set) {
    out_ += ' ';
    AppendSequenceSet(out_, set);
  }
  void List(std::initializer_list<Option> options) {
    out_ += " (";
    bool first = true;
    for (const Option& option : options) {
      if (!option.chosen) continue;
      if (!first) out_ += ' ';
      first = false;
      out_ += option.name;
    }
    out_ += ')';
  }

  void StatusItems(const std::vector<StatusItem>& items) {
    char separator = '(';
    for (const StatusItem item : items) {
      out_ += separator;
      separator = ' ';
      out_ += StatusItemName(item);
    }
    out_ += ')';
  }

  void Flags(const FlagList& flags) {
    out_ += ' ';
    // Keywords stand here by name, not by bit.
    AppendFlags(out_, flags.system, {});
    out_.pop_back();
    for (const std::string& keyword : flags.keywords) {
      if (!out_.ends_with('(')) out_ += ' ';
      out_ += keyword;
    }
    out_ += ')';
  }

  void Item(const FetchItem& item) {
    static constexpr std::string_view kNames[] = {
        "FLAGS", "UID",           "INTERNALDATE", "RFC822.SIZE",   "ENVELOPE",
        "BODY",  "BODYSTRUCTURE", "RFC822",       "RFC822.HEADER", "RFC822.TEXT"};
    static_assert(std::size(kNames) == static_cast<size_t>(FetchItem::Kind::kSection));
    if (item.kind != FetchItem::Kind::kSection) {
      out_ += kNames[static_cast<size_t>(item.kind)];
      return;
    }
    out_ += item.peek ? "BODY.PEEK[" : "BODY[";
    AppendSection(out_, item.section);
    out_ += ']';
    Range(item.partial);
  }

  void Range(const std::optional<Partial>& partial) {
    if (!partial) return;
    out_ += '<';
    AppendNumber(out_, partial->offset);
    out_ += '.';
    AppendNumber(out_, partial->length);
    out_ += '>';
  }

  std::string& out_;
};

}  // namespace

std::string WriteCommand(const Command& command) {
  std::string out = command.tag;
  out += ' ';
  if (command.uid) out += "UID ";
  out += command.name;
  std::visit(ArgumentWriter(out), command.arguments);
  return out;
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
  char separator = '(';
  for (const std::string& field : section.fields) {
    out += separator;
    separator = ' ';
    AppendAString(out, field);
  }
  out += ')';
}

std::string_view StatusItemName(StatusItem item) {
  switch (item) {
    case StatusItem::kMessages:
      return "MESSAGES";
    case StatusItem::kRecent:
      return "RECENT";
    case StatusItem::kUidNext:
      return "UIDNEXT";
    case StatusItem::kUidValidity:
      return "UIDVALIDITY";
    case StatusItem::kUnseen:
      return "UNSEEN";
    case StatusItem::kSize:
      return "SIZE";
  }
  return {};
}

}  // namespace rmail::gateway::imap

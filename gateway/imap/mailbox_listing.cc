#include "gateway/imap/mailbox_listing.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/list_pattern.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

using store::v1::Mailbox;

// A name in the hierarchy: a mailbox, or a level above one that is none itself.
struct Node {
  const Mailbox* mailbox = nullptr;
  bool has_children = false;
  // A mailbox somewhere below fits the selection.
  bool child_selected = false;
};

// INBOX first, as clients expect it, then by path.
struct PathOrder {
  bool operator()(std::string_view a, std::string_view b) const {
    const bool a_inbox = a == "INBOX";
    const bool b_inbox = b == "INBOX";
    return a_inbox != b_inbox ? a_inbox : a < b;
  }
};

// Views of the mailboxes' paths.
using Tree = std::map<std::string_view, Node, PathOrder>;

bool IsSelected(const ListArguments& arguments, const Mailbox& mailbox) {
  return (!arguments.select_subscribed || mailbox.subscribed()) &&
         (!arguments.select_special_use ||
          mailbox.special_use() != store::v1::SPECIAL_USE_UNSPECIFIED);
}

Tree MakeTree(const ListArguments& arguments, const MailboxList& mailboxes) {
  Tree tree;
  for (const Mailbox& mailbox : mailboxes) {
    tree[mailbox.path()].mailbox = &mailbox;
    std::string_view path = mailbox.path();
    while (true) {
      const size_t delimiter = path.rfind(kHierarchyDelimiter);
      if (delimiter == std::string_view::npos || delimiter == 0) break;
      path = path.substr(0, delimiter);
      Node& parent = tree[path];
      parent.has_children = true;
      parent.child_selected |= IsSelected(arguments, mailbox);
    }
  }
  return tree;
}

std::string_view SpecialUseAttribute(store::v1::SpecialUse use) {
  switch (use) {
    case store::v1::SPECIAL_USE_ALL:
      return "\\All";
    case store::v1::SPECIAL_USE_ARCHIVE:
      return "\\Archive";
    case store::v1::SPECIAL_USE_DRAFTS:
      return "\\Drafts";
    case store::v1::SPECIAL_USE_FLAGGED:
      return "\\Flagged";
    case store::v1::SPECIAL_USE_JUNK:
      return "\\Junk";
    case store::v1::SPECIAL_USE_SENT:
      return "\\Sent";
    case store::v1::SPECIAL_USE_TRASH:
      return "\\Trash";
    default:
      return {};
  }
}

bool MatchesAny(const std::vector<ListPattern>& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const ListPattern& pattern) { return pattern.Matches(path); });
}

std::vector<ListPattern> MakePatterns(const ListArguments& arguments) {
  std::vector<ListPattern> patterns;
  for (const std::string& pattern : arguments.patterns) {
    patterns.emplace_back(arguments.reference, pattern);
  }
  return patterns;
}

void AppendListLine(std::string& out, std::string_view command, std::string_view attributes,
                    std::string_view path, std::string_view extended = "") {
  out += "* ";
  out += command;
  out += " (";
  if (!attributes.empty()) attributes.remove_suffix(1);
  out += attributes;
  out += ") \"/\" ";
  AppendMailboxName(out, path);
  out += extended;
  out += "\r\n";
}

// Each with a space behind it.
std::string Attributes(const ListArguments& arguments, const Node& node) {
  std::string attributes;
  if (node.mailbox == nullptr) {
    attributes += arguments.extended ? "\\NonExistent " : "\\Noselect ";
  } else if ((arguments.return_subscribed || arguments.select_subscribed) &&
             node.mailbox->subscribed()) {
    attributes += "\\Subscribed ";
  }
  attributes += node.has_children ? "\\HasChildren " : "\\HasNoChildren ";
  if (node.mailbox == nullptr) return attributes;
  const std::string_view use = SpecialUseAttribute(node.mailbox->special_use());
  if (!use.empty()) {
    attributes += use;
    attributes += ' ';
  }
  return attributes;
}

// RFC 5258, 3.5: which criteria mailboxes below meet.
std::string ChildInfo(const ListArguments& arguments) {
  std::string info = " (CHILDINFO (";
  if (arguments.select_subscribed) info += "\"SUBSCRIBED\" ";
  if (arguments.select_special_use) info += "\"SPECIAL-USE\" ";
  info.back() = ')';
  return info += ')';
}

uint64_t StatusValue(StatusItem item, const store::v1::MailboxCounts& counts) {
  switch (item) {
    case StatusItem::kMessages:
      return counts.messages();
    case StatusItem::kRecent:
      return 0;
    case StatusItem::kUidNext:
      return counts.uid_next();
    case StatusItem::kUidValidity:
      return counts.uid_validity();
    case StatusItem::kUnseen:
      return counts.unseen();
    case StatusItem::kSize:
      return counts.size();
  }
  return 0;
}

}  // namespace

void AppendList(std::string& out, const ListArguments& arguments, const MailboxList& mailboxes) {
  // RFC 9051, 6.3.9: the empty pattern asks for the delimiter and the root of the reference.
  if (!arguments.extended && arguments.patterns[0].empty()) {
    out += "* LIST (\\Noselect) \"/\" \"\"\r\n";
    return;
  }
  const std::vector<ListPattern> patterns = MakePatterns(arguments);
  for (const auto& [path, node] : MakeTree(arguments, mailboxes)) {
    if (!MatchesAny(patterns, path)) continue;
    const bool selecting = arguments.select_subscribed || arguments.select_special_use;
    const bool selected = node.mailbox != nullptr && IsSelected(arguments, *node.mailbox);
    const bool above = arguments.select_recursive_match && node.child_selected;
    // Without criteria, a level that is no mailbox is listed too: its children would seem to hang
    // in the air.
    if (!selected && !above && (selecting || node.mailbox != nullptr)) continue;
    AppendListLine(out, "LIST", Attributes(arguments, node), path,
                   above ? ChildInfo(arguments) : "");
    // RFC 5819, 2: a mailbox whose counts can't be had gets no STATUS answer.
    if (!arguments.return_status.empty() && selected && node.mailbox->has_counts()) {
      AppendStatus(out, *node.mailbox, arguments.return_status);
    }
  }
}

void AppendLsub(std::string& out, const ListArguments& arguments, const MailboxList& mailboxes) {
  const std::vector<ListPattern> patterns = MakePatterns(arguments);
  ListArguments subscribed;
  subscribed.select_subscribed = true;
  for (const auto& [path, node] : MakeTree(subscribed, mailboxes)) {
    if (!MatchesAny(patterns, path)) continue;
    if (node.mailbox != nullptr && node.mailbox->subscribed()) {
      AppendListLine(out, "LSUB", "", path);
    } else if (node.child_selected && arguments.patterns[0].ends_with('%')) {
      // RFC 3501, 6.3.9: "%" shows a level that is not subscribed, but has subscribed mailboxes
      // below.
      AppendListLine(out, "LSUB", "\\Noselect ", path);
    }
  }
}

void AppendStatus(std::string& out, const Mailbox& mailbox, const std::vector<StatusItem>& items) {
  out += "* STATUS ";
  AppendMailboxName(out, mailbox.path());
  char separator = '(';
  out += ' ';
  for (const StatusItem item : items) {
    out += separator;
    separator = ' ';
    out += StatusItemName(item);
    out += ' ';
    AppendNumber(out, StatusValue(item, mailbox.counts()));
  }
  out += ")\r\n";
}

}  // namespace rmail::gateway::imap

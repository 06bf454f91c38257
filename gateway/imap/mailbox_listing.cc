#include "gateway/imap/mailbox_listing.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/list_pattern.h"
#include "gateway/imap/syntax/mailbox_name.h"

namespace rmail::gateway::imap {

namespace {

using store::v1::ListMailboxesResponse;
using store::v1::Mailbox;

// A name in the hierarchy: a mailbox, or a level above one, or a subscription that outlived its
// mailbox.
struct Node {
  const Mailbox* mailbox = nullptr;
  bool subscribed = false;
  bool has_children = false;
  // A name somewhere below fits the selection.
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

bool IsSelecting(const ListArguments& arguments) {
  return arguments.select_subscribed || arguments.select_special_use;
}

bool IsSelected(const ListArguments& arguments, const Node& node) {
  return (!arguments.select_subscribed || node.subscribed) &&
         (!arguments.select_special_use ||
          (node.mailbox != nullptr &&
           node.mailbox->special_use() != store::v1::SPECIAL_USE_UNSPECIFIED));
}

// Puts a path into the tree, and the levels above it.
void AddPath(Tree& tree, const ListArguments& arguments, std::string_view path, const Node& added) {
  Node& node = tree[path];
  node.mailbox = added.mailbox;
  node.subscribed = added.subscribed;
  while (true) {
    const size_t delimiter = path.rfind(kHierarchyDelimiter);
    if (delimiter == std::string_view::npos || delimiter == 0) return;
    path = path.substr(0, delimiter);
    Node& parent = tree[path];
    parent.has_children |= added.mailbox != nullptr;
    parent.child_selected |= IsSelected(arguments, added);
  }
}

Tree MakeTree(const ListArguments& arguments, const ListMailboxesResponse& mailboxes) {
  Tree tree;
  for (const Mailbox& mailbox : mailboxes.mailboxes()) {
    AddPath(tree, arguments, mailbox.path(),
            {.mailbox = &mailbox, .subscribed = mailbox.subscribed()});
  }
  for (const std::string& path : mailboxes.subscribed_paths()) {
    AddPath(tree, arguments, path, {.subscribed = true});
  }
  return tree;
}

struct UseName {
  store::v1::SpecialUse use;
  std::string_view attribute;
};
constexpr UseName kUseNames[] = {
    {store::v1::SPECIAL_USE_ALL, "\\All"},       {store::v1::SPECIAL_USE_ARCHIVE, "\\Archive"},
    {store::v1::SPECIAL_USE_DRAFTS, "\\Drafts"}, {store::v1::SPECIAL_USE_FLAGGED, "\\Flagged"},
    {store::v1::SPECIAL_USE_JUNK, "\\Junk"},     {store::v1::SPECIAL_USE_SENT, "\\Sent"},
    {store::v1::SPECIAL_USE_TRASH, "\\Trash"},
};

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
                    std::string_view path, bool utf8) {
  out += "* ";
  out += command;
  out += " (";
  out += attributes;
  out += ") \"/\" ";
  AppendMailboxName(out, path, utf8);
}

std::string Attributes(const ListArguments& arguments, const Node& node) {
  std::string attributes;
  if (node.subscribed && (arguments.return_subscribed || arguments.select_subscribed)) {
    attributes += "\\Subscribed ";
  }
  if (node.mailbox == nullptr) {
    attributes += arguments.extended ? "\\NonExistent " : "\\Noselect ";
  }
  attributes += node.has_children ? "\\HasChildren" : "\\HasNoChildren";
  if (node.mailbox == nullptr) return attributes;
  const std::string_view use = SpecialUseAttribute(node.mailbox->special_use());
  if (!use.empty()) {
    attributes += ' ';
    attributes += use;
  }
  return attributes;
}

// RFC 5258, 3.5: which criteria mailboxes below meet.
std::string ChildInfo(const ListArguments& arguments) {
  std::string info = " (\"CHILDINFO\" (";
  if (arguments.select_subscribed) info += "\"SUBSCRIBED\" ";
  if (arguments.select_special_use) info += "\"SPECIAL-USE\" ";
  info.back() = ')';
  return info += ')';
}

}  // namespace

void AppendList(std::string& out, const ListArguments& arguments,
                const ListMailboxesResponse& mailboxes, const ListingOptions& options) {
  // RFC 9051, 6.3.9: the empty pattern asks for the delimiter and the root of the reference.
  if (!arguments.extended && arguments.patterns[0].empty()) {
    out += "* LIST (\\Noselect) \"/\" \"\"\r\n";
    return;
  }
  const bool selecting = IsSelecting(arguments);
  const std::vector<ListPattern> patterns = MakePatterns(arguments);
  for (const auto& [path, node] : MakeTree(arguments, mailboxes)) {
    // Without criteria, a level that is no mailbox is listed too: its children would seem to hang
    // in the air.
    const bool there = node.mailbox != nullptr || node.has_children;
    const bool selected = selecting ? IsSelected(arguments, node) : there;
    const bool above = arguments.select_recursive_match && node.child_selected;
    if ((!selected && !above) || !MatchesAny(patterns, path)) continue;
    AppendListLine(out, "LIST", Attributes(arguments, node), path, options.utf8);
    if (above) out += ChildInfo(arguments);
    out += "\r\n";
    // RFC 5819, 2: a mailbox whose counts can't be had gets no STATUS answer.
    if (!arguments.return_status.empty() && selected && node.mailbox != nullptr &&
        node.mailbox->has_counts()) {
      AppendStatus(out, *node.mailbox, arguments.return_status, options);
    }
  }
}

void AppendLsub(std::string& out, const ListArguments& arguments,
                const ListMailboxesResponse& mailboxes, const ListingOptions& options) {
  const std::vector<ListPattern> patterns = MakePatterns(arguments);
  ListArguments subscribed;
  subscribed.select_subscribed = true;
  for (const auto& [path, node] : MakeTree(subscribed, mailboxes)) {
    // RFC 3501, 6.3.9: "%" shows a level that is not subscribed, but has subscribed mailboxes
    // below.
    const bool above = node.child_selected && arguments.patterns[0].ends_with('%');
    if ((!node.subscribed && !above) || !MatchesAny(patterns, path)) continue;
    AppendListLine(out, "LSUB", node.subscribed ? "" : "\\Noselect", path, options.utf8);
    out += "\r\n";
  }
}

void AppendListAnswer(std::string& out, const ListAnswer& answer, bool utf8) {
  AppendListLine(out, "LIST", answer.attributes, answer.path, utf8);
  if (!answer.old_path.empty()) {
    out += " (\"OLDNAME\" (";
    AppendMailboxName(out, answer.old_path, utf8);
    out += "))";
  }
  out += "\r\n";
}

std::string_view SpecialUseAttribute(store::v1::SpecialUse use) {
  for (const UseName& name : kUseNames) {
    if (name.use == use) return name.attribute;
  }
  return {};
}

std::optional<store::v1::SpecialUse> SpecialUseOf(std::string_view name) {
  for (const UseName& known : kUseNames) {
    if (EqualsIgnoreCase(known.attribute.substr(1), name)) return known.use;
  }
  return std::nullopt;
}

}  // namespace rmail::gateway::imap

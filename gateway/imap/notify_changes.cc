#include "gateway/imap/notify_changes.h"

#include <functional>

#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/syntax/list_pattern.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

class NameChanges {
 public:
  NameChanges(std::string& out, const AccountNames& before, const AccountNames& after,
              const NotifyFilter& filter, bool utf8)
      : out_(out), before_(before), after_(after), filter_(filter), utf8_(utf8) {
    for (const auto& [name, path] : after.paths) there_.emplace(path, name);
  }

  void AppendMailboxes() {
    for (const auto& [name, path] : before_.paths) {
      // Where another one has come into its place, that is told.
      if (after_.paths.contains(name) || there_.contains(path)) continue;
      if (Wanted(path, kMailboxName)) Append({.path = path, .attributes = "\\NonExistent"});
    }
    for (const auto& [path, name] : there_) {
      const auto old = before_.paths.find(name);
      if (old == before_.paths.end()) {
        if (Wanted(path, kMailboxName)) Append({.path = path});
      } else if (old->second != path && RenameWanted(path, old->second) &&
                 !MovedWithParent(path, old->second)) {
        Append({.path = path, .old_path = old->second});
      }
    }
  }

  void AppendSubscriptions() {
    for (const std::string& path : before_.subscribed) {
      if (after_.IsSubscribed(path) || !Wanted(path, kSubscriptionChange)) continue;
      Append({.path = path, .attributes = there_.contains(path) ? "" : "\\NonExistent"});
    }
    for (const std::string& path : after_.subscribed) {
      if (before_.IsSubscribed(path) || !Wanted(path, kSubscriptionChange)) continue;
      Append({.path = path,
              .attributes = there_.contains(path) ? "\\Subscribed" : "\\Subscribed \\NonExistent"});
    }
  }

 private:
  bool Wanted(std::string_view path, uint8_t event) const {
    const bool subscribed = before_.IsSubscribed(path) || after_.IsSubscribed(path);
    return (filter_.EventsOf(path, subscribed) & event) != 0;
  }
  bool RenameWanted(std::string_view path, std::string_view old) const {
    return Wanted(path, kMailboxName) || Wanted(old, kMailboxName);
  }
  // RFC 5465, 5.4: of what lies below a mailbox that was renamed nothing is told.
  bool MovedWithParent(std::string_view path, std::string_view old) const {
    while (true) {
      const size_t end = path.rfind(kHierarchyDelimiter);
      const size_t old_end = old.rfind(kHierarchyDelimiter);
      if (end == std::string_view::npos || old_end == std::string_view::npos ||
          path.substr(end) != old.substr(old_end)) {
        return false;
      }
      path = path.substr(0, end);
      old = old.substr(0, old_end);
      const auto parent = there_.find(path);
      if (parent == there_.end()) continue;
      const auto before = before_.paths.find(parent->second);
      if (before != before_.paths.end() && before->second == old && RenameWanted(path, old)) {
        return true;
      }
    }
  }
  void Append(const ListAnswer& answer) { AppendListAnswer(out_, answer, utf8_); }

  std::string& out_;
  const AccountNames& before_;
  const AccountNames& after_;
  const NotifyFilter& filter_;
  const bool utf8_;
  // Mailboxes that are there now, by path.
  std::map<std::string_view, std::string> there_;
};

}  // namespace

void AccountNames::Create(const store::v1::Mailbox& mailbox) {
  paths[mailbox.name()] = mailbox.path();
  if (mailbox.subscribed()) subscribed.insert(mailbox.path());
}

void AccountNames::Rename(const std::string& name, const std::string& path) {
  const auto found = paths.find(name);
  if (found == paths.end()) return;
  const std::string above = found->second + kHierarchyDelimiter;
  found->second = path;
  for (auto& [other, below] : paths) {
    if (below.starts_with(above)) below = path + kHierarchyDelimiter + below.substr(above.size());
  }
}

void AccountNames::Subscribe(const std::string& path, bool subscribe) {
  if (subscribe) {
    subscribed.insert(path);
  } else {
    subscribed.erase(path);
  }
}

AccountNames NamesOf(const store::v1::ListMailboxesResponse& mailboxes) {
  AccountNames names;
  for (const store::v1::Mailbox& mailbox : mailboxes.mailboxes()) names.Create(mailbox);
  names.subscribed.insert(mailboxes.subscribed_paths().begin(), mailboxes.subscribed_paths().end());
  return names;
}

void AppendNameChanges(std::string& out, const AccountNames& before, const AccountNames& after,
                       const NotifyFilter& filter, bool utf8) {
  NameChanges changes(out, before, after, filter, utf8);
  changes.AppendMailboxes();
  changes.AppendSubscriptions();
}

uint8_t MessageEventsBetween(const store::v1::MailboxCounts& before,
                             const store::v1::MailboxCounts& after) {
  if (before.uid_validity() != after.uid_validity()) return kMessageEvents;
  if (before.uid_next() != after.uid_next() || before.messages() != after.messages()) {
    return kMessageNew | kMessageExpunge;
  }
  return before.highest_modseq() != after.highest_modseq() ? kFlagChange : 0;
}

size_t PrintOf(std::string_view value) { return std::hash<std::string_view>()(value); }

AnnotationPrints PrintsOf(const store::v1::GetMetadataResponse& metadata) {
  AnnotationPrints prints;
  for (const store::v1::MetadataEntry& entry : metadata.entries()) {
    if (!IsShownAnnotation(entry.name())) continue;
    prints[entry.name()] = PrintOf(entry.value());
  }
  return prints;
}

void AppendMetadataChanges(std::string& out, std::string_view path, const AnnotationPrints& before,
                           const AnnotationPrints& after, bool utf8) {
  std::set<std::string_view> changed;
  for (const auto& [name, print] : before) {
    const auto found = after.find(name);
    if (found == after.end() || found->second != print) changed.insert(name);
  }
  for (const auto& [name, print] : after) {
    if (!before.contains(name)) changed.insert(name);
  }
  if (changed.empty()) return;
  out += "* METADATA ";
  AppendMailboxName(out, path, utf8);
  for (const std::string_view name : changed) {
    out += ' ';
    AppendAString(out, name);
  }
  out += "\r\n";
}

}  // namespace rmail::gateway::imap

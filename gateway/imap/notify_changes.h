// What changed in an account between two looks, and how NOTIFY tells it (RFC 5465, 5). Pure.
#ifndef RMAIL_GATEWAY_IMAP_NOTIFY_CHANGES_H_
#define RMAIL_GATEWAY_IMAP_NOTIFY_CHANGES_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "gateway/imap/notify_filter.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/metadata.pb.h"

namespace rmail::gateway::imap {

// Mailboxes and subscriptions of an account at one moment.
struct AccountNames {
  // Paths by the store's name.
  std::map<std::string, std::string> paths;
  // Paths that are subscribed to, with a mailbox or without.
  std::set<std::string, std::less<>> subscribed;

  bool IsSubscribed(std::string_view path) const { return subscribed.contains(path); }
  // What a client does itself, so that it is not told of it.
  void Create(const store::v1::Mailbox& mailbox);
  void Delete(const std::string& name) { paths.erase(name); }
  // With what lies below.
  void Rename(const std::string& name, const std::string& path);
  void Subscribe(const std::string& path, bool subscribe);
};

AccountNames NamesOf(const store::v1::ListMailboxesResponse& mailboxes);

// Appends LIST answers for what the filter asks for of MailboxName and SubscriptionChange.
void AppendNameChanges(std::string& out, const AccountNames& before, const AccountNames& after,
                       const NotifyFilter& filter, bool utf8);

// The message events that lead from one to the other. What is new and what is gone is not told
// apart: who asks for one asks for both.
uint8_t MessageEventsBetween(const store::v1::MailboxCounts& before,
                             const store::v1::MailboxCounts& after);

// Fingerprints of a resource's annotations, by name; only those that clients may see.
using AnnotationPrints = std::map<std::string, size_t, std::less<>>;
size_t PrintOf(std::string_view value);
AnnotationPrints PrintsOf(const store::v1::GetMetadataResponse& metadata);
// "* METADATA INBOX /shared/comment" with the names of those that differ (RFC 5464, 4.4.2); nothing
// when none does. `path` is empty for the server.
void AppendMetadataChanges(std::string& out, std::string_view path, const AnnotationPrints& before,
                           const AnnotationPrints& after, bool utf8);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_NOTIFY_CHANGES_H_

// GETMETADATA and SETMETADATA (RFC 5464).
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/imap/commands.h"
#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/mailbox_lookup.h"
#include "gateway/imap/notifications.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/writer.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

using store::v1::MetadataEntry;

// RFC 6154, 5.4: what a mailbox is for, as an annotation. It is chosen when the mailbox is made.
constexpr std::string_view kSpecialUse = "/private/specialuse";

// The store's limit.
constexpr size_t kMaxValue = 64 * 1024;

// Whether an entry is asked for by the name of one that it is, or is below.
bool Matches(std::string_view entry, std::string_view asked, MetadataDepth depth) {
  if (!entry.starts_with(asked)) return false;
  const std::string_view below = entry.substr(asked.size());
  if (below.empty()) return true;
  if (depth == MetadataDepth::kZero || below.front() != '/') return false;
  return depth == MetadataDepth::kInfinity || below.find('/', 1) == std::string_view::npos;
}

bool IsAskedFor(const GetMetadataArguments& arguments, std::string_view entry) {
  return std::any_of(
      arguments.entries.begin(), arguments.entries.end(),
      [&](const std::string& asked) { return Matches(entry, asked, arguments.depth); });
}

// An account or a mailbox, by the name that the client uses.
struct Resource {
  // The store's name.
  std::string name;
  // As it is written in answers.
  std::string path;
  store::v1::SpecialUse special_use = store::v1::SPECIAL_USE_UNSPECIFIED;
};

boost::asio::awaitable<absl::StatusOr<Resource>> FindResource(const StoreSession& store,
                                                              std::string path) {
  if (path.empty()) co_return Resource{.name = store.account(), .path = ""};
  RMAIL_CO_ASSIGN_OR_RETURN(const store::v1::Mailbox mailbox,
                            co_await FindMailbox(store, std::move(path)));
  co_return Resource{mailbox.name(), mailbox.path(), mailbox.special_use()};
}

// Writes "* METADATA INBOX (/shared/comment "x")" entry by entry.
class MetadataAnswer {
 public:
  // The first two outlive it. `start` comes in front of the first entry.
  MetadataAnswer(std::string& out, const GetMetadataArguments& arguments, std::string start)
      : out_(out), arguments_(arguments), start_(std::move(start)) {}

  // Of an entry that is asked for.
  void Add(std::string_view name, std::string_view value) {
    found_.emplace(name);
    if (arguments_.max_size && value.size() > *arguments_.max_size) {
      longest_ = std::max(longest_, value.size());
      return;
    }
    Begin(name);
    AppendOctets(out_, value);
  }

  // Names that were asked for and have no value get NIL; a search below them finds nothing there.
  void End() {
    for (const std::string& name : arguments_.entries) {
      if (arguments_.depth != MetadataDepth::kZero || !found_.emplace(name).second) continue;
      Begin(name);
      out_ += "NIL";
    }
    if (!first_) out_ += ")\r\n";
  }

  // Octets of the longest value that was left out; 0 when none was.
  size_t longest() const { return longest_; }

 private:
  void Begin(std::string_view name) {
    out_ += std::exchange(first_, false) ? start_ : " ";
    AppendAString(out_, name);
    out_ += ' ';
  }

  std::string& out_;
  const GetMetadataArguments& arguments_;
  const std::string start_;
  std::set<std::string, std::less<>> found_;
  size_t longest_ = 0;
  bool first_ = true;
};

}  // namespace

boost::asio::awaitable<Reply> GetMetadata(Session& session, const Command& command) {
  const auto& arguments = std::get<GetMetadataArguments>(command.arguments);
  const auto resource = co_await FindResource(session.store(), arguments.mailbox);
  if (!resource.ok()) co_return NoBecause(resource.status());
  store::v1::GetMetadataRequest request;
  request.set_name(resource->name);
  const auto metadata = co_await session.store().Call(std::move(request));
  if (!metadata.ok()) co_return NoBecause(metadata.status());
  std::string start = "* METADATA ";
  AppendMailboxName(start, resource->path, session.enabled().utf8_names());
  MetadataAnswer answer(session.out().buffer(), arguments, start + " (");
  for (const MetadataEntry& entry : metadata->entries()) {
    const bool shown = IsShownAnnotation(entry.name()) && entry.name() != kSpecialUse;
    if (shown && IsAskedFor(arguments, entry.name())) answer.Add(entry.name(), entry.value());
  }
  const std::string_view use = SpecialUseAttribute(resource->special_use);
  if (!use.empty() && IsAskedFor(arguments, kSpecialUse)) answer.Add(kSpecialUse, use);
  answer.End();
  if (answer.longest() == 0) co_return Ok("GETMETADATA completed");
  co_return Ok("[METADATA LONGENTRIES " + std::to_string(answer.longest()) +
               "] GETMETADATA completed");
}

boost::asio::awaitable<Reply> SetMetadata(Session& session, const Command& command) {
  const auto& arguments = std::get<SetMetadataArguments>(command.arguments);
  const auto resource = co_await FindResource(session.store(), arguments.mailbox);
  if (!resource.ok()) co_return NoBecause(resource.status());
  // Of a name that comes twice the last value counts.
  std::map<std::string_view, const std::optional<std::string>*> changes;
  for (const auto& [name, value] : arguments.entries) changes[name] = &value;
  if (changes.contains(kSpecialUse)) {
    co_return No("CANNOT", "The special use is chosen when the mailbox is created");
  }
  store::v1::SetMetadataRequest request;
  request.set_name(resource->name);
  for (const auto& [name, value] : changes) {
    MetadataEntry* entry = request.add_entries();
    entry->set_name(std::string(name));
    if (*value) entry->set_value(**value);
  }
  const auto changed = co_await session.store().Call(std::move(request));
  switch (ReasonOf(changed.status())) {
    case store::v1::ERROR_REASON_METADATA_TOO_LARGE:
      co_return No("METADATA MAXSIZE " + std::to_string(kMaxValue), "The value is too large");
    case store::v1::ERROR_REASON_TOO_MUCH_METADATA:
      co_return No("METADATA TOOMANY", "There are too many annotations");
    default:
      break;
  }
  if (!changed.ok()) co_return NoBecause(changed.status());
  if (session.notifications() != nullptr) {
    AnnotationPrints& prints = session.notifications()->annotations(resource->name);
    for (const auto& [name, value] : changes) {
      prints.erase(std::string(name));
      if (*value) prints.emplace(name, PrintOf(**value));
    }
  }
  co_return Ok("SETMETADATA completed");
}

}  // namespace rmail::gateway::imap

#include "store/engine/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <set>
#include <stdexcept>
#include <utility>

#include "absl/strings/escaping.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/address.h"

namespace rmail::engine {
namespace {

namespace json = boost::json;

constexpr uint32_t kVersion = 1;
constexpr size_t kMaxName = 255;
constexpr size_t kMaxValue = 64 << 10;
constexpr size_t kMaxAnnotations = 100;
constexpr size_t kMaxOfResource = 256 << 10;
constexpr size_t kMaxOfAccount = 4 << 20;
// A larger file is read each time: few accounts have one.
constexpr uint64_t kMaxKept = 256 << 10;
constexpr std::string_view kInternal = "/internal/";

absl::Status Damaged(std::string_view why) {
  why = why.substr(0, why.find(" ["));  // Boost tells where in its sources.
  return WithReason(MakeStatus(absl::StatusCode::kDataLoss,
                               fmt::format("{} cannot be read: {}", kMetadataFile, why)),
                    store::v1::ERROR_REASON_CORRUPT_MAILBOX);
}

absl::Status TooMuch(std::string_view whose) {
  return Error(store::v1::ERROR_REASON_TOO_MUCH_METADATA,
               fmt::format("{} can have no more annotations", whose));
}

// What they take together, in octets, and how many they are: gateways' own or the others.
struct Amount {
  size_t count = 0;
  size_t size = 0;
};
Amount AmountOf(const Annotations& annotations, bool internal) {
  Amount amount;
  for (const auto& [name, value] : annotations) {
    if (name.starts_with(kInternal) != internal) continue;
    ++amount.count;
    amount.size += name.size() + value.size();
  }
  return amount;
}

absl::Status CheckLimits(const Annotations& changed, const MetadataList& list) {
  for (const bool internal : {false, true}) {
    const Amount amount = AmountOf(changed, internal);
    if (amount.count > kMaxAnnotations || amount.size > kMaxOfResource) {
      return TooMuch("the mailbox or account");
    }
    size_t all = AmountOf(list.account, internal).size;
    for (const auto& [id, of] : list.mailboxes) all += AmountOf(of, internal).size;
    if (all > kMaxOfAccount) return TooMuch("the account's mailboxes");
  }
  return absl::OkStatus();
}

absl::Status CheckChanges(const std::vector<MetadataChange>& changes) {
  std::set<std::string_view> names;
  for (const MetadataChange& change : changes) {
    if (!IsMetadataName(change.name) || !names.insert(change.name).second) {
      return Error(store::v1::ERROR_REASON_INVALID_REQUEST,
                   "not the name of an annotation, or one that comes twice");
    }
    if (change.value && change.value->size() > kMaxValue) {
      return Error(store::v1::ERROR_REASON_METADATA_TOO_LARGE,
                   fmt::format("an annotation has {} octets at most", kMaxValue));
    }
  }
  return absl::OkStatus();
}

Annotations ParseAnnotations(const json::object& object) {
  Annotations annotations;
  for (const json::key_value_pair& pair : object) {
    const json::string& text = pair.value().as_string();
    std::string value;
    if (!absl::Base64Unescape({text.data(), text.size()}, &value)) {
      throw std::invalid_argument("a value is not base64");
    }
    std::string name(pair.key());
    // Gateways write them to clients as they are.
    if (!IsMetadataName(name)) throw std::invalid_argument("a name is none");
    annotations.emplace(std::move(name), std::move(value));
  }
  return annotations;
}

json::object FormatAnnotations(const Annotations& annotations) {
  json::object object;
  for (const auto& [name, value] : annotations) object.emplace(name, absl::Base64Escape(value));
  return object;
}

}  // namespace

bool IsMetadataName(std::string_view name) {
  const bool rooted =
      name.starts_with("/private/") || name.starts_with("/shared/") || name.starts_with(kInternal);
  if (!rooted || name.size() > kMaxName || name.ends_with('/')) return false;
  if (name.find("//") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '*' && c != '%' && (c < 'A' || c > 'Z');
  });
}

absl::Status ChangeMetadata(const std::string& mailbox_id,
                            const std::vector<MetadataChange>& changes, MetadataList* list) {
  RMAIL_RETURN_IF_ERROR(CheckChanges(changes));
  MetadataList changed = *list;
  Annotations& annotations = mailbox_id.empty() ? changed.account : changed.mailboxes[mailbox_id];
  bool sets = false;
  for (const MetadataChange& change : changes) {
    if (change.value) {
      annotations[change.name] = *change.value;
      sets = true;
    } else {
      annotations.erase(change.name);
    }
  }
  // What is only made less is never refused.
  if (sets) RMAIL_RETURN_IF_ERROR(CheckLimits(annotations, changed));
  if (annotations.empty()) changed.mailboxes.erase(mailbox_id);
  *list = std::move(changed);
  return absl::OkStatus();
}

absl::StatusOr<MetadataList> ParseMetadata(std::string_view text) {
  try {
    const json::object object = json::parse({text.data(), text.size()}).as_object();
    if (object.at("version").to_number<uint32_t>() > kVersion) {
      return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                                   "metadata.json is of a later version of rmail"),
                        store::v1::ERROR_REASON_CORRUPT_MAILBOX);
    }
    MetadataList list;
    list.account = ParseAnnotations(object.at("account").as_object());
    for (const json::key_value_pair& pair : object.at("mailboxes").as_object()) {
      std::string id(pair.key());
      if (!IsMailboxId(id)) return Damaged("an id is none");
      Annotations annotations = ParseAnnotations(pair.value().as_object());
      if (!annotations.empty()) list.mailboxes.emplace(std::move(id), std::move(annotations));
    }
    return list;
  } catch (const std::exception& e) {
    return Damaged(e.what());
  }
}

std::string FormatMetadata(const MetadataList& list) {
  json::object mailboxes;
  for (const auto& [id, annotations] : list.mailboxes) {
    mailboxes.emplace(id, FormatAnnotations(annotations));
  }
  const json::object object{{"version", kVersion},
                            {"account", FormatAnnotations(list.account)},
                            {"mailboxes", std::move(mailboxes)}};
  return json::serialize(object) + "\n";
}

Metadata::Metadata(Env* env, std::string directory)
    : env_(env), path_(JoinPath(directory, kMetadataFile)) {}

absl::StatusOr<std::shared_ptr<const MetadataList>> Metadata::Load() {
  const absl::StatusOr<FileInfo> info = env_->Stat(path_);
  if (absl::IsNotFound(info.status())) {
    damaged_ = false;
    list_ = nullptr;
    return std::make_shared<const MetadataList>();
  }
  RMAIL_RETURN_IF_ERROR(info.status());
  if (list_ != nullptr && *info == info_) return list_;
  list_ = nullptr;
  const absl::StatusOr<std::string> text = env_->ReadFile(path_);
  // Resource exhausted: too large to be one.
  if (!text.ok() && !absl::IsResourceExhausted(text.status())) return text.status();
  absl::StatusOr<MetadataList> list = text.ok() ? ParseMetadata(*text) : text.status();
  if (absl::IsFailedPrecondition(list.status())) return list.status();
  damaged_ = !list.ok();
  if (damaged_) LogError("{}: {}", path_, FromAbsl(list.status().message()));
  auto loaded = std::make_shared<const MetadataList>(list.ok() ? *std::move(list) : MetadataList());
  if (damaged_ || info->size <= kMaxKept) {
    list_ = loaded;
    info_ = *info;
  }
  return loaded;
}

absl::StatusOr<Annotations> Metadata::Read(const std::string& mailbox_id) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MetadataList> list, Load());
  if (mailbox_id.empty()) return list->account;
  const auto found = list->mailboxes.find(mailbox_id);
  return found == list->mailboxes.end() ? Annotations() : found->second;
}

absl::Status Metadata::Change(const std::string& mailbox_id,
                              const std::vector<MetadataChange>& changes,
                              const MailboxList& mailboxes) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MetadataList> before, Load());
  MetadataList list = *before;
  // Of mailboxes that are gone.
  std::erase_if(list.mailboxes,
                [&](const auto& of) { return !mailboxes.mailboxes.contains(of.first); });
  RMAIL_RETURN_IF_ERROR(ChangeMetadata(mailbox_id, changes, &list));
  if (list.account == before->account && list.mailboxes == before->mailboxes) {
    return absl::OkStatus();
  }
  if (damaged_) {
    LogWarning("{0} is kept as {0}.damaged", path_);
    RMAIL_RETURN_IF_ERROR(env_->Rename(path_, path_ + ".damaged"));
  }
  list_ = nullptr;
  return env_->ReplaceFile(path_, FormatMetadata(list));
}

}  // namespace rmail::engine

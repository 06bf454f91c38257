#include "tools/rmail/queue.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string_view>

#include "absl/strings/match.h"
#include "store/base/status.h"
#include "tools/rmail/queue_text.h"
#include "tools/rmail/store_connection.h"

namespace rmail::tools {
namespace {

namespace pb = ::rmail::store::v1;

// How `--sender` names the null reverse-path.
constexpr char kNullSender[] = "<>";
// Names in one call.
constexpr int kMaxNames = 1000;

absl::Status Usage(std::string_view text) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, text);
}

std::string Counted(uint64_t messages) {
  return messages == 1 ? "1 message" : fmt::format("{} messages", messages);
}

void Print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

QueueCommands::QueueCommands(CLI::App* queue, const std::function<void(CLI::App*)>& add_config) {
  queue->require_subcommand(1);
  const auto command = [&](const char* name, const char* help) {
    CLI::App* const made = queue->add_subcommand(name, help);
    add_config(made);
    return made;
  };
  const auto with_filter = [&](CLI::App* made) {
    made->add_option("--sender", sender_, "from this address; <> for notices");
    made->add_option("--recipient", recipient_, "to this address or domain, and not sent yet");
    made->add_flag("--held", held_, "on hold");
    return made;
  };
  const auto with_ids = [&](CLI::App* made) {
    made->add_option("id", ids_, "these messages");
    made->add_flag("--all", all_, "all messages");
    return with_filter(made);
  };
  list_ = with_filter(command("list", "list messages that wait to be sent"));
  list_->add_flag("--json", json_, "as a JSON array");
  show_ = command("show", "show a message's envelope, or the message");
  show_->add_option("id", ids_, "the message")->required()->expected(1);
  show_->add_flag("--json", json_, "as a JSON object");
  show_->add_flag("--message", message_, "write the message itself to standard output");
  retry_ = with_ids(command("retry", "send messages now, those on hold too"));
  hold_ = with_ids(command("hold", "keep messages, and do not send them until they are retried"));
  delete_ = with_ids(command("delete", "delete messages; their senders are not told"));
}

int QueueCommands::Run(const std::string& config_path) {
  absl::StatusOr<std::unique_ptr<StoreConnection>> store = StoreConnection::Open(config_path);
  const absl::Status status = store.ok() ? Dispatch(**store) : store.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "rmail queue: %s\n", std::string(status.message()).c_str());
  return 1;
}

absl::Status QueueCommands::Dispatch(StoreConnection& store) {
  if (list_->parsed()) return List(store);
  if (show_->parsed()) return Show(store);
  if (retry_->parsed()) return Retry(store);
  if (hold_->parsed()) return Hold(store);
  return Delete(store);
}

absl::StatusOr<pb::QueueFilter> QueueCommands::Filter() const {
  pb::QueueFilter filter;
  for (const std::string& id : ids_) {
    filter.add_names(absl::StartsWith(id, "queue/") ? id : "queue/" + id);
  }
  if (!sender_.empty()) filter.set_sender(sender_ == kNullSender ? "" : sender_);
  filter.set_recipient(recipient_);
  if (held_) filter.set_held(true);
  return filter;
}

absl::StatusOr<pb::QueueFilter> QueueCommands::FilterOrAll() const {
  const bool some = !ids_.empty() || !sender_.empty() || !recipient_.empty() || held_;
  if (some && all_) return Usage("--all does not go with anything else");
  if (!some && !all_) {
    return Usage(
        "say which: IDs as `rmail queue list` shows them, --sender, --recipient, --held or --all");
  }
  return Filter();
}

absl::Status QueueCommands::Tell(uint64_t messages, const char* what) const {
  if (messages == 0 && !all_) {
    return MakeStatus(absl::StatusCode::kNotFound,
                      "no such message is in the queue; `rmail queue list` shows what is");
  }
  Print(fmt::format("{}: {}\n", Counted(messages), what));
  return absl::OkStatus();
}

absl::Status QueueCommands::List(StoreConnection& store) {
  pb::ListQueueRequest request;
  RMAIL_ASSIGN_OR_RETURN(*request.mutable_filter(), Filter());
  uint64_t messages = 0;
  if (json_) Print("[");
  RMAIL_RETURN_IF_ERROR(store.Read(request, [&](const pb::ListQueueResponse& response) {
    for (const pb::QueuedMessage& message : response.messages()) {
      if (json_) Print(messages == 0 ? "\n" : ",\n");
      ++messages;
      Print(json_ ? ToJson(message) : ToText(message));
    }
  }));
  if (json_) {
    Print("\n]\n");
  } else {
    Print(messages == 0 ? "nothing waits to be sent\n" : Counted(messages) + "\n");
  }
  return absl::OkStatus();
}

absl::Status QueueCommands::Show(StoreConnection& store) {
  RMAIL_ASSIGN_OR_RETURN(const pb::QueueFilter filter, Filter());
  if (message_) {
    pb::ReadQueuedMessageRequest request;
    request.set_name(filter.names(0));
    return store.Read(request,
                      [](const pb::ReadQueuedMessageResponse& part) { Print(part.data()); });
  }
  pb::GetQueuedMessageRequest request;
  request.set_name(filter.names(0));
  RMAIL_ASSIGN_OR_RETURN(const pb::GetQueuedMessageResponse response, store.Call(request));
  Print(json_ ? ToJson(response.message()) + "\n" : ToText(response.message()));
  return absl::OkStatus();
}

absl::Status QueueCommands::Retry(StoreConnection& store) {
  pb::RetryMessagesRequest request;
  RMAIL_ASSIGN_OR_RETURN(*request.mutable_filter(), FilterOrAll());
  RMAIL_ASSIGN_OR_RETURN(const auto response, store.Call(request));
  return Tell(response.messages(), "to be sent now");
}

absl::Status QueueCommands::Hold(StoreConnection& store) {
  pb::HoldMessagesRequest request;
  RMAIL_ASSIGN_OR_RETURN(*request.mutable_filter(), FilterOrAll());
  RMAIL_ASSIGN_OR_RETURN(const auto response, store.Call(request));
  return Tell(response.messages(), "on hold until `rmail queue retry`");
}

absl::Status QueueCommands::Delete(StoreConnection& store) {
  RMAIL_ASSIGN_OR_RETURN(const pb::QueueFilter filter, FilterOrAll());
  std::vector<pb::DeleteMessagesRequest> requests;
  if (all_) {
    // Those that are there now, by name.
    RMAIL_RETURN_IF_ERROR(
        store.Read(pb::ListQueueRequest(), [&](const pb::ListQueueResponse& response) {
          for (const pb::QueuedMessage& message : response.messages()) {
            if (requests.empty() || requests.back().filter().names_size() == kMaxNames) {
              requests.emplace_back();
            }
            requests.back().mutable_filter()->add_names(message.name());
          }
        }));
  } else {
    *requests.emplace_back().mutable_filter() = filter;
  }
  uint64_t deleted = 0;
  for (const pb::DeleteMessagesRequest& request : requests) {
    RMAIL_ASSIGN_OR_RETURN(const auto response, store.Call(request));
    deleted += response.messages();
  }
  return Tell(deleted, "deleted; the senders are not told");
}

}  // namespace rmail::tools

#include "store/service/fetch.h"

#include <optional>
#include <utility>

#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/service/mailbox_view.h"
#include "store/service/message_reader.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr size_t kBatch = 256 << 10;
// What a message costs in a batch beyond its digest and sections.
constexpr size_t kRowCost = 32;

class Fetch {
 public:
  Fetch(Env* env, std::shared_ptr<engine::Mailbox> mailbox, engine::RowCursor rows,
        pb::FetchMessagesRequest request)
      : directory_(mailbox->directory()),
        message_(env, std::move(mailbox)),
        rows_(std::move(rows)),
        request_(std::move(request)) {}

  absl::StatusOr<bool> Next(pb::FetchMessagesResponse* response) {
    size_t cost = 0;
    while (cost < kBatch) {
      if (sending_) {
        RMAIL_RETURN_IF_ERROR(SendSections(response, &cost));
      } else if (rows_.Next(&row_)) {
        RMAIL_RETURN_IF_ERROR(BeginMessage(response, &cost));
      } else {
        break;
      }
    }
    message_.Flush();
    return cost > 0;
  }

 private:
  absl::Status BeginMessage(pb::FetchMessagesResponse* response, size_t* cost) {
    message_.Select(row_.info);
    // Before anything of it is sent: it may be gone.
    if (!request_.sections().empty()) {
      const absl::Status opened = message_.Open();
      if (!opened.ok()) return LeaveOut(opened);
    }
    if (request_.digests()) {
      absl::StatusOr<pb::MessageDigest> digest = Digest();
      if (!digest.ok()) return LeaveOut(digest.status());
      *cost += digest->ByteSizeLong();
      *response->add_digests() = *std::move(digest);
    }
    AddRow(row_, response->mutable_columns());
    if (request_.internal_dates()) {
      response->mutable_columns()->add_internal_dates(row_.info.internal_date);
    }
    if (request_.sizes()) response->mutable_columns()->add_sizes(row_.info.size);
    *cost += kRowCost;
    section_ = 0;
    sending_ = !request_.sections().empty();
    return absl::OkStatus();
  }

  absl::StatusOr<pb::MessageDigest> Digest() {
    if (request_.sections().empty()) return message_.TakeDigest();
    RMAIL_ASSIGN_OR_RETURN(const pb::MessageDigest* const digest, message_.Digest());
    return *digest;
  }

  // A message that is gone is no error, and a damaged file must not keep all other messages from a
  // client.
  absl::Status LeaveOut(const absl::Status& status) {
    if (absl::IsNotFound(status)) return absl::OkStatus();
    if (!absl::IsDataLoss(status)) return status;
    LogDamage(status);
    return absl::OkStatus();
  }

  void LogDamage(const absl::Status& status) const {
    LogError("{}: UID {}: {}", directory_, row_.info.uid, FromAbsl(status.message()));
  }

  // Sends what fits of the message's sections; when all are sent, the message is done.
  absl::Status SendSections(pb::FetchMessagesResponse* response, size_t* cost) {
    while (section_ < request_.sections_size()) {
      if (*cost >= kBatch) return absl::OkStatus();
      pb::SectionData data;
      data.set_uid(row_.info.uid);
      data.set_section(static_cast<uint32_t>(section_));
      const absl::Status filled = FillSection(kBatch - *cost, &data);
      if (absl::IsDataLoss(filled) && data.position() == 0) {
        // Nothing of it has been sent: one damaged file must not end every FETCH at the same place.
        LogDamage(filled);
        data.set_missing(true);
        data.clear_total();
      } else if (!filled.ok()) {
        return filled;
      }
      if (data.missing() || reader_->done()) {
        reader_.reset();
        ++section_;
      }
      *cost += kRowCost + data.data().size();
      *response->add_sections() = std::move(data);
    }
    sending_ = false;
    return absl::OkStatus();
  }

  absl::Status FillSection(uint64_t max, pb::SectionData* data) {
    if (!reader_) {
      RMAIL_ASSIGN_OR_RETURN(SectionReader opened,
                             SectionReader::Open(message_, request_.sections(section_)));
      reader_.emplace(std::move(opened));
    }
    data->set_missing(reader_->missing());
    data->set_total(reader_->total());
    data->set_position(reader_->position());
    RMAIL_ASSIGN_OR_RETURN(*data->mutable_data(), reader_->Next(max));
    return absl::OkStatus();
  }

  const std::string directory_;
  MessageReader message_;
  engine::RowCursor rows_;
  const pb::FetchMessagesRequest request_;
  // The message under way, and whether sections of it are still to be sent.
  engine::MessageRow row_;
  bool sending_ = false;
  int section_ = 0;
  std::optional<SectionReader> reader_;
};

}  // namespace

Producer<pb::FetchMessagesResponse> NewFetch(Env* env, std::shared_ptr<engine::Mailbox> mailbox,
                                             engine::RowCursor rows,
                                             pb::FetchMessagesRequest request) {
  auto fetch =
      std::make_unique<Fetch>(env, std::move(mailbox), std::move(rows), std::move(request));
  return [fetch = std::move(fetch)](pb::FetchMessagesResponse* response) {
    return fetch->Next(response);
  };
}

}  // namespace rmail::service

#include "store/service/fetch.h"

#include <optional>
#include <utility>

#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/service/digest_parts.h"
#include "store/service/mailbox_view.h"
#include "store/service/message_reader.h"
#include "store/service/section_reader.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr size_t kBatch = 256 << 10;
// Without sections: small enough that the receiver works on one while the next is made.
constexpr size_t kRowsBatch = 64 << 10;
// What a message costs in a batch beyond its digest and sections.
constexpr size_t kRowCost = 32;

class Fetch {
 public:
  Fetch(Env* env, std::shared_ptr<engine::Mailbox> mailbox, engine::RowCursor rows,
        pb::FetchMessagesRequest request)
      : directory_(mailbox->directory()),
        message_(env, std::move(mailbox)),
        rows_(std::move(rows)),
        request_(std::move(request)),
        digest_parts_(request_.digest_parts()),
        batch_(request_.sections().empty() ? kRowsBatch : kBatch) {}

  absl::StatusOr<bool> Next(pb::FetchMessagesResponse* response) {
    size_t cost = 0;
    while (cost < batch_) {
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
      const absl::Status added = AddDigest(response, cost);
      if (!added.ok()) return LeaveOut(added);
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

  // Adds an element to `digests` that is serialised already: as a field that this message does not
  // know, which is sent as it is.
  absl::Status AddDigest(pb::FetchMessagesResponse* response, size_t* cost) {
    RMAIL_ASSIGN_OR_RETURN(const std::string_view record, message_.DigestRecord());
    digest_.clear();
    if (!digest_parts_.Append(record, &digest_)) {
      return Error(pb::ERROR_REASON_CORRUPT_MAILBOX, "a digest can't be read");
    }
    *cost += digest_.size();
    response->GetReflection()->MutableUnknownFields(response)->AddLengthDelimited(
        pb::FetchMessagesResponse::kDigestsFieldNumber, digest_);
    return absl::OkStatus();
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
        data.clear_unknown_encoding();
      } else if (!filled.ok()) {
        return filled;
      }
      if (data.missing() || request_.sections(section_).size_only() || reader_->done()) {
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
    data->set_unknown_encoding(reader_->unknown_encoding());
    if (request_.sections(section_).size_only()) return absl::OkStatus();
    RMAIL_ASSIGN_OR_RETURN(*data->mutable_data(), reader_->Next(max));
    return absl::OkStatus();
  }

  const std::string directory_;
  MessageReader message_;
  engine::RowCursor rows_;
  const pb::FetchMessagesRequest request_;
  const DigestParts digest_parts_;
  // Octets of an answer.
  const size_t batch_;
  std::string digest_;
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

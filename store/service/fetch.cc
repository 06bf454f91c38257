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
  Fetch(std::shared_ptr<engine::Mailbox> mailbox, std::vector<engine::MessageRow> rows,
        pb::FetchMessagesRequest request)
      : mailbox_(std::move(mailbox)), rows_(std::move(rows)), request_(std::move(request)) {}

  absl::StatusOr<bool> Next(pb::FetchMessagesResponse* response) {
    size_t cost = 0;
    while (cost < kBatch) {
      if (message_) {
        RMAIL_RETURN_IF_ERROR(SendSections(response, &cost));
      } else if (next_ < rows_.size()) {
        RMAIL_RETURN_IF_ERROR(BeginMessage(response, &cost));
      } else {
        break;
      }
    }
    return cost > 0;
  }

 private:
  bool needs_file() const { return request_.digests() || !request_.sections().empty(); }

  absl::Status BeginMessage(pb::FetchMessagesResponse* response, size_t* cost) {
    const engine::MessageRow& row = rows_[next_++];
    if (needs_file()) {
      absl::StatusOr<std::unique_ptr<File>> file = mailbox_->OpenMessage(row.info);
      if (absl::IsNotFound(file.status())) return absl::OkStatus();
      RMAIL_RETURN_IF_ERROR(file.status());
      message_.emplace(*std::move(file), row.info.size);
      section_ = 0;
    }
    pb::MessageDigest digest;
    if (request_.digests()) {
      const absl::StatusOr<const pb::MessageDigest*> made = message_->Digest();
      if (!made.ok()) return LeaveOut(made.status());
      digest = **made;
    }
    AddRow(row, response->mutable_columns());
    if (request_.internal_dates()) {
      response->mutable_columns()->add_internal_dates(row.info.internal_date);
    }
    if (request_.sizes()) response->mutable_columns()->add_sizes(row.info.size);
    *cost += kRowCost;
    if (request_.digests()) {
      *cost += digest.ByteSizeLong();
      *response->add_digests() = std::move(digest);
    }
    return absl::OkStatus();
  }

  // A damaged file must not keep all other messages from a client.
  absl::Status LeaveOut(const absl::Status& status) {
    if (!absl::IsDataLoss(status)) return status;
    LogError("{}: UID {}: {}", mailbox_->directory(), rows_[next_ - 1].info.uid,
             FromAbsl(status.message()));
    message_.reset();
    return absl::OkStatus();
  }

  // Sends what fits of the message's sections; when all are sent, the message is done.
  absl::Status SendSections(pb::FetchMessagesResponse* response, size_t* cost) {
    while (section_ < request_.sections_size()) {
      if (*cost >= kBatch) return absl::OkStatus();
      pb::SectionData data;
      data.set_uid(rows_[next_ - 1].info.uid);
      data.set_section(static_cast<uint32_t>(section_));
      const absl::Status filled = FillSection(kBatch - *cost, &data);
      if (absl::IsDataLoss(filled) && data.position() == 0) {
        // Nothing of it has been sent: one damaged file must not end every FETCH at the same place.
        LogError("{}: UID {}: {}", mailbox_->directory(), data.uid(), FromAbsl(filled.message()));
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
    message_.reset();
    return absl::OkStatus();
  }

  absl::Status FillSection(uint64_t max, pb::SectionData* data) {
    if (!reader_) {
      RMAIL_ASSIGN_OR_RETURN(SectionReader opened,
                             SectionReader::Open(*message_, request_.sections(section_)));
      reader_.emplace(std::move(opened));
    }
    data->set_missing(reader_->missing());
    data->set_total(reader_->total());
    data->set_position(reader_->position());
    RMAIL_ASSIGN_OR_RETURN(*data->mutable_data(), reader_->Next(max));
    return absl::OkStatus();
  }

  const std::shared_ptr<engine::Mailbox> mailbox_;
  const std::vector<engine::MessageRow> rows_;
  const pb::FetchMessagesRequest request_;
  size_t next_ = 0;
  // The message whose sections are being sent.
  std::optional<MessageReader> message_;
  int section_ = 0;
  std::optional<SectionReader> reader_;
};

}  // namespace

Producer<pb::FetchMessagesResponse> NewFetch(std::shared_ptr<engine::Mailbox> mailbox,
                                             std::vector<engine::MessageRow> rows,
                                             pb::FetchMessagesRequest request) {
  auto fetch = std::make_unique<Fetch>(std::move(mailbox), std::move(rows), std::move(request));
  return [fetch = std::move(fetch)](pb::FetchMessagesResponse* response) {
    return fetch->Next(response);
  };
}

}  // namespace rmail::service

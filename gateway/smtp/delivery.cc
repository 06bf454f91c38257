#include "gateway/smtp/delivery.h"

#include <algorithm>
#include <utility>

#include "gateway/smtp/outcome.h"
#include "gateway/smtp/recipient.h"

namespace rmail::gateway::smtp {
namespace {

// From the end of the message on: the rest of the time is for the store.
constexpr std::chrono::minutes kMaxSlotWait{2};

}  // namespace

using store::v1::DeliverMessageRequest;
using store::v1::DeliverMessageResponse;

Delivery::Delivery(gateway::StoreSession store, DeliveryPlan plan)
    : store_(std::move(store)), plan_(std::move(plan)), chunk_(std::move(plan_.trace_fields)) {}

boost::asio::awaitable<void> Delivery::Add(std::string_view data) {
  if (plan_.normalise_newlines) {
    const std::string normal = newlines_.Feed(data);
    co_await Take(normal);
  } else {
    co_await Take(data);
  }
}

boost::asio::awaitable<void> Delivery::Take(std::string_view data) {
  if (!header_known_) header_known_ = !header_.Feed(data);
  checker_.Feed(data);
  CheckVerdict();
  if (refusal_.has_value()) co_return;
  for (const auto& check : plan_.checks) {
    if (check != nullptr) check->Feed(data);
  }
  while (!broken_ && !data.empty()) {
    const size_t take = std::min(data.size(), kChunk - std::min(kChunk, chunk_.size()));
    chunk_.append(data.substr(0, take));
    data.remove_prefix(take);
    if (chunk_.size() >= kChunk) broken_ = !co_await SendChunk(/*last=*/false);
  }
}

boost::asio::awaitable<Parsed<DeliverMessageResponse>> Delivery::Finish() {
  const auto start = std::chrono::steady_clock::now();
  deadline_ = start + gateway::DeliverUpload::kPatience;
  if (upload_.has_value()) co_await upload_->EndBy(*deadline_);
  if (plan_.normalise_newlines) {
    const std::string rest = newlines_.End();
    co_await Take(rest);
  }
  checker_.End();
  CheckVerdict();
  if (refusal_.has_value() || !co_await Pass()) co_return *refusal_;
  // From here on it is the store that takes the time, not the client.
  std::optional<DeliverySlots::Slot> slot;
  if (plan_.slots != nullptr) {
    std::optional<DeliverySlots::Slot> free = co_await plan_.slots->Enter(start + kMaxSlotWait);
    if (!free.has_value()) co_return Reply{451, "4.3.2", "Too busy, try again later"};
    slot.emplace(*std::move(free));
  }
  if (!broken_) broken_ = !co_await SendChunk(/*last=*/true);
  // A failed write has no reason of its own: the call's end tells it.
  absl::StatusOr<DeliverMessageResponse> response = co_await upload_->Finish();
  if (!response.ok()) co_return ReplyFor(response.status());
  co_return *std::move(response);
}

void Delivery::CheckVerdict() {
  if (refusal_.has_value()) return;
  std::optional<Reply> refusal = Judge(checker_.facts(), plan_.policy);
  if (refusal.has_value()) Refuse(*std::move(refusal));
}

void Delivery::Refuse(Reply reply) {
  refusal_ = std::move(reply);
  // The store drops what it has.
  upload_.reset();
  chunk_ = std::string();
}

boost::asio::awaitable<bool> Delivery::Pass() {
  std::string fields;
  for (const auto& check : plan_.checks) {
    if (check == nullptr) continue;
    Verdict verdict = co_await check->End();
    if (verdict.action == Verdict::Action::kDefer || verdict.action == Verdict::Action::kReject) {
      Refuse(std::move(verdict.reply));
      co_return false;
    }
    if (verdict.action == Verdict::Action::kJunk) fields += "X-Spam-Flag: YES\r\n";
    fields += verdict.fields;
  }
  if (!upload_.has_value()) chunk_.insert(0, fields);
  co_return true;
}

boost::asio::awaitable<bool> Delivery::SendChunk(bool last) {
  if (!upload_.has_value()) {
    if (plan_.header.has_queue()) {
      RefineEnvelope(checker_.facts(), last, *plan_.header.mutable_queue());
    }
    upload_.emplace(store_.Deliver());
    if (deadline_.has_value()) co_await upload_->EndBy(*deadline_);
    DeliverMessageRequest request;
    *request.mutable_header() = std::move(plan_.header);
    if (!co_await upload_->Write(std::move(request))) co_return false;
  }
  DeliverMessageRequest data;
  data.set_data(std::exchange(chunk_, std::string()));
  co_return co_await upload_->Write(std::move(data));
}

}  // namespace rmail::gateway::smtp

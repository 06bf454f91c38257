#include "gateway/smtp/delivery.h"

#include <algorithm>
#include <utility>

#include "gateway/smtp/outcome.h"

namespace rmail::gateway::smtp {

using store::v1::DeliverMessageRequest;
using store::v1::DeliverMessageResponse;

Delivery::Delivery(gateway::StoreSession store, std::vector<std::string> accounts,
                   std::string trace_fields, MessagePolicy policy)
    : store_(std::move(store)),
      accounts_(std::move(accounts)),
      policy_(policy),
      chunk_(std::move(trace_fields)) {}

boost::asio::awaitable<void> Delivery::Add(std::string_view data) {
  checker_.Feed(data);
  CheckVerdict();
  while (!refusal_.has_value() && !broken_ && !data.empty()) {
    const size_t take = std::min(data.size(), kChunk - std::min(kChunk, chunk_.size()));
    chunk_.append(data.substr(0, take));
    data.remove_prefix(take);
    if (chunk_.size() >= kChunk) broken_ = !co_await SendChunk();
  }
}

boost::asio::awaitable<Parsed<DeliverMessageResponse>> Delivery::Finish() {
  checker_.End();
  CheckVerdict();
  if (refusal_.has_value()) co_return *refusal_;
  if (!broken_) broken_ = !co_await SendChunk();
  // A failed write has no reason of its own: the call's end tells it.
  absl::StatusOr<DeliverMessageResponse> response = co_await upload_->Finish();
  if (!response.ok()) co_return ReplyFor(response.status());
  co_return *std::move(response);
}

void Delivery::CheckVerdict() {
  if (refusal_.has_value()) return;
  refusal_ = Judge(checker_.facts(), policy_);
  if (!refusal_.has_value()) return;
  // The store drops what it has.
  upload_.reset();
  chunk_ = std::string();
}

boost::asio::awaitable<bool> Delivery::SendChunk() {
  if (!upload_.has_value()) {
    upload_.emplace(store_.Deliver());
    DeliverMessageRequest header;
    for (std::string& account : accounts_) {
      header.mutable_header()->add_recipients(std::move(account));
    }
    accounts_.clear();
    if (!co_await upload_->Write(std::move(header))) co_return false;
  }
  DeliverMessageRequest data;
  data.set_data(std::exchange(chunk_, std::string()));
  co_return co_await upload_->Write(std::move(data));
}

}  // namespace rmail::gateway::smtp

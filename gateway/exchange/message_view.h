// Messages as JSON.
#ifndef RMAIL_GATEWAY_EXCHANGE_MESSAGE_VIEW_H_
#define RMAIL_GATEWAY_EXCHANGE_MESSAGE_VIEW_H_

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string_view>

#include "gateway/exchange/answers.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::gateway::exchange {

// "2026-11-24T23:06:03Z"; null outside the years 0 to 9999.
boost::json::value IsoTime(int64_t micros);

// A message as a list shows it. `mailbox` has its name and keywords.
boost::json::object SummaryOf(const MessageRow& row, const store::v1::Mailbox& mailbox);

// A message as GET /messages/{id} shows it.
boost::json::object DetailOf(const MessageDetail& detail);

// [{"name", "address"}]; ends of groups are left out.
boost::json::array AddressesOf(
    const google::protobuf::RepeatedPtrField<store::v1::EnvelopeAddress>& addresses);

// [{"name", "value"}] of a header block, values decoded, at most 500.
boost::json::array HeadersOf(std::string_view header);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_MESSAGE_VIEW_H_

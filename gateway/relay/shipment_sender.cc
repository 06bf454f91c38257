#include "gateway/relay/shipment_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <random>
#include <utility>
#include <variant>

#include "gateway/common/connect.h"
#include "gateway/relay/idn.h"
#include "gateway/relay/mx_route.h"
#include "gateway/relay/reply_parser.h"
#include "gateway/relay/transaction.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;
using smtp::Reply;
using Clock = std::chrono::steady_clock;

// For a place among the connections to the destination.
constexpr absl::Duration kPatience = absl::Minutes(5);

size_t RandomNumberBelow(size_t limit) {
  static thread_local std::mt19937 generator(std::random_device{}());
  return std::uniform_int_distribution<size_t>(0, limit - 1)(generator);
}

std::optional<ip::address> ParseAddress(const std::string& text) {
  boost::system::error_code error;
  ip::address address = ip::make_address(text, error);
  if (error) return ParseAddressLiteral(text);
  return address;
}

bool IsPositive(const Reply& reply) { return reply.code < 300; }

// RFC 5321, 4.5.3.1.10: too many recipients for one transaction, the rest may come in another one.
// (4.0.0: the server has no enhanced codes.)
bool MeansTooMany(const Reply& reply) {
  return reply.code == 452 && (reply.enhanced == "4.5.3" || reply.enhanced == "4.0.0");
}

Reply Unreadable() { return {451, "4.3.0", "The message cannot be read at the moment"}; }

// See TransportTimeouts::shipment.
Clock::time_point DeadlineOf(const TransportOptions& options, const Shipment& shipment) {
  constexpr uint64_t kOctetsPerSecond = 16 * 1024;
  constexpr uint64_t kMostSeconds = 7 * 24 * 3600;
  const auto for_size =
      static_cast<int64_t>(std::min(shipment.size / kOctetsPerSecond, kMostSeconds));
  return Clock::now() +
         absl::ToChronoNanoseconds(options.timeouts.shipment + absl::Seconds(for_size));
}

// In the pool's list of connections in use, for as long as this lives. Closes the connection at the
// deadline unless the answer to a whole message is waited for.
class InUse {
 public:
  InUse(std::shared_ptr<ConnectionPool> pool, SmtpClient& client, Clock::time_point deadline)
      : pool_(std::move(pool)), client_(client), timer_(client.connection().Executor(), deadline) {
    pool_->Register(client_);
    timer_.async_wait(
        [&client, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& error) {
          if (!error && !alive.expired() && !client.committing) client.connection().Close();
        });
  }
  ~InUse() { pool_->Unregister(client_); }
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;

 private:
  const std::shared_ptr<ConnectionPool> pool_;
  SmtpClient& client_;
  asio::steady_timer timer_;
  // What the timer's handler may outlive.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::string DestinationOf(const TransportOptions& options, const Shipment& shipment) {
  // A name of its own: no domain has a space.
  return options.smarthost.empty() ? shipment.domain : "the smarthost";
}

ShipmentSender::ShipmentSender(const SenderContext& context, std::shared_ptr<ConnectionPool> pool,
                               Shipment shipment)
    : context_(context),
      options_(context.options),
      pool_(std::move(pool)),
      shipment_(std::move(shipment)),
      deadline_(DeadlineOf(options_, shipment_)),
      answers_(shipment_.recipients.size()) {
  // REQUIRETLS needs more of a connection than what others were opened for, and another domain's
  // server is trusted for that domain only.
  idle_key_ = DestinationOf(options_, shipment_);
  if (shipment_.envelope->require_tls()) idle_key_ += " requiretls";
}

asio::awaitable<std::vector<Delivered>> ShipmentSender::Run() {
  ParseAddresses();
  if (!finished()) {
    const absl::StatusOr<ConnectionPool::Place> place =
        co_await pool_->Enter(DestinationOf(options_, shipment_), kPatience);
    if (!place.ok()) {
      AnswerWaiting({451, "4.3.2", std::string(FromAbsl(place.status().message()))}, "");
    } else {
      co_await TryIdle();
      if (GoesOn()) co_await TryHosts();
    }
  }
  if (GoesOn() && !noted_.has_value()) Note({451, "4.4.1", "No server could be reached"}, "");
  if (noted_.has_value()) AnswerWaiting(noted_->reply, noted_->server);
  std::vector<Delivered> delivered;
  for (std::optional<Delivered>& answer : answers_) delivered.push_back(*std::move(answer));
  co_return delivered;
}

void ShipmentSender::ParseAddresses() {
  recipients_.resize(answers_.size());
  smtp::Parsed<smtp::Path> sender = ParseSender(shipment_.envelope->sender());
  if (const auto* refusal = std::get_if<Reply>(&sender)) return AnswerWaiting(*refusal, "");
  sender_ = std::get<smtp::Path>(std::move(sender));
  for (size_t i = 0; i < recipients_.size(); ++i) {
    smtp::Parsed<smtp::Path> recipient =
        ParseRecipient(shipment_.envelope->recipients(shipment_.recipients[i]).address());
    if (const auto* refusal = std::get_if<Reply>(&recipient)) {
      Answer(i, *refusal, "", false);
    } else {
      recipients_[i] = std::get<smtp::Path>(std::move(recipient));
    }
  }
  std::optional<std::string> domain = ToAsciiDomain(shipment_.domain);
  if (!domain.has_value()) {
    AnswerWaiting({550, "5.1.2", fmt::format("{} is no domain", shipment_.domain)}, "");
    return;
  }
  domain_ = *std::move(domain);
}

asio::awaitable<void> ShipmentSender::TryIdle() {
  while (GoesOn()) {
    std::unique_ptr<SmtpClient> client = pool_->TakeIdle(idle_key_);
    if (client == nullptr) co_return;
    co_await SendOver(std::move(client));
  }
}

asio::awaitable<void> ShipmentSender::TryHosts() {
  const std::vector<std::string> hosts = co_await FindHosts();
  for (const std::string& host : hosts) {
    if (!GoesOn() || tried_ >= options_.max_addresses) co_return;
    co_await TryHost(host);
  }
}

asio::awaitable<std::vector<std::string>> ShipmentSender::FindHosts() {
  if (!options_.smarthost.empty()) co_return std::vector<std::string>{options_.smarthost};
  if (ParseAddressLiteral(domain_).has_value()) co_return std::vector<std::string>{domain_};
  const absl::StatusOr<MxAnswer> answer = co_await context_.resolver->LookUpMx(domain_);
  auto hosts = OrderHosts(domain_, answer, options_.hostname, &RandomNumberBelow);
  if (const auto* refusal = std::get_if<Reply>(&hosts)) {
    AnswerWaiting(*refusal, "");
    co_return std::vector<std::string>{};
  }
  co_return std::get<std::vector<std::string>>(std::move(hosts));
}

asio::awaitable<void> ShipmentSender::TryHost(std::string host) {
  const bool smarthost = !options_.smarthost.empty();
  Server server;
  server.host = host;
  server.port = smarthost ? options_.smarthost_port : options_.port;
  server.trusted = smarthost || IsWithin(host, domain_);
  std::vector<ip::address> addresses;
  if (const std::optional<ip::address> address = ParseAddress(host)) {
    addresses = OrderAddresses({*address});
    server.host = address->to_string();
    if (addresses.empty()) Note(NoAddress(host, absl::OkStatus()), "");
  } else {
    const absl::StatusOr<AddressAnswer> answer = co_await context_.resolver->LookUpAddresses(host);
    if (answer.ok()) addresses = OrderAddresses(answer->addresses);
    if (addresses.empty()) Note(NoAddress(host, answer.status()), "");
  }
  for (const ip::address& address : addresses) {
    if (!GoesOn() || tried_ >= options_.max_addresses) co_return;
    ++tried_;
    server.address = address;
    co_await TryServer(server);
  }
}

TlsLevel ShipmentSender::Level() const {
  return shipment_.envelope->require_tls() ? TlsLevel::kVerify : options_.tls;
}

bool ShipmentSender::LogsIn() const {
  return !options_.smarthost.empty() && !options_.smarthost_user.empty();
}

bool ShipmentSender::MayGoWithoutTls(TlsLevel level) const {
  return level == TlsLevel::kMay && !LogsIn();
}

asio::awaitable<void> ShipmentSender::TryServer(Server server) {
  // RFC 8689, 4.2.1: a name out of an MX record proves nothing unless DNSSEC or MTA-STS vouches for
  // it, or it is the recipients' own.
  if (shipment_.envelope->require_tls() && !server.trusted) {
    Note({550, "5.7.30",
          fmt::format("REQUIRETLS: nothing proves that {} is the server for {}", server.host,
                      domain_)},
         "");
    co_return;
  }
  TlsLevel level = Level();
  for (bool go_on = true; go_on && GoesOn();) {
    bool handshake_failed = false;
    std::unique_ptr<SmtpClient> client = co_await Open(server, level, handshake_failed);
    if (client != nullptr) {
      go_on = co_await SendOver(std::move(client));
    } else {
      go_on = handshake_failed && MayGoWithoutTls(level);
      if (!go_on) co_return;
      LogInfo("relay: TLS with {} [{}] failed, going on without", server.host,
              server.address.to_string());
      level = TlsLevel::kNone;
    }
  }
}

SessionPolicy ShipmentSender::Policy(const Server& server, TlsLevel tls) const {
  const bool smarthost = !options_.smarthost.empty();
  return {.options = options_,
          .tls_context = *context_.tls,
          .tls = tls,
          .implicit_tls = smarthost && options_.smarthost_implicit_tls,
          .tls_name = server.host,
          .require_tls = shipment_.envelope->require_tls(),
          .authenticate = LogsIn()};
}

asio::awaitable<std::unique_ptr<SmtpClient>> ShipmentSender::Open(const Server& server,
                                                                  TlsLevel tls,
                                                                  bool& handshake_failed) {
  absl::StatusOr<std::shared_ptr<Connection>> connection =
      co_await Connect({server.address, server.port}, ParseAddress(options_.source_address),
                       options_.timeouts.connect);
  if (!connection.ok()) {
    Note({451, "4.4.1",
          fmt::format("Cannot connect to {} [{}]: {}", server.host, server.address.to_string(),
                      FromAbsl(connection.status().message()))},
         "");
    co_return nullptr;
  }
  if (pool_->closed()) {  // While it was being connected, where Close() does not see it.
    Note({451, "4.3.2", "The relay shuts down"}, "");
    co_return nullptr;
  }
  auto client = std::make_unique<SmtpClient>(*std::move(connection), server.host);
  const InUse in_use(pool_, *client, deadline_);
  const SessionPolicy policy = Policy(server, tls);
  std::optional<SessionFailure> failure = co_await StartSession(*client, policy);
  if (!failure.has_value() && policy.require_tls && !client->features.require_tls) {
    failure = SessionFailure{
        .reply = {550, "5.7.30", "REQUIRETLS: The server does not offer to pass it on"}};
  }
  if (!failure.has_value()) co_return client;
  stop_ = failure->loop;
  handshake_failed = failure->handshake;
  if (handshake_failed && MayGoWithoutTls(tls)) co_return nullptr;  // Not the end of it.
  if (failure->from_server) {
    Note(std::move(failure->reply), client->host());
  } else {
    failure->reply.text += fmt::format(" ({})", client->Description());
    Note(std::move(failure->reply), "");
  }
  if (!failure->handshake) pool_->Quit(std::move(client));
  co_return nullptr;
}

asio::awaitable<bool> ShipmentSender::SendOver(std::unique_ptr<SmtpClient> client) {
  while (GoesOn() && !pool_->IsUsedUp(*client)) {
    const bool alive = co_await SendBatch(*client);
    if (!alive) co_return false;
    const bool quiet = co_await client->IsQuiet();
    if (!quiet) {
      client->connection().Close();
      co_return !finished();
    }
  }
  pool_->GiveBack(idle_key_, std::move(client));
  co_return !finished();
}

asio::awaitable<bool> ShipmentSender::SendBatch(SmtpClient& client) {
  const InUse in_use(pool_, client, deadline_);
  Batch batch = NextBatch(client);
  if (HeaderDecides(batch.mail, client.features) && !utf8_header_.has_value()) {
    const absl::StatusOr<bool> utf8 = co_await HasUtf8Header(shipment_.open());
    if (!utf8.ok()) AnswerWaiting(Unreadable(), "");
    utf8_header_ = utf8.value_or(true);
  }
  batch.mail.utf8_header = utf8_header_.value_or(false);
  if (std::optional<Reply> obstacle = Obstacle(batch.mail, client.features)) {
    obstacle->text += fmt::format(" ({})", client.Description());
    AnswerWaiting(*obstacle, "");
  }
  if (finished()) co_return true;
  std::unique_ptr<MessageSource> source = shipment_.open();
  absl::StatusOr<std::optional<std::string>> first = co_await source->Next();
  if (!first.ok()) {
    AnswerWaiting(Unreadable(), "");
    co_return true;
  }
  if (!first->has_value()) source = nullptr;
  const bool used_before = client.messages > 0;
  const TransactionResult result = co_await Transact(
      client, batch.mail, std::move(*first).value_or(""), std::move(source), options_.timeouts);
  TakeAnswers(batch, result, client);
  if (!result.lost.has_value()) co_return true;
  // A connection that was idle may have ended meanwhile, which says nothing about the server.
  if (!used_before || result.lost->from_server) {
    Reply reply = result.lost->reply;
    if (!result.lost->from_server) reply.text += fmt::format(" ({})", client.Description());
    Note(std::move(reply), result.lost->from_server ? client.host() : "");
  }
  co_return false;
}

void ShipmentSender::TakeAnswers(const Batch& batch, const TransactionResult& result,
                                 const SmtpClient& client) {
  const bool went_through =
      !result.lost.has_value() &&
      std::any_of(result.answers.begin(), result.answers.end(),
                  [](const auto& one) { return one.has_value() && IsPositive(one->reply); });
  for (size_t i = 0; i < batch.places.size(); ++i) {
    const std::optional<TransactionResult::Answer>& answer = result.answers[i];
    if (!answer.has_value()) continue;
    if (went_through && MeansTooMany(answer->reply)) continue;
    Answer(batch.places[i], answer->reply, answer->from_server ? client.host() : "",
           IsPositive(answer->reply) && client.features.dsn);
  }
}

ShipmentSender::Batch ShipmentSender::NextBatch(const SmtpClient& client) const {
  Batch batch;
  batch.mail.envelope = shipment_.envelope;
  batch.mail.sender = sender_;
  batch.mail.size = shipment_.size;
  const size_t most = std::min(options_.max_recipients,
                               client.features.max_recipients.value_or(options_.max_recipients));
  for (size_t i = 0; i < recipients_.size() && batch.places.size() < most; ++i) {
    if (answers_[i].has_value()) continue;
    batch.places.push_back(i);
    batch.mail.recipients.push_back({shipment_.recipients[i], recipients_[i]});
  }
  return batch;
}

bool ShipmentSender::finished() const {
  return std::all_of(answers_.begin(), answers_.end(),
                     [](const std::optional<Delivered>& answer) { return answer.has_value(); });
}

bool ShipmentSender::GoesOn() {
  if (finished() || stop_) return false;
  if (pool_->closed()) {
    if (!noted_.has_value()) Note({451, "4.3.2", "The relay shuts down"}, "");
    return false;
  }
  if (Clock::now() >= deadline_) {
    AnswerWaiting({451, "4.4.2", "It took too long to send the message"}, "");
  } else if (shipment_.still_ours && !shipment_.still_ours()) {
    AnswerWaiting({451, "4.3.2", "The message is not this relay's to send any more"}, "");
  }
  return !finished();
}

void ShipmentSender::Answer(size_t recipient, const Reply& reply, std::string server,
                            bool passes_notices) {
  // Whatever it is made of, it goes into the queue and into notices.
  answers_[recipient] = Delivered{Condensed(reply), std::move(server), passes_notices};
}

void ShipmentSender::AnswerWaiting(const Reply& reply, const std::string& server) {
  for (size_t i = 0; i < answers_.size(); ++i) {
    if (!answers_[i].has_value()) Answer(i, reply, server, false);
  }
}

void ShipmentSender::Note(Reply reply, std::string server) {
  const bool outweighed =
      noted_.has_value() && smtp::IsTransient(noted_->reply) && !smtp::IsTransient(reply);
  if (!outweighed) noted_ = Delivered{std::move(reply), std::move(server), false};
}

}  // namespace rmail::gateway::relay

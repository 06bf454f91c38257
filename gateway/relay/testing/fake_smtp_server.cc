#include "gateway/relay/testing/fake_smtp_server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "gateway/common/line_reader.h"
#include "gateway/common/sasl.h"
#include "gateway/smtp/syntax/dot_reader.h"

namespace rmail::testing {
namespace {

namespace asio = boost::asio;

constexpr size_t kMaxLine = 65'536;

bool IsPositive(const std::string& reply) { return reply.starts_with('2'); }

}  // namespace

struct FakeSmtpServer::Session {
  explicit Session(std::shared_ptr<gateway::Connection> open)
      : connection(std::move(open)), reader(*connection) {}
  std::shared_ptr<gateway::Connection> connection;
  gateway::LineReader reader;
  ReceivedMail mail;
  std::string user;
  int number = 0;

  void Reset() { mail = ReceivedMail(); }
};

FakeSmtpServer::FakeSmtpServer(FakeSmtpOptions options)
    : options_(std::move(options)), server_(threads_, {10'000, 10'000}) {
  gateway::ListenerOptions listener;
  listener.name = "fake smtp";
  listener.host = options_.host;
  listener.port = options_.port;
  if (options_.implicit_tls) listener.implicit_tls = options_.tls;
  const absl::StatusOr<uint16_t> port = server_.Listen(
      listener,
      [this](std::shared_ptr<gateway::Connection> connection) { return Serve(connection); });
  if (!port.ok()) {
    fprintf(stderr, "%s\n", port.status().ToString().c_str());
    abort();
  }
  port_ = *port;
}

FakeSmtpServer::~FakeSmtpServer() { server_.Drain(absl::ZeroDuration()); }

void FakeSmtpServer::Script(std::string prefix, std::string_view reply, int times) {
  MutexLock lock(&mutex_);
  script_.push_back({std::move(prefix), std::string(reply), times});
}

std::string FakeSmtpServer::Scripted(std::string_view event, std::string_view otherwise) {
  MutexLock lock(&mutex_);
  for (Line& line : script_) {
    if (line.times <= 0 || !event.starts_with(line.prefix)) continue;
    --line.times;
    return line.reply;
  }
  return std::string(otherwise);
}

std::vector<ReceivedMail> FakeSmtpServer::mails() {
  MutexLock lock(&mutex_);
  return mails_;
}

std::vector<std::string> FakeSmtpServer::commands() {
  MutexLock lock(&mutex_);
  return commands_;
}

int FakeSmtpServer::connections() {
  MutexLock lock(&mutex_);
  return connections_;
}

void FakeSmtpServer::Take(Session& session) {
  session.mail.tls = session.connection->secure();
  session.mail.user = session.user;
  session.mail.connection = session.number;
  MutexLock lock(&mutex_);
  mails_.push_back(std::exchange(session.mail, ReceivedMail()));
}

asio::awaitable<bool> FakeSmtpServer::Reply(Session& session, std::string reply) {
  if (reply == kDrop) co_return false;
  if (reply == kHang) {
    while ((co_await session.reader.ReadSome(kMaxLine)).ok()) {
    }
    co_return false;
  }
  if (options_.delay > absl::ZeroDuration()) {
    asio::steady_timer timer(session.connection->Executor(),
                             absl::ToChronoNanoseconds(options_.delay));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  reply += "\r\n";
  co_return (co_await session.connection->Write(reply)).ok();
}

asio::awaitable<void> FakeSmtpServer::Serve(std::shared_ptr<gateway::Connection> connection) {
  Session session(std::move(connection));
  {
    MutexLock lock(&mutex_);
    session.number = ++connections_;
  }
  bool open = co_await Reply(session, Scripted("GREETING", "220 " + options_.name + " ESMTP"));
  while (open) {
    absl::StatusOr<std::string> line = co_await session.reader.ReadLine(kMaxLine, true);
    if (!line.ok()) co_return;
    while (line->ends_with('\n') || line->ends_with('\r')) line->pop_back();
    {
      MutexLock lock(&mutex_);
      commands_.push_back(*line);
    }
    open = co_await Obey(session, *line);
  }
}

asio::awaitable<bool> FakeSmtpServer::Obey(Session& session, const std::string& line) {
  if (line.starts_with("BDAT")) co_return co_await Chunk(session, line);
  const std::string scripted = Scripted(line, "");
  if (!scripted.empty() && !IsPositive(scripted) && !scripted.starts_with("354")) {
    co_return co_await Reply(session, scripted);
  }
  std::string reply = "250 2.0.0 Ok";
  if (line.starts_with("EHLO") || line.starts_with("HELO")) {
    co_return co_await Hello(session, line.starts_with("EHLO"));
  }
  if (line.starts_with("STARTTLS")) {
    co_return co_await StartTls(session, scripted.empty() ? "220 2.0.0 Go ahead" : scripted);
  }
  if (line.starts_with("AUTH")) co_return co_await Auth(session, line);
  if (line.starts_with("DATA")) co_return co_await Data(session);
  if (line.starts_with("QUIT")) {
    co_await Reply(session, "221 2.0.0 Bye");
    co_return false;
  }
  if (line.starts_with("MAIL")) {
    session.Reset();
    session.mail.mail = line;
  } else if (line.starts_with("RCPT")) {
    if (session.mail.mail.empty()) {
      reply = "503 5.5.1 MAIL first";
    } else {
      session.mail.rcpt.push_back(line);
    }
  } else if (line.starts_with("RSET")) {
    session.Reset();
  } else if (!line.starts_with("NOOP")) {
    reply = "500 5.5.1 What?";
  }
  if (!scripted.empty()) reply = scripted;
  co_return co_await Reply(session, reply);
}

asio::awaitable<bool> FakeSmtpServer::Hello(Session& session, bool extended) {
  session.Reset();
  if (!extended) co_return co_await Reply(session, "250 " + options_.name);
  std::vector<std::string> lines = {options_.name + " at your service"};
  lines.insert(lines.end(), options_.features.begin(), options_.features.end());
  if (options_.tls != nullptr && !session.connection->secure()) lines.emplace_back("STARTTLS");
  std::string reply;
  for (size_t i = 0; i < lines.size(); ++i) {
    reply += fmt::format("250{}{}{}", i + 1 < lines.size() ? '-' : ' ', lines[i],
                         i + 1 < lines.size() ? "\r\n" : "");
  }
  co_return co_await Reply(session, reply);
}

asio::awaitable<bool> FakeSmtpServer::StartTls(Session& session, std::string reply) {
  if (options_.tls == nullptr) co_return co_await Reply(session, "502 5.5.1 No TLS here");
  const bool written = co_await Reply(session, std::move(reply));
  if (!written) co_return false;
  if (options_.broken_tls) {
    static_cast<void>(co_await session.reader.ReadSome(kMaxLine));
    static_cast<void>(co_await session.connection->Write("This is no TLS\r\n"));
    co_return false;
  }
  session.Reset();
  co_return (co_await session.connection->StartTls(*options_.tls)).ok();
}

asio::awaitable<bool> FakeSmtpServer::Auth(Session& session, const std::string& line) {
  std::string user;
  std::string password;
  if (line.starts_with("AUTH PLAIN ")) {
    const auto credentials =
        gateway::ParsePlain(gateway::DecodeBase64(line.substr(11)).value_or(""));
    if (credentials.has_value()) {
      user = credentials->user;
      password = credentials->password;
    }
  } else {
    for (std::string* value : {&user, &password}) {
      const bool asked = co_await Reply(session, "334 VXNlciBOYW1lAA==");
      if (!asked) co_return false;
      absl::StatusOr<std::string> answer = co_await session.reader.ReadLine(kMaxLine);
      if (!answer.ok()) co_return false;
      while (answer->ends_with('\n') || answer->ends_with('\r')) answer->pop_back();
      *value = gateway::DecodeBase64(*answer).value_or("");
    }
  }
  const bool good = !user.empty() && user == options_.user && password == options_.password;
  if (good) session.user = user;
  co_return co_await Reply(session, good ? "235 2.7.0 Welcome" : "535 5.7.8 Wrong");
}

asio::awaitable<bool> FakeSmtpServer::Data(Session& session) {
  if (session.mail.rcpt.empty()) co_return co_await Reply(session, "554 5.5.1 No recipients");
  const bool asked = co_await Reply(session, "354 Go on");
  if (!asked) co_return false;
  gateway::smtp::DotReader reader;
  while (!reader.done()) {
    absl::StatusOr<std::string> octets = co_await session.reader.ReadSome(kMaxLine);
    if (!octets.ok()) co_return false;
    const std::string refusal = Scripted("TEXT", "");
    if (!refusal.empty()) {
      co_await Reply(session, refusal);
      co_return false;
    }
    const size_t used = reader.Feed(*octets, session.mail.text);
    session.reader.GiveBack(std::string_view(*octets).substr(used));
  }
  const std::string reply = Scripted(".", "250 2.0.0 Taken");
  if (IsPositive(reply)) Take(session);
  co_return co_await Reply(session, reply);
}

asio::awaitable<bool> FakeSmtpServer::Chunk(Session& session, const std::string& line) {
  size_t left = strtoul(line.c_str() + 5, nullptr, 10);
  while (left > 0) {
    absl::StatusOr<std::string> octets = co_await session.reader.ReadSome(left);
    if (!octets.ok()) co_return false;
    left -= octets->size();
    session.mail.text += *octets;
  }
  session.mail.chunked = true;
  const bool last = line.ends_with(" LAST");
  const std::string reply = Scripted(line, last ? "250 2.0.0 Taken" : "250 2.0.0 Go on");
  if (last && IsPositive(reply)) Take(session);
  co_return co_await Reply(session, reply);
}

}  // namespace rmail::testing

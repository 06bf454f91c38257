// Runs the scripts in transcripts/; each "== Title" is a test of its own with a fresh server. See
// tests/support/transcript.h for their lines. SMTP's own:
//   CONNECT: smtp, submission, smtps or lmtp: which port the connection is for; else it is smtp.
//   LOGIN:   EHLO and AUTH, as the user named.
//   SAY:     sends the text as it is, without CRLF; \r, \n, \t, \0 and \xHH stand for octets.
//   LONG:    sends a line of so many octets, CRLF included, that begins with the text: "506 NOOP".
//   MESSAGE: sends the "|" lines below as data, with their end.
//   C:       "{*}" in it stands for the size of the "|" lines below, which are sent with it.
//   STORE:   "down", "up", "fail alice@example.com OVER_QUOTA", "refuse QUEUE_FULL".
//   INBOX:   how many messages there are: "alice@example.com 1".
//   QUEUED:  the envelope of the last message in the queue, see Describe().
// Lines right below the title prepare the server:
//   ACCOUNT: gone@example.com disabled
//   ALIAS:   sales@example.com alice@example.com x@elsewhere.example
//   OPTION:  max_recipients 2
#include "tests/support/transcript.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/smtp_fixture.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::smtp {
namespace {

using rmail::testing::LineClient;
using rmail::testing::Scenario;

std::vector<std::string> Words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
    }
  }
  return out;
}

// "<alice@example.com> id=QQ headers 8bit -> <x@elsewhere.example> 6 rfc822;x@old".
std::string Describe(const store::v1::QueueEnvelope& envelope) {
  std::string text = "<" + envelope.sender() + ">";
  if (!envelope.envelope_id().empty()) text += " id=" + envelope.envelope_id();
  if (envelope.returned() == store::v1::QueueEnvelope::RETURN_FULL) text += " full";
  if (envelope.returned() == store::v1::QueueEnvelope::RETURN_HEADERS) text += " headers";
  if (envelope.utf8()) text += " utf8";
  if (envelope.eight_bit()) text += " 8bit";
  if (envelope.binary()) text += " binary";
  if (envelope.require_tls()) text += " tls";
  for (const store::v1::QueueRecipient& recipient : envelope.recipients()) {
    text += " -> <" + recipient.address() + ">";
    if (recipient.notify() != 0) text += " " + std::to_string(recipient.notify());
    if (!recipient.original_recipient().empty()) text += " " + recipient.original_recipient();
  }
  return text;
}

class SmtpTranscript : public rmail::testing::Transcript {
 public:
  SmtpTranscript(FakeStore& store, SmtpServer& server) : store_(store), server_(server) {}

 protected:
  std::unique_ptr<LineClient> Connect(int connection) override {
    const std::string& service = services_[connection];
    if (service == "submission") return std::make_unique<LineClient>(server_.submission_port());
    if (service == "lmtp") return std::make_unique<LineClient>(server_.lmtp_port());
    if (service == "smtps") {
      return std::make_unique<LineClient>(server_.smtps_port(), LineClient::Tls::kOn);
    }
    return std::make_unique<LineClient>(server_.port());
  }

  bool Step(const Line& line) override {
    if (line.who == "CONNECT") {
      services_[line.connection] = line.what;
      Disconnect(line.connection);
      client(line.connection);
      return true;
    }
    if (line.who == "LOGIN") return LogIn(client(line.connection), std::string(line.what));
    if (line.who == "STORE") return ChangeStore(Words(line.what));
    if (line.who == "INBOX") return CheckInbox(Words(line.what));
    if (line.who == "QUEUED") return CheckQueued(line.what);
    return Send(line) || Transcript::Step(line);
  }

 private:
  // False: the line sends nothing.
  bool Send(const Line& line) {
    if (line.who == "SAY") {
      client(line.connection).Send(Unescape(line.what));
    } else if (line.who == "LONG") {
      const size_t space = line.what.find(' ');
      std::string text(line.what.substr(space + 1));
      text.resize(std::stoul(std::string(line.what.substr(0, space))) - 2, 'x');
      client(line.connection).SendLine(text);
    } else if (line.who == "MESSAGE") {
      client(line.connection).Send(std::string(line.text) + ".\r\n");
    } else if (line.who == "C" && line.what.find("{*}") != std::string_view::npos) {
      std::string command(line.what);
      command.replace(command.find("{*}"), 3, std::to_string(line.text.size()));
      client(line.connection).Send(command + "\r\n" + std::string(line.text));
    } else {
      return false;
    }
    return true;
  }

  static bool LogIn(LineClient& client, const std::string& user) {
    client.ReadUntil("220 ");
    client.SendLine("EHLO client.example.net");
    client.ReadUntil("250 ");
    client.SendLine(AuthPlainLine(user, "secret"));
    return client.ReadLine() == "235 2.7.0 Authentication successful";
  }

  bool ChangeStore(const std::vector<std::string>& words) {
    if (words.at(0) == "fail") store_.FailDelivery(words.at(1), words.at(2));
    if (words.at(0) == "refuse") store_.FailQueue(words.at(1));
    if (words.at(0) == "down") store_.FailCalls(absl::UnavailableError("down"));
    if (words.at(0) == "up") store_.FailCalls(absl::OkStatus());
    return true;
  }

  bool CheckInbox(const std::vector<std::string>& words) {
    const size_t count = store_.Inbox(words.at(0)).size();
    EXPECT_EQ(std::to_string(count), words.at(1)) << words.at(0);
    return true;
  }

  bool CheckQueued(std::string_view pattern) {
    const std::vector<FakeStore::Queued> queue = store_.queue();
    const std::string last = queue.empty() ? "nothing" : Describe(queue.back().envelope);
    EXPECT_TRUE(rmail::testing::MatchesPattern(pattern, last)) << "  queued: " << last;
    return true;
  }

  FakeStore& store_;
  SmtpServer& server_;
  std::map<int, std::string> services_;
};

class TranscriptTest : public SmtpFixture, public ::testing::WithParamInterface<Scenario> {
 protected:
  // Takes the lines that prepare the server off the script.
  void Prepare(std::string_view& script) {
    while (true) {
      const std::string_view line = script.substr(0, script.find('\n'));
      const std::vector<std::string> words = Words(line);
      if (words.empty()) {
        if (script.empty()) return;
      } else if (words[0] == "ACCOUNT:") {
        store.AddAccount(words.at(1), "secret");
        if (words.size() > 2) store.Disable(words[1]);
      } else if (words[0] == "ALIAS:") {
        store.AddAlias(words.at(1), {words.begin() + 2, words.end()});
      } else if (words[0] == "OPTION:") {
        SetOption(words.at(1), std::stoul(words.at(2)));
      } else {
        return;
      }
      script.remove_prefix(std::min(line.size() + 1, script.size()));
    }
  }

  void SetOption(const std::string& name, uint64_t value) {
    const auto number = static_cast<uint32_t>(value);
    const std::map<std::string, std::function<void()>> setters = {
        {"tls", [&] { tls = value != 0; }},
        {"relay", [&] { options.relay = value != 0; }},
        {"reject_local_senders", [&] { options.reject_local_senders = value != 0; }},
        {"normalise_newlines", [&] { options.normalise_newlines = value != 0; }},
        {"max_message_size", [&] { options.max_message_size = value; }},
        {"max_text_line", [&] { options.max_text_line = value; }},
        {"max_hops", [&] { options.max_hops = number; }},
        {"max_recipients", [&] { options.max_recipients = number; }},
        {"max_messages_per_connection", [&] { options.max_messages_per_connection = number; }},
        {"max_bad_commands", [&] { options.max_bad_commands = number; }},
        {"max_idle_commands", [&] { options.max_idle_commands = number; }},
        {"max_connections", [&] { options.limits.total = value; }},
        {"greeting_delay_ms", [&] { options.greeting_delay = absl::Milliseconds(value); }},
        {"timeout_ms", [&] { options.timeouts.command = absl::Milliseconds(value); }},
        {"data_timeout_ms", [&] { options.timeouts.data_block = absl::Milliseconds(value); }},
    };
    const auto setter = setters.find(name);
    ASSERT_TRUE(setter != setters.end()) << name;
    setter->second();
  }
};

TEST_P(TranscriptTest, Runs) {
  std::string_view script = GetParam().script;
  Prepare(script);
  ASSERT_FALSE(script.empty());
  Start();
  SmtpTranscript(store, *server).Run(script);
}

INSTANTIATE_TEST_SUITE_P(
    Files, TranscriptTest,
    ::testing::ValuesIn(rmail::testing::ReadScenarios("gateway/smtp/transcripts")),
    [](const ::testing::TestParamInfo<Scenario>& info) { return info.param.Name(); });

}  // namespace
}  // namespace rmail::gateway::smtp

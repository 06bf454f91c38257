#include "store/engine/queue_file.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "store/base/error.h"

namespace rmail::engine {
namespace {

namespace pb = ::rmail::store::v1;

pb::QueueEnvelope Envelope() {
  pb::QueueEnvelope envelope;
  envelope.set_sender("alice@example.com");
  envelope.add_recipients()->set_address("bob@elsewhere.test");
  return envelope;
}

TEST(QueueFileTest, IdsAreRandomAndNamed) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string id = NewQueueId().value_or("");
    EXPECT_TRUE(IsQueueId(id)) << id;
    EXPECT_EQ(ParseQueueName(QueueName(id)), id);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 100u);
}

TEST(QueueFileTest, OtherNamesAreNone) {
  for (const char* const name :
       {"", "queue/", "queue/0123456789abcdef012", "queue/0123456789abcdef01234",
        "queue/0123456789ABCDEF0123", "queue/../89abcdef0123456789", "queues/0123456789abcdef0123",
        "0123456789abcdef0123"}) {
    EXPECT_FALSE(ParseQueueName(name)) << name;
  }
}

TEST(QueueFileTest, AllThatIsWrittenIsRead) {
  pb::QueuedMessage message;
  message.set_queued_at(1'700'000'000'123'456);
  message.set_size(uint64_t{1} << 40);
  message.set_held(true);
  pb::QueueEnvelope& envelope = *message.mutable_envelope();
  envelope = Envelope();
  envelope.set_envelope_id("id \"quoted\" \\");
  envelope.set_returned(pb::QueueEnvelope::RETURN_HEADERS);
  envelope.set_utf8(true);
  envelope.set_eight_bit(true);
  envelope.set_binary(true);
  envelope.set_require_tls(true);
  envelope.set_trace_id("4f1c");
  envelope.set_account("alice@example.com");
  pb::QueueRecipient& waiting = *envelope.mutable_recipients(0);
  waiting.set_state(pb::QueueRecipient::STATE_WAITING);
  waiting.set_next_attempt(1'700'000'060'000'001);
  waiting.set_attempts(3);
  waiting.set_last_reply("451 4.3.0 sp\xc3\xa4ter");
  waiting.set_last_server("mx.elsewhere.test");
  waiting.set_delay_told(true);
  waiting.set_notify(pb::QueueRecipient::NOTIFY_FAILURE | pb::QueueRecipient::NOTIFY_DELAY);
  waiting.set_original_recipient("rfc822;b@elsewhere.test");
  pb::QueueRecipient& delivered = *envelope.add_recipients();
  delivered.set_address("\"a b\"@[192.0.2.1]");
  delivered.set_state(pb::QueueRecipient::STATE_DELIVERED);
  pb::QueueRecipient& failed = *envelope.add_recipients();
  failed.set_address("c@third.test");
  failed.set_state(pb::QueueRecipient::STATE_FAILED);

  const std::string text = FormatQueueFile(message);
  EXPECT_NE(text.find("\"next_attempt\": \"2023-11-14T22:14:20.000001Z\""), std::string::npos)
      << text;
  const absl::StatusOr<pb::QueuedMessage> read = ParseQueueFile(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*read, message))
      << read->DebugString();
}

TEST(QueueFileTest, DamageIsFound) {
  pb::QueuedMessage message;
  *message.mutable_envelope() = Envelope();
  message.mutable_envelope()->mutable_recipients(0)->set_state(pb::QueueRecipient::STATE_WAITING);
  const std::string text = FormatQueueFile(message);
  ASSERT_TRUE(ParseQueueFile(text).ok());
  // All that a write that was cut can leave; but for the end of the line.
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(ParseQueueFile(text.substr(0, size)).status())) << size;
    EXPECT_FALSE(ParseQueueFile(text.substr(0, size) + std::string(text.size() - size, '\0')).ok());
  }
  for (const char* const other :
       {"[]", "{}", "{\"version\": 1}", "{\"version\": \"1\"}",
        "{\"version\": 1, \"queued_at\": \"yesterday\", \"recipients\": []}",
        "{\"version\": 1, \"queued_at\": 5, \"recipients\": [5]}",
        // Well-formed, but no envelope.
        "{\"version\": 1, \"queued_at\": \"2026-11-25T14:32:40Z\", \"recipients\": []}"}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseQueueFile(other).status())) << other;
  }
  EXPECT_TRUE(absl::IsDataLoss(ParseQueueFile(std::string(100'000, '[')).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ParseQueueFile("{\"version\": 2}").status()));
}

TEST(QueueFileTest, AnEnvelopeIsChecked) {
  ASSERT_TRUE(CheckEnvelope(Envelope()).ok());
  using Change = std::function<void(pb::QueueEnvelope*)>;
  const std::string local(64, 'x');
  const Change fine[] = {
      [](auto* e) { e->clear_sender(); },
      [](auto* e) { e->add_recipients()->set_address("Bob@elsewhere.test"); },
      [](auto* e) { e->mutable_recipients(0)->set_notify(1); },
      [](auto* e) { e->mutable_recipients(0)->set_notify(2 | 4 | 8); },
      [&](auto* e) { e->set_sender(local + "@" + std::string(255, 'd')); },
  };
  for (const Change& change : fine) {
    pb::QueueEnvelope envelope = Envelope();
    change(&envelope);
    EXPECT_TRUE(CheckEnvelope(envelope).ok()) << envelope.ShortDebugString();
  }
  const Change faults[] = {
      [](auto* e) { e->clear_recipients(); },
      [](auto* e) { e->set_sender("alice"); },
      [](auto* e) { e->set_sender("@example.com"); },
      [](auto* e) { e->set_sender("alice@"); },
      [](auto* e) { e->set_sender("a\r\nb@example.com"); },
      [&](auto* e) { e->set_sender(local + "x@" + std::string(255, 'd')); },
      [](auto* e) { e->set_sender("a@" + std::string(256, 'd')); },
      [](auto* e) { e->add_recipients()->set_address("bob@ELSEWHERE.test"); },
      [](auto* e) { e->add_recipients(); },
      [](auto* e) { e->mutable_recipients(0)->set_notify(16); },
      [](auto* e) { e->mutable_recipients(0)->set_notify(1 | 4); },
      [](auto* e) { e->mutable_recipients(0)->set_original_recipient(std::string(501, 'x')); },
      [](auto* e) { e->mutable_recipients(0)->set_original_recipient("rfc822;\x7f"); },
      [](auto* e) { e->set_envelope_id(std::string(101, 'x')); },
      [](auto* e) { e->set_trace_id("\n"); },
      [](auto* e) { e->set_account(std::string(321, 'x')); },
      [](auto* e) { e->set_returned(static_cast<pb::QueueEnvelope::Return>(3)); },
      [](auto* e) {
        for (int i = 0; i < 1000; ++i) {
          e->add_recipients()->set_address("r" + std::to_string(i) + "@elsewhere.test");
        }
      },
  };
  for (const Change& change : faults) {
    pb::QueueEnvelope envelope = Envelope();
    change(&envelope);
    EXPECT_EQ(ReasonOf(CheckEnvelope(envelope)), pb::ERROR_REASON_INVALID_REQUEST)
        << envelope.ShortDebugString();
  }
}

TEST(QueueFileTest, TextFromElsewhereIsMadeHarmless) {
  EXPECT_EQ(Harmless("250 ok", 100), "250 ok");
  EXPECT_EQ(Harmless("250 ok\r\nX: y\x7f", 100), "250 ok  X: y ");
  EXPECT_EQ(Harmless("12345", 3), "123");
  EXPECT_EQ(Harmless("12\xc3\xa4", 3), "12");
  EXPECT_EQ(Harmless("1\xc3\xa4", 3), "1\xc3\xa4");
  EXPECT_EQ(Harmless("\xf0\x9f\x98\x80z", 3), "");
}

}  // namespace
}  // namespace rmail::engine

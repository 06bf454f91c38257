#include "tools/bench/engine_cases.h"

#include <fmt/format.h>
#include <malloc.h>

#include <cstddef>
#include <fstream>
#include <functional>
#include <utility>
#include <vector>

#include "rmail/store/v1/message.pb.h"
#include "store/engine/file_name.h"
#include "store/engine/incoming_message.h"
#include "store/engine/index.h"
#include "store/engine/message_records.h"
#include "store/mime/digest.h"
#include "store/mime/sample_messages.h"
#include "store/service/search.h"
#include "tools/bench/corpus.h"

namespace rmail::bench {
namespace {

namespace pb = ::rmail::store::v1;

using engine::Mailbox;

// 2026-01-01
constexpr int64_t kDate = 1'767'225'600'000'000;
constexpr size_t kAppended = 4096;
constexpr int kCallers = 64;
// A prime: steps of it meet all of a mailbox's shards.
constexpr uint32_t kStride = 7919;

void AppendOne(BenchStore& store, Mailbox& mailbox, const std::string& content) {
  const std::string incoming = Check(mailbox.IncomingDirectory());
  const auto message =
      Check(engine::IncomingMessage::Create(store.env(), incoming, &store.commits()));
  Check(message->Write(content));
  const engine::MessageRecords records = engine::RecordsOf(content);
  Check(message->Finish());
  engine::MessageInfo info;
  info.size = content.size();
  info.internal_date = kDate;
  Check(mailbox.Append(message->path(), info, {.records = &records}).status());
}

// Sets \Flagged, or takes it away.
void Flag(Mailbox& mailbox, engine::UidSpan span, bool on) {
  Mailbox::FlagUpdate update;
  update.spans = {span};
  update.operation = on ? engine::FlagOperation::kAdd : engine::FlagOperation::kRemove;
  update.flags = engine::kFlagged;
  Check(mailbox.UpdateFlags(update).status());
}

// The median of a change of one message's flags, here and there in a mailbox.
double TimeOfFlagChange(Mailbox& mailbox, uint32_t messages) {
  uint32_t uid = 1;
  std::vector<double> times;
  for (int i = 0; i < 2000; ++i) {
    // In the second half of the time the first half is undone.
    if (i % 1000 == 0) uid = 1;
    uid = (uid + kStride) % messages + 1;
    times.push_back(Time([&] { Flag(mailbox, {uid, uid}, i < 1000); }));
  }
  return Median(std::move(times));
}

// Reads all that changed since the beginning.
uint64_t ReadAll(Mailbox& mailbox) {
  Mailbox::Changes changes = Check(mailbox.ChangesSince(0));
  engine::MessageRow row;
  uint64_t read = 0;
  // What is read is used, so that nothing is left out.
  uint64_t flags = 0;
  while (changes.changed.Next(&row)) {
    ++read;
    flags ^= row.info.flags;
  }
  return flags == ~uint64_t{0} ? 0 : read;
}

uint64_t CountFound(BenchStore& store, const std::shared_ptr<Mailbox>& mailbox,
                    const pb::SearchExpression& expression) {
  pb::SearchMessagesRequest request;
  *request.mutable_expression() = expression;
  auto search = Check(service::NewSearch({store.env(), mailbox, {}}, request));
  uint64_t found = 0;
  pb::SearchMessagesResponse response;
  while (Check(search(&response))) {
    for (const pb::UidRange& range : response.uids()) found += range.last() - range.first() + 1;
    response.Clear();
  }
  return found;
}

// The median of a few searches that must find so many.
double TimeOfSearch(BenchStore& store, const std::shared_ptr<Mailbox>& mailbox,
                    const pb::SearchExpression& expression, uint64_t expected) {
  return MedianTime(5, [&] {
    const uint64_t found = CountFound(store, mailbox, expression);
    if (found == expected) return;
    Check(absl::InternalError(fmt::format("found {}, not {}", found, expected)));
  });
}

pb::SearchExpression HeaderSearch(const std::string& field, const std::string& text) {
  pb::SearchExpression expression;
  expression.mutable_header()->set_field(field);
  expression.mutable_header()->set_text(text);
  return expression;
}

// Octets that the process has in memory.
uint64_t ResidentMemory() {
  malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  uint64_t all = 0;
  uint64_t resident = 0;
  statm >> all >> resident;
  return resident * 4096;
}

void RemoveIndex(Env* env, const std::string& directory) {
  for (const char* const name : {"log.1", "snapshot.1"}) {
    const absl::Status removed = env->Remove(JoinPath(directory, name));
    if (!absl::IsNotFound(removed)) Check(removed);
  }
}

void BenchSearch(BenchStore& store, const std::shared_ptr<Mailbox>& mailbox, uint32_t messages,
                 Report& report) {
  report.Below("search FROM, 100,000 messages", 60,
               TimeOfSearch(store, mailbox, HeaderSearch("From", "user123@"), messages / 1000),
               "ms");
  report.Below("search SUBJECT, 100,000 messages", 60,
               TimeOfSearch(store, mailbox, HeaderSearch("Subject", "invoice 77 "), 1), "ms");
  pb::SearchExpression body;
  body.set_body(std::string(kRareWord));
  report.Below("search of a word in the body, 100,000 messages of 3 KB", 1500,
               TimeOfSearch(store, mailbox, body, (messages + 49'923) / 50'000), "ms");
}

}  // namespace

std::shared_ptr<Mailbox> BenchStore::Open(const std::string& directory) {
  Check(env_->CreateDirectories(directory));
  engine::MailboxContext context{.env = env_, .commits = &commits_};
  context.background = &background_;
  return std::make_shared<Mailbox>(std::move(context), directory, [](uint64_t) {});
}

void BenchDigests(Report& report) {
  const std::string typical = mime::TypicalMessage();
  constexpr int kCalls = 1000;
  const double thousand = MedianTime(5, [&] {
    for (int i = 0; i < kCalls; ++i) (void)mime::DigestOf(typical);
  });
  report.Below("MIME digest of a message of 3 KB", 25, thousand * 1000 / kCalls, "us");
  const std::string large = mime::LargeMessage(40 << 20);
  const double millis = MedianTime(5, [&] { (void)mime::DigestOf(large); });
  report.AtLeast("MIME digest of a message of 40 MB", 400,
                 static_cast<double>(large.size()) / 1000 / millis, "MB/s");
}

void BenchAppends(BenchStore& store, const std::string& root, double seconds, Report& report) {
  const std::string content = MessageOfSize(kAppended);
  std::vector<std::shared_ptr<Mailbox>> mailboxes;
  std::vector<std::function<void()>> steps;
  for (int i = 0; i < kCallers; ++i) {
    mailboxes.push_back(store.Open(JoinPath(root, fmt::format("appends-{}", i))));
    steps.emplace_back([&store, &content, mailbox = mailboxes.back().get()] {
      AppendOne(store, *mailbox, content);
    });
    // The first one makes folders.
    steps.back()();
  }
  const double before = MeasureOneAfterTheOther(root, seconds).rate;
  const Sample one = MeasureThreads(seconds, {steps.front()});
  const Sample many = MeasureThreads(seconds, steps);
  const double yardstick = (before + MeasureOneAfterTheOther(root, seconds).rate) / 2;
  report.Note("4 KB files synced one after the other", yardstick, "/s");
  report.Below("durable append of 4 KB, one caller, median", 2, one.median, "ms");
  report.Note("durable append of 4 KB, one caller", one.rate, "/s");
  report.AtLeast("durable append of 4 KB, 64 callers on 64 mailboxes", 3 * yardstick, many.rate,
                 "/s");
}

void BenchCorpusMailbox(BenchStore& store, const std::string& directory, const std::string& scratch,
                        uint32_t messages, Report& report) {
  const auto open = [&] { Check(store.Open(directory)->Counts().status()); };
  Check(store.Open(directory)->Checkpoint());
  report.Below("open a mailbox of 100,000 with index", 5, MedianTime(21, open), "ms");
  report.Below("open a mailbox of 100,000, index deleted", 1500,
               MedianTime(3,
                          [&] {
                            RemoveIndex(store.env(), directory);
                            open();
                          }),
               "ms");

  const std::shared_ptr<Mailbox> mailbox = store.Open(directory);
  (void)ReadAll(*mailbox);
  report.Below("SyncMailbox of 100,000 (all flags), warm", 10,
               MedianTime(21, [&] { (void)ReadAll(*mailbox); }), "ms");
  report.Below("flag change, one message of 100,000, median", 0.1,
               TimeOfFlagChange(*mailbox, messages), "ms");
  bool on = false;
  report.Below("UpdateFlags on 10,000 messages", 150,
               MedianTime(6, [&] { Flag(*mailbox, {1, 10'000}, on = !on); }), "ms");

  const std::shared_ptr<Mailbox> target = store.Open(JoinPath(scratch, "copies"));
  Mailbox::TransferOptions options;
  options.translate = [](uint64_t flags) { return flags; };
  uint32_t first = 1;
  report.Below(
      "copy of 1,000 messages", 25,
      MedianTime(11,
                 [&] {
                   Check(
                       Mailbox::Copy(*mailbox, {{first, first + 999}}, *target, options).status());
                   first += 1000;
                 }),
      "ms");
  BenchSearch(store, mailbox, messages, report);
}

void BenchLargeMailbox(BenchStore& store, const std::string& directory, uint32_t messages,
                       Report& report) {
  const std::string name = fmt::format("mailbox of {} messages", messages);
  Check(store.Open(directory)->Checkpoint());
  report.Below(name + ": open", 50,
               MedianTime(5, [&] { Check(store.Open(directory)->Counts().status()); }), "ms");
  const std::shared_ptr<Mailbox> mailbox = store.Open(directory);
  Check(mailbox->Counts().status());
  const std::string content = MessageOfSize(kAppended);
  report.Below(name + ": append", 5, MedianTime(101, [&] { AppendOne(store, *mailbox, content); }),
               "ms");
  report.Below(name + ": flag change", 0.2, TimeOfFlagChange(*mailbox, messages), "ms");

  const uint64_t before = ResidentMemory();
  const std::shared_ptr<Mailbox> measured = store.Open(directory);
  uint64_t read = 0;
  const double millis = Time([&] { read = ReadAll(*measured); });
  report.Below(name + ": resident memory a message, all of them read", 40,
               static_cast<double>(ResidentMemory() - before) / static_cast<double>(read),
               "octets");
  report.Note(name + ": read all flags, first time", millis, "ms");
}

}  // namespace rmail::bench

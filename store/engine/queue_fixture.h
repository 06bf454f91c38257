// A queue for tests, with a clock of its own.
#ifndef RMAIL_STORE_ENGINE_QUEUE_FIXTURE_H_
#define RMAIL_STORE_ENGINE_QUEUE_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rmail/store/v1/queue.pb.h"
#include "store/base/env.h"
#include "store/engine/group_commit.h"
#include "store/engine/queue.h"
#include "store/engine/queue_file.h"

namespace rmail::engine {

// What a store has of a queue.
struct TestQueue {
  TestQueue(Env* env, const std::string& root, std::function<absl::Time()> now)
      : env(env),
        commits(env, root, SyncMode::kFsync),
        queue({env, JoinPath(root, "queue"), &commits, std::move(now)}) {}

  // Writes a message's file and queues it.
  absl::StatusOr<std::string> Enqueue(const std::string& text,
                                      const std::vector<std::string>& recipients,
                                      uint64_t max = 0) {
    absl::StatusOr<std::string> directory = queue.IncomingDirectory();
    if (!directory.ok()) return directory.status();
    const std::string path = JoinPath(*directory, "message");
    absl::Status written = env->ReplaceFile(path, text);
    if (!written.ok()) return written;
    store::v1::QueueEnvelope envelope;
    envelope.set_sender("alice@example.com");
    for (const std::string& recipient : recipients) {
      envelope.add_recipients()->set_address(recipient);
    }
    absl::StatusOr<std::string> id = queue.Enqueue(path, text.size(), envelope, max);
    (void)env->Remove(path);
    return id;
  }

  // Ids and keys.
  std::vector<std::pair<std::string, std::string>> Lease(
      size_t max = 1000, absl::Duration length = absl::Seconds(60)) {
    const absl::StatusOr<Queue::Leased> leased = queue.Lease({"test", max, length, {}});
    EXPECT_TRUE(leased.ok()) << leased.status();
    std::vector<std::pair<std::string, std::string>> result;
    if (!leased.ok()) return result;
    for (size_t i = 0; i < leased->messages.size(); ++i) {
      result.emplace_back(ParseQueueName(leased->messages[i].name()).value_or("?"),
                          leased->keys[i]);
    }
    return result;
  }

  static store::v1::ReportDeliveryRequest NewReport(const std::string& key, bool release = true) {
    store::v1::ReportDeliveryRequest report;
    report.set_lease(key);
    report.set_release(release);
    return report;
  }

  std::string Read(const std::string& id) {
    const absl::StatusOr<std::unique_ptr<File>> file = queue.Open(id);
    if (!file.ok()) return "(missing)";
    std::string text(1000, '\0');
    text.resize((*file)->ReadAt(0, text.data(), text.size()).value_or(0));
    return text;
  }

  Env* const env;
  GroupCommit commits;
  Queue queue;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_QUEUE_FIXTURE_H_

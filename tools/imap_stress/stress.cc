#include "tools/imap_stress/stress.h"

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "tools/imap_stress/actions.h"
#include "tools/imap_stress/client.h"

namespace rmail::imap_stress {

namespace {

constexpr absl::Duration kLook = absl::Milliseconds(100);
// More tell nothing new.
constexpr size_t kMaxFindings = 5;

// Clients without a keyword of their own and without extensions, see Client::Start(). The one that
// made the mailboxes may have been idle for too long in the end.
constexpr int kCreator = 1'000'000;
constexpr int kObserver = 1'000'001;

class Run {
 public:
  explicit Run(const Options& options)
      : world_(options), creator_(&world_, kCreator), observer_(&world_, kObserver) {}

  Result Go() {
    if (SetUp()) {
      Load();
      if (result_.findings.empty()) Compare();
      if (result_.findings.empty()) CleanUp();
    }
    for (size_t i = 0; i < kActions; ++i) result_.done[i] = world_.done[i];
    return std::move(result_);
  }

 private:
  // Whether the client is well; if not, its findings are kept.
  bool Well(Client& client, std::string_view what) {
    if (client.findings().empty()) return true;
    if (result_.findings.size() >= kMaxFindings) return false;
    std::string text = fmt::format("{}:\n", what);
    for (const std::string& finding : client.findings().texts()) text += "  " + finding + "\n";
    result_.findings.push_back(text + client.Transcript());
    return false;
  }

  bool SetUp() {
    creator_.Start();
    const auto capabilities = creator_.Run("CAPABILITY");
    const Response* list = capabilities ? capabilities->Find("CAPABILITY") : nullptr;
    if (list != nullptr) {
      for (const Value& value : list->values) world_.capabilities.insert(ToUpper(value.text));
    }
    for (int i = 0; i < world_.options.mailboxes && creator_.findings().empty(); ++i) {
      creator_.Run("CREATE " + world_.NameOf(static_cast<size_t>(i)));
    }
    for (int i = 0; i < world_.options.clients && creator_.findings().empty(); ++i) {
      clients_.emplace_back(&world_, i);
      clients_.back().Start();
      if (!Well(clients_.back(), fmt::format("client {} at its start", i))) return false;
    }
    return Well(creator_, "the creator");
  }

  void Load() {
    std::vector<std::thread> threads;
    for (Client& client : clients_) {
      threads.emplace_back([this, &client] {
        Actions(&client, world_.options.seed * 1'000'003 + static_cast<uint64_t>(client.number()))
            .Run();
        // One that has found something ends the run: later findings would be its consequences.
        if (!client.findings().empty()) world_.stop = true;
      });
    }
    const absl::Time end = absl::Now() + world_.options.duration;
    while (absl::Now() < end && !world_.stop) absl::SleepFor(kLook);
    world_.stop = true;
    for (std::thread& thread : threads) thread.join();
    for (Client& client : clients_) Well(client, fmt::format("client {}", client.number()));
  }

  // All sessions against a fresh one, and that against what was acknowledged.
  void Compare() {
    observer_.Start();
    for (size_t mailbox = 0; mailbox < static_cast<size_t>(world_.options.mailboxes); ++mailbox) {
      observer_.Open(mailbox, true, false);
      if (observer_.findings().empty() && observer_.view().size() > 0) {
        observer_.Run("FETCH 1:* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[])",
                      {.may_expunge = false, .fetches = true});
      }
      if (!Well(observer_, fmt::format("mailbox {} in the end", mailbox))) return;
      Listing truth;
      std::map<uint32_t, Flags> flags;
      for (const View::Entry& entry : observer_.view().entries()) {
        observer_.findings().Expect(entry.uid != 0 && entry.flags, "FETCH leaves a message out");
        truth[entry.uid] = {entry.flags.value_or(0), entry.modseq};
        flags[entry.uid] = entry.flags.value_or(0);
      }
      result_.messages += truth.size();
      world_.oracle.SawEnd(mailbox, flags, observer_.findings());
      if (!Well(observer_, fmt::format("mailbox {} in the end", mailbox))) return;
      for (Client& client : clients_) {
        if (client.selected() && client.mailbox() == mailbox) client.Settle(truth);
        client.CheckOwn(mailbox, truth);
        Well(client, fmt::format("client {} in the end", client.number()));
      }
    }
  }

  void CleanUp() {
    observer_.Run("UNSELECT");
    observer_.Left();
    for (Client& client : clients_) {
      if (client.selected()) client.Run("UNSELECT");
    }
    for (int i = 0; i < world_.options.mailboxes && observer_.findings().empty(); ++i) {
      observer_.Run("DELETE " + world_.NameOf(static_cast<size_t>(i)));
    }
    Well(observer_, "the observer at its end");
  }

  World world_;
  Client creator_;
  Client observer_;
  std::deque<Client> clients_;
  Result result_;
};

}  // namespace

uint64_t Result::commands() const { return std::accumulate(done.begin(), done.end(), uint64_t{0}); }

Result RunStress(const Options& options) { return Run(options).Go(); }

}  // namespace rmail::imap_stress

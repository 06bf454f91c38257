#include "tools/imap_stress/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "tools/imap_stress/message.h"

namespace rmail::imap_stress {

namespace {

// A server that takes longer hangs.
constexpr absl::Duration kAnswerLimit = absl::Seconds(60);
constexpr size_t kTranscriptLines = 60;
constexpr size_t kTranscriptLine = 600;

}  // namespace

const std::vector<Value>* Client::Answer::Code(std::string_view upper) const {
  if (!code.empty() && code[0].IsAtom(upper)) return &code;
  for (const Response& response : untagged) {
    if (response.HasCode(upper)) return &response.code;
  }
  return nullptr;
}

const Response* Client::Answer::Find(std::string_view upper) const {
  const auto found = std::find_if(untagged.begin(), untagged.end(),
                                  [&](const Response& r) { return r.name == upper; });
  return found == untagged.end() ? nullptr : &*found;
}

Client::Client(World* world, int number) : world_(*world), number_(number) {}

void Client::Start() {
  auto wire = Wire::Connect(world_.options.endpoint);
  if (!wire.ok()) return findings_.Add(wire.status().ToString());
  wire_ = *std::move(wire);
  const std::optional<Response> greeting = Read(kAnswerLimit);
  if (!greeting) return;
  if (greeting->name != "OK") return findings_.Add("no greeting");
  Run(fmt::format("LOGIN {} {}", world_.options.user, world_.options.password));
  // A quarter plain, a quarter with CONDSTORE, half with QRESYNC.
  qresync_ = number_ % 2 == 1 && world_.Can("QRESYNC") && world_.Can("ENABLE");
  condstore_ = qresync_ || (number_ % 4 == 2 && world_.Can("CONDSTORE"));
  view_.Enable(condstore_, qresync_);
  if (!findings_.empty() || !condstore_) return;
  const auto answer = Run(qresync_ ? "ENABLE QRESYNC" : "ENABLE CONDSTORE");
  if (!answer) return;
  const Response* enabled = answer->Find("ENABLED");
  findings_.Expect(enabled != nullptr && !enabled->values.empty(), "nothing was enabled");
}

void Client::Log(std::string_view who, std::string_view text) {
  if (transcript_.size() == kTranscriptLines) transcript_.pop_front();
  const std::string_view end = text.size() > kTranscriptLine ? "..." : "";
  transcript_.push_back(fmt::format("{} {}{}", who, text.substr(0, kTranscriptLine), end));
}

std::string Client::Transcript() const {
  std::string text;
  for (const std::string& line : transcript_) text += line + "\n";
  return text;
}

std::string Client::NextTag() { return fmt::format("c{}-{}", number_, ++tags_); }

bool Client::Send(std::string_view octets) {
  const absl::Status sent = wire_->Send(octets);
  if (!sent.ok()) findings_.Add(sent.ToString());
  return sent.ok();
}

std::optional<Response> Client::Read(absl::Duration limit) {
  const absl::StatusOr<std::string> text = wire_->ReadResponse(limit);
  if (!text.ok()) {
    findings_.Add(text.status().ToString());
    return std::nullopt;
  }
  Log("S:", *text);
  std::optional<Response> response = ParseResponse(*text);
  if (!response) findings_.Add("a response that breaks the grammar: " + text->substr(0, 200));
  return response;
}

void Client::Take(Response response, Answer& answer) {
  if (response.name == "BYE") return findings_.Add("the server ends the session");
  const bool about_mailbox = mailbox_ && view_.Take(response, findings_);
  if (mailbox_) {
    for (const uint32_t uid : view_.TakeGone()) {
      if (uid == 0) continue;
      own_[*mailbox_].erase(uid);
      oracle().Gone(*mailbox_, uid, findings_);
    }
    if (std::optional<View::Fetched> fetched = view_.TakeFetched()) {
      CheckFetched(*fetched);
      answer.fetched.push_back(*std::move(fetched));
    }
  }
  if (!about_mailbox || !response.code.empty()) answer.untagged.push_back(std::move(response));
}

void Client::CheckFetched(const View::Fetched& fetched) {
  const FetchData& data = fetched.data;
  if (!data.uid) return;
  const uint32_t uid = *data.uid;
  if (fetched.flags) {
    oracle().SawFlags(*mailbox_, uid, *fetched.flags, data.modseq.value_or(0), findings_);
    const auto own = own_[*mailbox_].find(uid);
    if (own != own_[*mailbox_].end() && own->second != ((*fetched.flags & own_keyword()) != 0)) {
      findings_.Add(fmt::format("UID {}: {} is {}, which only this client changes", uid,
                                FlagNames(own_keyword()), own->second ? "missing" : "set"));
    }
  }
  if (data.body) CheckBody(uid, *data.body);
  if (data.subject) oracle().SawToken(*mailbox_, uid, *data.subject, findings_);
  const std::string token = oracle().TokenOf(*mailbox_, uid);
  if (token.empty()) return;
  if (data.size && *data.size != MessageOf(token).size()) {
    findings_.Add(fmt::format("UID {}: RFC822.SIZE {}", uid, *data.size));
  }
  if (data.internal_date && *data.internal_date != InternalDateOf(token)) {
    findings_.Add(fmt::format("UID {}: INTERNALDATE {}, not {}", uid, *data.internal_date,
                              InternalDateOf(token)));
  }
}

void Client::CheckBody(uint32_t uid, const std::string& body) {
  const std::string token = TokenIn(body);
  if (body != MessageOf(token)) {
    return findings_.Add(fmt::format("UID {}: the body is none that was ever appended", uid));
  }
  oracle().SawToken(*mailbox_, uid, token, findings_);
}

std::optional<Client::Answer> Client::Finish(const std::string& tag, Answer answer,
                                             std::string_view may_fail) {
  while (true) {
    std::optional<Response> response = Read(kAnswerLimit);
    if (!response) return std::nullopt;
    if (response->tag == "*") {
      Take(*std::move(response), answer);
      if (!findings_.empty()) return std::nullopt;
      continue;
    }
    answer.ok = response->name == "OK";
    answer.code = response->code;
    findings_.Expect(response->tag == tag, "an answer to no command");
    findings_.Expect(response->name != "BAD", "BAD");
    findings_.Expect(answer.ok || (!may_fail.empty() && response->HasCode(may_fail)), "NO");
    if (mailbox_ && !answer.code.empty()) view_.Take(*response, findings_);
    if (!findings_.empty()) return std::nullopt;
    return answer;
  }
}

bool Client::AwaitContinuation(Answer& answer) {
  while (true) {
    std::optional<Response> response = Read(kAnswerLimit);
    if (!response) return false;
    if (response->tag == "+") return true;
    findings_.Expect(response->tag == "*", "no continuation");
    if (response->tag == "*") Take(*std::move(response), answer);
    if (!findings_.empty()) return false;
  }
}

std::optional<Client::Answer> Client::Run(std::string_view command, CommandRules rules,
                                          std::string_view literal, std::string_view may_fail) {
  const std::string tag = NextTag();
  view_.Begin(rules);
  Log("C:", fmt::format("{} {}", tag, command));
  Answer answer;
  if (!Send(fmt::format("{} {}\r\n", tag, command))) return std::nullopt;
  if (!literal.empty()) {
    if (!command.ends_with("+}") && !AwaitContinuation(answer)) return std::nullopt;
    if (!Send(fmt::format("{}\r\n", literal))) return std::nullopt;
  }
  return Finish(tag, std::move(answer), may_fail);
}

std::optional<Client::Answer> Client::Idle(absl::Duration duration) {
  const std::string tag = NextTag();
  view_.Begin({});
  Log("C:", tag + " IDLE");
  Answer answer;
  if (!Send(tag + " IDLE\r\n") || !AwaitContinuation(answer)) return std::nullopt;
  const absl::Time end = absl::Now() + duration;
  while (absl::Now() < end) {
    const absl::StatusOr<std::string> text = wire_->ReadResponse(end - absl::Now());
    if (absl::IsDeadlineExceeded(text.status())) break;
    if (!text.ok()) {
      findings_.Add(text.status().ToString());
      return std::nullopt;
    }
    Log("S:", *text);
    std::optional<Response> response = ParseResponse(*text);
    findings_.Expect(response && response->tag == "*", "no untagged response in IDLE");
    if (findings_.empty()) Take(*std::move(response), answer);
    if (!findings_.empty()) return std::nullopt;
  }
  Log("C:", "DONE");
  if (!Send("DONE\r\n")) return std::nullopt;
  return Finish(tag, std::move(answer), "");
}

void Client::ForgetOwn(const Uids& uids) {
  for (const uint32_t uid : uids) own_[*mailbox_].erase(uid);
}

void Client::SetOwn(const Uids& uids, bool set) {
  for (const uint32_t uid : uids) own_[*mailbox_][uid] = set;
}

}  // namespace rmail::imap_stress

#include "store/base/testing/fault_plan.h"

#include <algorithm>

#include "store/base/status.h"

namespace rmail {

void FaultPlan::Clear() {
  rules_.clear();
  stopped_ = false;
  partial_ = false;
}

bool FaultPlan::pending() const {
  return std::any_of(rules_.begin(), rules_.end(), [this](const Rule& rule) {
    return rule.kind == Rule::kOnce || (rule.kind == Rule::kStop && !stopped_);
  });
}

absl::Status FaultPlan::Pass(Call call) {
  partial_ = false;
  if (stopped_) return MakeStatus(absl::StatusCode::kUnavailable, "the process is dead");
  if ((call & kChanges) != 0) ++changes_;
  absl::Status result;
  for (size_t i = 0; i < rules_.size();) {
    Rule& rule = rules_[i];
    if ((rule.calls & call) == 0) {
      ++i;
    } else if (rule.left > 0) {
      --rule.left;
      ++i;
    } else {
      partial_ = true;
      stopped_ = stopped_ || rule.kind == Rule::kStop;
      result.Update(MakeStatus(rule.code, "failed as told"));
      if (rule.kind == Rule::kOnce) {
        rules_.erase(rules_.begin() + static_cast<ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }
  return result;
}

size_t FaultPlan::PartOf(size_t size) { return partial_ ? random_() % (size + 1) : 0; }

}  // namespace rmail

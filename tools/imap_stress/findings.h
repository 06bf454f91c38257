// What a check found wrong.
#ifndef RMAIL_TOOLS_IMAP_STRESS_FINDINGS_H_
#define RMAIL_TOOLS_IMAP_STRESS_FINDINGS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmail::imap_stress {

// Not thread-safe: each client has its own.
class Findings {
 public:
  void Add(std::string finding) { texts_.push_back(std::move(finding)); }
  // Adds it when the condition does not hold.
  void Expect(bool condition, std::string_view finding) {
    if (!condition) Add(std::string(finding));
  }
  bool empty() const { return texts_.empty(); }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_FINDINGS_H_

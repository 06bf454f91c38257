// Measuring, and saying what came out.
#ifndef RMAIL_TOOLS_BENCH_MEASURE_H_
#define RMAIL_TOOLS_BENCH_MEASURE_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rmail::bench {

// Ends the program when a call has failed: what it took means nothing then.
void Check(const absl::Status& status);
template <typename T>
T Check(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

// Milliseconds that a call takes.
double Time(const std::function<void()>& call);
double Median(std::vector<double> values);
// The median of so many calls.
double MedianTime(int calls, const std::function<void()>& call);

struct Sample {
  double rate = 0;    // calls a second, of all threads
  double median = 0;  // of a call, milliseconds
  double p99 = 0;     // the same
};
// Calls each of `steps` again and again in a thread of its own.
Sample MeasureThreads(double seconds, const std::vector<std::function<void()>>& steps);

// What durable appends are compared with: one thread that writes files of 4 KB in a folder below
// `root`, one after the other, with open+write+fsync+rename+fsync(folder).
Sample MeasureOneAfterTheOther(const std::string& root, double seconds);

// Rows `what | must | measured`, printed as they come.
class Report {
 public:
  Report();
  // Less is better. `unit` stands behind both numbers.
  void Below(std::string_view what, double must, double measured, std::string_view unit);
  void AtLeast(std::string_view what, double must, double measured, std::string_view unit);
  // Nothing is asked for.
  void Note(std::string_view what, double measured, std::string_view unit);

  // Whether everything is as it must be.
  bool good() const { return good_; }

 private:
  void Row(std::string_view what, std::string_view must, double measured, std::string_view unit,
           bool good);

  bool good_ = true;
};

}  // namespace rmail::bench

#endif  // RMAIL_TOOLS_BENCH_MEASURE_H_

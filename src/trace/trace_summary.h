// TraceSummary: what the spans of any number of traces come to, by their names and by the models that were opened.
//
//   TraceSummary summary;
//   summary.Add(event);             // of ReadTrace
//   summary.Document();             // {"spans": [{"name", "count", "total_us", …}], "models": […], …}
//
// An open is a span "open" of libtrims's, or, where there is none, a span "serve" of the daemon's; shares are of the time that all
// of them took together. Spans lie within each other, so shares don't add up. Bounded: of names, and of models, beyond the first 512
// all that come are "(other)". Thread-safety: one thread at a time.
#ifndef TRIMS_TRACE_TRACE_SUMMARY_H_
#define TRIMS_TRACE_TRACE_SUMMARY_H_

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "trace/duration_histogram.h"

namespace trims {

class TraceSummary {
 public:
  static constexpr size_t kMostNames = 512;

  // Spans (ph "X") count; what has no duration is passed over.
  void Add(const nlohmann::json& event);
  // The longest, taken together, first.
  nlohmann::json Document() const;

 private:
  using Named = std::map<std::string, DurationHistogram>;

  static void AddTo(Named* named, const std::string& name, Duration took);
  const char* OpensName() const;
  nlohmann::json Rows(const Named& named, const char* title, Duration whole) const;

  Named spans_;
  Named opened_;  // by model: spans "open"
  Named served_;  // likewise: spans "serve"
};

}  // namespace trims

#endif  // TRIMS_TRACE_TRACE_SUMMARY_H_

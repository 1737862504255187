// FollowOpens: the daemon's opens and loads as spans, as they come, until it is enough.
//
//   TRIMS_ASSIGN_OR_RETURN(const Followed followed,
//                          FollowOpens(&admin, {.model = "ocr", .count = 10}, [&](const FollowedBatch& batch) { … }));
//
// Ends well when the time is over, so many opens have come, or the program was interrupted; what was recorded until then is told.
// Thread-safety: one thread at a time.
#ifndef TRIMS_TOOLS_TRIMS_FOLLOW_OPENS_H_
#define TRIMS_TOOLS_TRIMS_FOLLOW_OPENS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trims/admin.h"
#include "trims/status.h"

#include "trace/event_spans.h"

namespace trims::cli {

struct FollowWishes {
  std::string model;                     // empty: all
  std::chrono::milliseconds lasting{0};  // 0: until it is interrupted
  uint64_t count = 0;                    // of opens; 0: without end
  std::function<void()> on_begin = {};   // from when on opens are recorded
};

struct FollowedBatch {
  std::vector<SpanTree> trees;
  uint64_t lost = 0;  // events of any kind that went before they were read
  uint64_t opens_lost = 0;
};

struct Followed {
  uint64_t opens = 0;
  uint64_t spans = 0;
  uint64_t lost = 0;
  uint64_t opens_lost = 0;
};

Result<Followed> FollowOpens(Admin* admin, const FollowWishes& wishes,
                             const std::function<Status(const FollowedBatch&)>& on_batch);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_FOLLOW_OPENS_H_

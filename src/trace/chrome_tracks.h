// ChromeTracks: the daemon's spans as events of a Chrome trace: a process a client with what the daemon did for it, and one,
// "trimsd", with a track a tier.
//
//   ChromeTracks tracks;
//   file.Append(tracks.Text(spans.Take(event)));   // names of new tracks come with the first span on them
//
// What overlaps goes on further tracks of the same process or tier, since a viewer draws what is on one by nesting. Client
// processes have the numbers that the kernel told the daemon; all others are beyond what a kernel gives (2^22).
// Thread-safety: one thread at a time.
#ifndef TRIMS_TRACE_CHROME_TRACKS_H_
#define TRIMS_TRACE_CHROME_TRACKS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trace/event_spans.h"

namespace trims {

class ChromeTracks {
 public:
  static constexpr int64_t kDaemonPid = 5'000'000;

  std::vector<std::string> Text(const std::vector<SpanTree>& trees);

 private:
  using Micros = std::chrono::microseconds;
  struct Group {
    int64_t pid = 0;
    int64_t first_tid = 0;
    std::string title;         // of its first track
    std::vector<Micros> ends;  // of the last span on each track
  };

  Group* GroupOf(const SpanTree& tree, std::vector<std::string>* events);
  static int64_t TrackFor(Group* group, const Span& span, std::vector<std::string>* events);

  std::map<int64_t, Group> clients_;
  std::map<std::string, Group> tiers_;
};

}  // namespace trims

#endif  // TRIMS_TRACE_CHROME_TRACKS_H_

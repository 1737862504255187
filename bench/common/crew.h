// Crew: N processes that start together and put what they measured into memory that all share.
//
//   TRIMS_ASSIGN_OR_RETURN(Crew crew, Crew::Start(64, capacity, work));
//   TRIMS_RETURN_IF_ERROR(crew.Join());
//   for (size_t i = 0; i < crew.size(); ++i) Use(crew.samples(i));
//
// Processes, not threads: functions are processes, and 64 threads would share one descriptor table
// and one address space, whose locks are not what is measured.
#ifndef TRIMS_BENCH_COMMON_CREW_H_
#define TRIMS_BENCH_COMMON_CREW_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims::bench {

// Where one member puts its results. Beyond its capacity samples are counted and not kept.
class SampleSink {
 public:
  void Add(int64_t value) {
    if (count_ < capacity_) samples_[count_] = value;
    ++count_;
  }
  uint64_t count() const { return count_; }
  std::span<const int64_t> samples() const {
    return {samples_, count_ < capacity_ ? count_ : capacity_};
  }

 private:
  friend class Crew;
  uint64_t count_ = 0;
  uint64_t capacity_ = 0;
  int64_t* samples_ = nullptr;
};

// What a member does. It calls `wait_for_start`, which returns the common start time (NowNs), once
// it has connected and warmed up.
using CrewWork = std::function<Status(size_t member, const std::function<int64_t()>& wait_for_start,
                                      SampleSink* sink)>;

class Crew {
 public:
  // Forks the members and waits until all are ready; they start some milliseconds later.
  static Result<Crew> Start(size_t members, size_t capacity, const CrewWork& work);
  Crew(Crew&&) = default;
  ~Crew();  // kills and reaps what is left

  // INTERNAL: a member failed; it has said why on standard error.
  Status Join();
  size_t size() const { return members_; }
  const SampleSink& member(size_t i) const { return sinks_[i]; }

 private:
  Crew() = default;
  void RunMember(size_t member, const CrewWork& work);
  Status ReleaseMembers();

  size_t members_ = 0;
  std::vector<pid_t> pids_;
  std::span<SampleSink> sinks_;               // shared memory, until the process ends
  std::atomic<int64_t>* start_ns_ = nullptr;  // shared memory
  UniqueFd ready_read_, ready_write_, go_read_, go_write_;
};

}  // namespace trims::bench

#endif  // TRIMS_BENCH_COMMON_CREW_H_

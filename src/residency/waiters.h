// Waiters: opens that wait for a segment, their deadlines, and the answers that are due to them.
//
// Answers. A callback may open, cancel or end leases, so none runs while the table is in the middle of
// something: what a segment's waiters are told is put in a queue, and the queue is emptied when the
// outermost Turn ends. Every callback that is ever made is made from there.
//
//   {
//     Waiters::Turn turn(&waiters);
//     waiters.Fail(segment, why);        // nobody is called yet
//   }                                    // now they are
//
// A waiter is answered once, or never if it was cancelled or this object went. Thread-safety: loop
// only.
#ifndef TRIMS_RESIDENCY_WAITERS_H_
#define TRIMS_RESIDENCY_WAITERS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "loop/timer_service.h"
#include "residency/counters.h"
#include "residency/lease.h"

namespace trims {

inline constexpr std::chrono::milliseconds kNoDeadline = std::chrono::milliseconds::max();

class Waiters {
 public:
  // All outlive it.
  Waiters(const Clock* clock, TimerService* timers, Counters* counters)
      : clock_(clock), timers_(timers), counters_(counters) {}
  ~Waiters();
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  // Names the waiter; never 0. `charge` is held as long as it waits. With kNoDeadline it waits until it is answered or cancelled.
  uint64_t Add(uint64_t segment, ImagePtr image, std::chrono::milliseconds deadline,
               OpenCallback done, Charge charge = {});
  // No-op for one that has been answered.
  void Cancel(uint64_t id);

  using GrantLease = std::function<Lease(ImagePtr image, HowOpened opened)>;
  // Answers all that wait for `segment`, in the order in which they came; `grant` makes each its
  // lease.
  void Serve(uint64_t segment, const GrantLease& grant);
  void Fail(uint64_t segment, const Status& why);
  // Only those that opened `image`. The image of the first of the others; nullptr: none is left.
  ImagePtr FailThoseOf(uint64_t segment, const ImagePtr& image, const Status& why);

  size_t size() const { return segment_of_.size(); }
  size_t CountOf(uint64_t segment) const;
  // 0: it has been answered.
  uint64_t SegmentOf(uint64_t id) const;

  // Around all that may answer: see above.
  class Turn {
   public:
    explicit Turn(Waiters* waiters) : waiters_(waiters) { ++waiters_->depth_; }
    ~Turn() {
      if (--waiters_->depth_ == 0) waiters_->Deliver();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Waiters* const waiters_;
  };

  // Called when the outermost Turn has ended and all are answered.
  void SetAfterTurn(std::function<void()> call) { after_turn_ = std::move(call); }

  // Nobody is called back from here on, whatever is still queued.
  void Silence();

 private:
  struct Waiter {
    ImagePtr image;
    OpenCallback done;
    TimePoint began;
    uint64_t timer = 0;
    Charge charge = {};
  };
  struct Answer {
    uint64_t waiter = 0;
    OpenCallback done;
    Result<Lease> result;
  };

  using InOrder = std::map<uint64_t, Waiter>;  // in which they came

  void DeadlinePassed(uint64_t id);
  std::optional<Waiter> Take(uint64_t id);
  InOrder TakeAllOf(uint64_t segment);
  void Answered(uint64_t id, OpenCallback done, Result<Lease> result);
  void Deliver();

  const Clock* const clock_;
  TimerService* const timers_;
  Counters* const counters_;
  uint64_t last_ = 0;
  std::unordered_map<uint64_t, InOrder> of_segment_;  // none without waiters
  std::unordered_map<uint64_t, uint64_t> segment_of_;
  std::list<Answer> answers_;
  std::unordered_map<uint64_t, std::list<Answer>::iterator> answer_of_;  // by waiter
  int depth_ = 0;                                                        // of Turn
  bool delivering_ = false;
  std::function<void()> after_turn_;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_WAITERS_H_

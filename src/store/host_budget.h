// HostBudget and Reservation: the bytes that the host tier may hold, and a move-only claim on some
// of them.
//
//   TRIMS_ASSIGN_OR_RETURN(Reservation room, budget.Reserve(bytes));   // given back when it goes
//
// The budget must outlive its reservations. Thread-safety: a Reservation may end on any thread; the
// counter is atomic.
#ifndef TRIMS_STORE_HOST_BUDGET_H_
#define TRIMS_STORE_HOST_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "trims/status.h"

namespace trims {

class HostBudget;

class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { Release(); }

  uint64_t bytes() const { return bytes_; }
  void Release();

 private:
  friend class HostBudget;
  Reservation(HostBudget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}
  HostBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

class HostBudget {
 public:
  explicit HostBudget(uint64_t limit) : limit_(limit) {}
  HostBudget(const HostBudget&) = delete;
  HostBudget& operator=(const HostBudget&) = delete;

  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

  // TOO_LARGE: more than the whole budget; RESOURCE_EXHAUSTED: more than is free now. Both messages
  // give the numbers.
  Result<Reservation> Reserve(uint64_t bytes);

 private:
  friend class Reservation;
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

// "8GiB", "500MB", "1073741824", or a share of the machine's memory: "50%". INVALID_ARGUMENT says
// what is accepted. `total_memory` is what a share is of: the lower of the machine's memory and the
// daemon's cgroup limit.
Result<uint64_t> ParseByteSize(std::string_view text, uint64_t total_memory);
uint64_t TotalMemory();

}  // namespace trims

#endif  // TRIMS_STORE_HOST_BUDGET_H_

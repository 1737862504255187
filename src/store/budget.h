// Budget and Reservation: the bytes that a tier may hold, and a move-only claim on some of them.
//
//   TRIMS_ASSIGN_OR_RETURN(Reservation room, budget.Reserve(bytes));   // given back when it goes
//
// The budget must outlive its reservations. Thread-safety: loop only.
#ifndef TRIMS_STORE_BUDGET_H_
#define TRIMS_STORE_BUDGET_H_

#include <cstdint>
#include <string>
#include <utility>

#include "trims/status.h"

namespace trims {

class Budget;

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
  friend class Budget;
  Reservation(Budget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}
  Budget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

class Budget {
 public:
  // `tier` is for messages.
  Budget(std::string tier, uint64_t limit) : tier_(std::move(tier)), limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_; }
  uint64_t free() const { return limit_ > used_ ? limit_ - used_ : 0; }

  // May be less than what is used: what was reserved stays so.
  void SetLimit(uint64_t limit) { limit_ = limit; }

  // A hint. A tier's option bears its name, without the number of a device.
  std::string HowToRaise() const;

  // TOO_LARGE: more than the whole budget; RESOURCE_EXHAUSTED: more than is free now. Both messages
  // give the numbers.
  Result<Reservation> Reserve(uint64_t bytes);

 private:
  friend class Reservation;
  const std::string tier_;
  uint64_t limit_;
  uint64_t used_ = 0;
};

}  // namespace trims

#endif  // TRIMS_STORE_BUDGET_H_

// Lease: a client's right to a resident segment; and what an open asks for and is answered with.
//
// Holding one keeps the segment's bytes in the tier. When the last one ends, the reclaim policy
// decides what stays. All leases must have ended before the table that granted them goes.
// Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_LEASE_H_
#define TRIMS_RESIDENCY_LEASE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <variant>

#include "trims/model.h"
#include "trims/status.h"

#include "store/resident_bytes.h"
#include "wire/principal.h"

namespace trims {

class Segment;
class SegmentTable;

// The texts end with the call.
struct OpenParams {
  wire::Principal principal;
  std::string_view reference;  // as the client wrote it
  Variant variant = Variant::kFiles;
  std::string_view variant_key;
  std::string_view tier;                  // empty: the host's memory
  std::chrono::milliseconds deadline{0};  // 0: the default
};

// Move-only; ending it on the loop may evict or free.
class Lease {
 public:
  Lease(Lease&& other) noexcept
      : table_(other.table_),
        segment_(std::exchange(other.segment_, nullptr)),
        info_(std::move(other.info_)) {}
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { End(); }

  const ResidentBytes& bytes() const;
  const OpenInfo& info() const { return info_; }

 private:
  friend class SegmentTable;
  Lease(SegmentTable* table, Segment* segment, OpenInfo info)
      : table_(table), segment_(segment), info_(std::move(info)) {}
  void End();

  SegmentTable* table_;
  Segment* segment_;  // nullptr: moved from
  OpenInfo info_;
};

using OpenCallback = std::function<void(Result<Lease>)>;

// An open that waits for a load. Dropped, it is given up: its callback does not run any more. Once it
// has been answered, dropping it does nothing. Ends before the table that made it.
class OpenWait {
 public:
  OpenWait(OpenWait&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)),
        waiter_(other.waiter_),
        deadline_(other.deadline_) {}
  OpenWait& operator=(OpenWait&& other) noexcept;
  ~OpenWait() { Cancel(); }

  // By when it is answered, counted from the open.
  std::chrono::milliseconds deadline() const { return deadline_; }

 private:
  friend class SegmentTable;
  OpenWait(SegmentTable* table, uint64_t waiter, std::chrono::milliseconds deadline)
      : table_(table), waiter_(waiter), deadline_(deadline) {}
  void Cancel();

  SegmentTable* table_;
  uint64_t waiter_;
  std::chrono::milliseconds deadline_;
};

// How an open is answered at once.
using OpenOutcome = std::variant<Lease, OpenWait>;

}  // namespace trims

#endif  // TRIMS_RESIDENCY_LEASE_H_

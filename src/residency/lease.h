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
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

#include "format/image.h"
#include "residency/namespace_ledger.h"
#include "store/resident_bytes.h"

namespace trims {

class Segment;
class SegmentTable;

// The texts end with the call.
struct OpenParams {
  std::string_view reference;  // as the client wrote it
  Variant variant = Variant::kFiles;
  std::string_view variant_key;
  std::string_view tier;  // its name, its device's or "any"; empty: the host's memory
  std::chrono::milliseconds deadline{0};  // 0: the default
  bool runs = true;                       // whether who asks can map what is put together
};

// Who a lease is for, as its connection knows it.
struct Holder {
  std::string client;  // what it calls itself
  uint64_t uid = 0;
  int64_t pid = 0;
};

// How an open came by its lease.
struct HowOpened {
  bool hit = false;                    // the segment was resident before
  std::chrono::microseconds waited{};  // from the open to its answer
};

// Move-only; ending it on the loop may evict or free.
class Lease {
 public:
  Lease(Lease&& other) noexcept
      : table_(other.table_),
        segment_(std::exchange(other.segment_, nullptr)),
        image_(std::move(other.image_)),
        holder_(std::move(other.holder_)),
        charge_(std::move(other.charge_)),
        opened_(other.opened_),
        with_(std::move(other.with_)),
        counted_(other.counted_) {}
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { End(); }

  const ResidentBytes& bytes() const;
  std::shared_ptr<const ResidentBytes> shared_bytes() const;
  // What was opened. Another model of equal content may have brought the bytes.
  const Image& image() const { return *image_; }
  const HowOpened& opened() const { return opened_; }
  std::string_view tier() const;
  uint64_t load() const;            // the number of the tier's load that brought the bytes
  std::string_view device() const;  // whose memory it is; empty: no device's
  std::string_view device_uuid() const;
  // Of an image that is put together, bytes() are what it has itself, and these are the leases on what it borrows, in the order
  // of its parts. They count for nothing where leases are counted.
  std::span<const Lease> borrowed() const { return with_; }
  // Whether it keeps that content in that tier.
  bool Keeps(std::string_view tier, std::string_view key) const;
  // Remembered beyond its end, for the case that the bytes stay with somebody.
  void SetHolder(std::shared_ptr<const Holder> holder);

 private:
  friend class SegmentTable;
  Lease(SegmentTable* table, Segment* segment, ImagePtr image, Charge charge, HowOpened opened)
      : table_(table),
        segment_(segment),
        image_(std::move(image)),
        charge_(std::move(charge)),
        opened_(opened) {}
  void End();

  SegmentTable* table_;
  Segment* segment_;  // nullptr: moved from
  ImagePtr image_;
  std::shared_ptr<const Holder> holder_;  // nullptr: the daemon itself
  Charge charge_;
  HowOpened opened_;
  std::vector<Lease> with_;
  bool counted_ = true;
};

using OpenCallback = std::function<void(Result<Lease>)>;

// An open that waits for a load. Dropped, it is given up: its callback does not run any more. Once it
// has been answered, dropping it does nothing. Ends before the table that made it.
class OpenWait {
 public:
  OpenWait(OpenWait&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)),
        waiter_(other.waiter_),
        deadline_(other.deadline_),
        joined_(other.joined_) {}
  OpenWait& operator=(OpenWait&& other) noexcept;
  ~OpenWait() { Cancel(); }

  // By when it is answered, counted from the open.
  std::chrono::milliseconds deadline() const { return deadline_; }
  // Whether the load was on its way, or waited for, before.
  bool joined() const { return joined_; }
  // How far the load is that it waits for; it begins anew where that one failed and another name's
  // files, of equal content, are tried. Nothing once it is answered.
  std::optional<LoadProgress> progress() const;
  // The number of that load, in its tier; 0: none yet, or answered.
  uint64_t load() const;

 private:
  friend class SegmentTable;
  OpenWait(SegmentTable* table, uint64_t waiter, std::chrono::milliseconds deadline, bool joined)
      : table_(table), waiter_(waiter), deadline_(deadline), joined_(joined) {}
  void Cancel();

  SegmentTable* table_;
  uint64_t waiter_;
  std::chrono::milliseconds deadline_;
  bool joined_;
};

// How an open is answered at once.
using OpenOutcome = std::variant<Lease, OpenWait>;

}  // namespace trims

#endif  // TRIMS_RESIDENCY_LEASE_H_

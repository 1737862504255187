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
#include <string>

#include "trims/model.h"
#include "trims/status.h"

#include "store/resident_bytes.h"
#include "wire/principal.h"

namespace trims {

class SegmentTable;

struct OpenParams {
  wire::Principal principal;
  std::string reference;
  Variant variant = Variant::kFiles;
  std::string variant_key;
  std::chrono::milliseconds deadline{0};  // 0: the default
};

// Move-only; ending it on the loop may evict or free.
class Lease {
 public:
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  const ResidentBytes& bytes() const;
  const OpenInfo& info() const;

 private:
  friend class SegmentTable;
  struct Impl;
  explicit Lease(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

using OpenCallback = std::function<void(Result<Lease>)>;
// Names an open that waits; never 0.
using WaiterId = uint64_t;

}  // namespace trims

#endif  // TRIMS_RESIDENCY_LEASE_H_

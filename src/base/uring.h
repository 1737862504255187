// Uring: a ring of reads that the kernel does while this process goes on: the owner of an io_uring(7),
// behind base/fault.h.
//
//   TRIMS_ASSIGN_OR_RETURN(Uring ring, Uring::Create(64));
//   ring.Prepare({.fd = fd, .offset = 0, .destination = bytes, .tag = 7});
//   if (ring.Submit() < 1) return …;     // the kernel refused it: it won't come back
//   const Uring::Done done = ring.Wait();  // done.tag == 7; done.result as of pread(2)
//
// What was submitted is the kernel's until Wait() gave it back: the descriptor stays open and the
// destination is there. Destroying a ring waits for nothing, so nothing may be in flight then.
// Thread-safety: one thread at a time.
#ifndef TRIMS_BASE_URING_H_
#define TRIMS_BASE_URING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "trims/status.h"

struct io_uring;

namespace trims {

class Uring {
 public:
  struct Read {
    int fd = -1;
    uint64_t offset = 0;
    std::span<std::byte> destination;
    size_t tag = 0;                 // the caller's; comes back
    bool on_kernel_thread = false;  // where it may take the processor: copying from the page cache
  };
  struct Done {
    size_t tag = 0;
    int64_t result = 0;  // bytes, which may be fewer; or -errno
  };

  // A ring that `entries` reads fit into. UNIMPLEMENTED, PERMISSION_DENIED: this kernel, a sysctl or a
  // container's seccomp profile refuses io_uring; RESOURCE_EXHAUSTED. Fault injection:
  // fault::Op::kRingSetup.
  static Result<Uring> Create(unsigned entries);
  Uring(Uring&&) noexcept;
  Uring& operator=(Uring&&) noexcept;
  ~Uring();

  // At most `entries` between two Submits.
  void Prepare(const Read& read);
  // How many of the reads that were prepared, from the first on, the kernel has taken. Those that it
  // refused it never will: the ring takes no more then. Fault injection: fault::Op::kRingSubmit.
  size_t Submit();
  // The next read that ends; waits for it. Not while nothing is in flight. Fault injection:
  // fault::Op::kRead and kShortRead.
  Done Wait();

 private:
  struct Close {
    void operator()(io_uring* ring) const;
  };
  explicit Uring(std::unique_ptr<io_uring, Close> ring) : ring_(std::move(ring)) {}

  std::unique_ptr<io_uring, Close> ring_;
  size_t prepared_ = 0;
};

}  // namespace trims

#endif  // TRIMS_BASE_URING_H_

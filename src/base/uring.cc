#include "base/uring.h"

#include <liburing.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/errno_status.h"
#include "base/fault.h"

namespace trims {
namespace {

int SetUp(unsigned entries, io_uring* ring) {
  if (const int error = fault::Check(fault::Op::kRingSetup); error != 0) return -error;
  // What ended is looked for when this thread waits: it need not be interrupted. Since Linux 5.19.
  const int result = ::io_uring_queue_init(entries, ring, IORING_SETUP_COOP_TASKRUN);
  return result == -EINVAL ? ::io_uring_queue_init(entries, ring, 0) : result;
}

int64_t Faulted(int64_t result) {
  if (const int error = fault::Check(fault::Op::kRead); error != 0) return -error;
  const bool cut = result > 1 && fault::Check(fault::Op::kShortRead) != 0;
  return cut ? result / 2 : result;
}

}  // namespace

void Uring::Close::operator()(io_uring* ring) const {
  ::io_uring_queue_exit(ring);
  delete ring;
}

Result<Uring> Uring::Create(unsigned entries) {
  auto ring = std::make_unique<io_uring>();
  if (const int result = SetUp(entries, ring.get()); result < 0) {
    return ErrnoStatus("io_uring_setup", -result);
  }
  return Uring(std::unique_ptr<io_uring, Close>(ring.release()));
}

Uring::Uring(Uring&&) noexcept = default;
Uring& Uring::operator=(Uring&&) noexcept = default;
Uring::~Uring() = default;

void Uring::Prepare(const Read& read) {
  io_uring_sqe* const entry = ::io_uring_get_sqe(ring_.get());
  ::io_uring_prep_read(entry, read.fd, read.destination.data(),
                       static_cast<unsigned>(read.destination.size()), read.offset);
  if (read.on_kernel_thread) ::io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
  ::io_uring_sqe_set_data64(entry, read.tag);
  ++prepared_;
}

size_t Uring::Submit() {
  size_t taken = 0;
  while (taken < prepared_) {
    const int error = fault::Check(fault::Op::kRingSubmit);
    const int result = error != 0 ? -error : ::io_uring_submit(ring_.get());
    if (result == -EINTR) continue;
    if (result <= 0) break;
    taken += static_cast<size_t>(result);
  }
  prepared_ = 0;
  return taken;
}

// It fails when a signal comes, and is asked again: there is something in flight, so something comes.
Uring::Done Uring::Wait() {
  io_uring_cqe* entry = nullptr;
  while (::io_uring_wait_cqe(ring_.get(), &entry) != 0) {
  }
  const Done done{.tag = ::io_uring_cqe_get_data64(entry), .result = Faulted(entry->res)};
  ::io_uring_cqe_seen(ring_.get(), entry);
  return done;
}

}  // namespace trims

#include "load/extent_hasher.h"

#include <algorithm>
#include <utility>

#include "base/macros.h"
#include "base/sha256.h"
#include "base/thread.h"

namespace trims {
namespace {

// Hashed between two looks at the control: a few milliseconds.
constexpr uint64_t kStep = uint64_t{4} << 20;

}  // namespace

ExtentHasher::ExtentHasher(Extents extents, FillControl* control)
    : extents_(std::move(extents)),
      control_(control),
      digests_(extents_.size()),
      ready_(extents_.size()) {}

Result<std::unique_ptr<ExtentHasher>> ExtentHasher::Start(Extents extents, size_t threads,
                                                          FillControl* control) {
  std::unique_ptr<ExtentHasher> hasher(new ExtentHasher(std::move(extents), control));
  const size_t useful = std::min(threads, hasher->extents_.size());
  for (size_t i = 0; i < useful; ++i) {
    TRIMS_ASSIGN_OR_RETURN(std::thread thread,
                           StartThread([hasher = hasher.get()] { hasher->HashAll(); }));
    hasher->threads_.push_back(std::move(thread));
  }
  return hasher;
}

ExtentHasher::~ExtentHasher() {
  Stop();
  Join();
}

void ExtentHasher::Ready(size_t extent, uint64_t end) {
  MutexLock lock(mutex_);
  ready_[extent] = end;
  changed_.NotifyAll();
}

Result<std::vector<std::string>> ExtentHasher::Finish() {
  threads_.empty() ? HashAll() : Join();
  if (control_->cancelled()) return Status(StatusCode::kCancelled, "the fill was given up");
  return std::move(digests_);
}

void ExtentHasher::HashAll() {
  for (size_t extent; Claim(&extent);) HashExtent(extent);
}

void ExtentHasher::HashExtent(size_t extent) {
  const std::span<const std::byte> bytes = extents_[extent];
  Sha256 hash;
  for (uint64_t hashed = 0; hashed < bytes.size();) {
    const uint64_t ready = WaitBeyond(extent, hashed);
    if (ready == 0) return;
    const uint64_t step = std::min(ready - hashed, kStep);
    hash.Update(bytes.subspan(hashed, step));
    control_->Advance(step);
    hashed += step;
  }
  digests_[extent] = hash.FinishHex();
}

bool ExtentHasher::Claim(size_t* extent) {
  MutexLock lock(mutex_);
  *extent = next_extent_;
  if (stopped_ || next_extent_ == extents_.size()) return false;
  ++next_extent_;
  return true;
}

uint64_t ExtentHasher::WaitBeyond(size_t extent, uint64_t hashed) {
  MutexLock lock(mutex_);
  while (!stopped_ && !control_->cancelled() && ready_[extent] <= hashed) changed_.Wait(mutex_);
  return stopped_ || control_->cancelled() ? 0 : ready_[extent];
}

void ExtentHasher::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

void ExtentHasher::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace trims

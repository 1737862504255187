#include "load/chunk_hasher.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/macros.h"
#include "base/thread.h"
#include "format/chunk_digests.h"

namespace trims {

ChunkHasher::ChunkHasher(const std::vector<Extent>& extents, FillControl* control)
    : control_(control) {
  states_.reserve(extents.size());
  for (const Extent& extent : extents) {
    State& state = states_.emplace_back();
    state.extent = extent;
    const size_t chunks = ChunkCount(extent.bytes.size());
    if (extent.kind != DigestKind::kSha256) state.xxh3.resize(chunks);
    if (extent.kind != DigestKind::kXxh3) state.sha256s.resize(chunks);
  }
}

Result<std::unique_ptr<ChunkHasher>> ChunkHasher::Start(const std::vector<Extent>& extents,
                                                        size_t threads, FillControl* control) {
  std::unique_ptr<ChunkHasher> hasher(new ChunkHasher(extents, control));
  for (size_t i = 0; i < threads; ++i) {
    TRIMS_ASSIGN_OR_RETURN(std::thread thread,
                           StartThread([hasher = hasher.get()] { hasher->HashAll(); }));
    hasher->threads_.push_back(std::move(thread));
  }
  return hasher;
}

ChunkHasher::~ChunkHasher() {
  Stop();
  Join();
}

void ChunkHasher::Ready(size_t extent, uint64_t end) {
  MutexLock lock(mutex_);
  states_[extent].ready = end;
  changed_.NotifyAll();
}

Result<std::vector<ExtentDigests>> ChunkHasher::Finish() {
  HashAll();
  Join();
  if (control_->cancelled()) return Status(StatusCode::kCancelled, "the fill was given up");
  std::vector<ExtentDigests> digests;
  digests.reserve(states_.size());
  for (State& state : states_) {
    const bool tree = state.extent.kind != DigestKind::kXxh3;
    digests.push_back({tree ? TreeDigest(state.sha256s) : std::string(), std::move(state.xxh3)});
  }
  return digests;
}

void ChunkHasher::HashAll() {
  for (Claimed claimed; Claim(&claimed);) Hash(claimed);
}

void ChunkHasher::Hash(const Claimed& claimed) {
  State& state = *claimed.state;
  const std::span<const std::byte> rest =
      state.extent.bytes.subspan(claimed.chunk * kDigestChunkBytes);
  const std::span<const std::byte> chunk =
      rest.first(std::min<size_t>(rest.size(), kDigestChunkBytes));
  const SteadyClock clock;
  const TimePoint began = clock.Now();
  if (state.extent.kind != DigestKind::kSha256) state.xxh3[claimed.chunk] = Xxh3Of(chunk);
  if (state.extent.kind != DigestKind::kXxh3) {
    Sha256 hash;
    hash.Update(chunk);
    state.sha256s[claimed.chunk] = hash.Finish();
  }
  control_->AddHashing(clock.Now() - began);
  control_->Advance(chunk.size());
}

bool ChunkHasher::Claim(Claimed* claimed) {
  MutexLock lock(mutex_);
  while (!stopped_ && !control_->cancelled() && !AllClaimed()) {
    if (ClaimReady(claimed)) return true;
    changed_.Wait(mutex_);
  }
  return false;
}

bool ChunkHasher::ClaimReady(Claimed* claimed) {
  for (State& state : states_) {
    const uint64_t length = state.extent.bytes.size();
    if (state.next == ChunkCount(length)) continue;
    const uint64_t end = std::min<uint64_t>((state.next + 1) * kDigestChunkBytes, length);
    if (state.ready < end) continue;
    *claimed = {&state, state.next++};
    return true;
  }
  return false;
}

bool ChunkHasher::AllClaimed() const {
  return std::all_of(states_.begin(), states_.end(), [](const State& state) {
    return state.next == ChunkCount(state.extent.bytes.size());
  });
}

void ChunkHasher::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

void ChunkHasher::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace trims

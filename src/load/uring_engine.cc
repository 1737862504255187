#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/uring.h"
#include "load/read_engine.h"

namespace trims {
namespace {

constexpr size_t kRequests = 32;
constexpr size_t kBlocks = 64;
constexpr size_t kBlockBytes = size_t{1} << 20;
// With fewer of them, copying from the page cache on another thread takes as long.
constexpr unsigned kProcessorsToShare = 3;

// What the kernel asks of a file is more than ReadAt() does; other failures are those of ReadAt().
bool ReadAtMayDoBetter(int64_t result) {
  return result >= 0 || result == -EINVAL || result == -EOPNOTSUPP || result == -EAGAIN;
}

class UringEngine final : public ReadEngine {
 public:
  explicit UringEngine(Uring ring) : ring_(std::move(ring)) {}
  ~UringEngine() override {
    while (in_ring_ > 0) Reap();
  }

  size_t depth() const override { return kRequests; }
  size_t in_flight() const override { return in_flight_; }

  void Submit(ReadRequest request) override {
    ++in_flight_;
    const auto slot =
        std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.request.file; });
    slot->request = std::move(request);
    const std::span<std::byte> all = slot->request.destination;
    const size_t pages = all.size() / kPageSize * kPageSize;
    Cut(&*slot, slot->request.offset, all.first(pages));
    Cut(&*slot, slot->request.offset + pages, all.subspan(pages));
    Pump();
  }

  ReadDone Wait() override {
    while (ended_.empty()) {
      Reap();
      Pump();
    }
    ReadDone done = std::move(ended_.front());
    ended_.pop_front();
    --in_flight_;
    return done;
  }

 private:
  struct Slot {
    ReadRequest request;  // without file: free
    size_t blocks = 0;    // that have not ended
    Status status;
  };
  struct Block {
    Slot* slot = nullptr;
    RandomAccess::Descriptor from;
    uint64_t offset = 0;
    std::span<std::byte> destination;
  };

  // [offset, …) of a request, all of which is read in the same way.
  void Cut(Slot* slot, uint64_t offset, std::span<std::byte> part) {
    if (part.empty()) return;
    const RandomAccess::Descriptor from = slot->request.file->DescriptorFor(offset, part);
    while (!part.empty()) {
      const std::span<std::byte> block = part.first(std::min(part.size(), kBlockBytes));
      waiting_.push_back({slot, from, offset, block});
      ++slot->blocks;
      offset += block.size();
      part = part.subspan(block.size());
    }
  }

  // Brings as many of those that wait into the ring as it holds.
  void Pump() {
    std::vector<size_t> prepared;
    while (!waiting_.empty() && in_ring_ < kBlocks) {
      const Block block = waiting_.front();
      waiting_.pop_front();
      if (refused_ || block.from.fd < 0) {
        ReadHere(block, 0);
      } else {
        prepared.push_back(Prepare(block));
      }
    }
    if (prepared.empty()) return;
    const size_t taken = ring_.Submit();
    refused_ = taken < prepared.size();
    for (size_t i = taken; i < prepared.size(); ++i) ReadHere(TakeOut(prepared[i]), 0);
  }

  size_t Prepare(const Block& block) {
    const auto place = std::find_if(blocks_.begin(), blocks_.end(),
                                    [](const Block& b) { return b.slot == nullptr; });
    *place = block;
    ++in_ring_;
    const auto tag = static_cast<size_t>(place - blocks_.begin());
    ring_.Prepare({.fd = block.from.fd,
                   .offset = block.offset,
                   .destination = block.destination,
                   .tag = tag,
                   .on_kernel_thread = !block.from.direct && share_copies_});
    return tag;
  }

  Block TakeOut(size_t tag) {
    --in_ring_;
    return std::exchange(blocks_[tag], Block());
  }

  void Reap() {
    const Uring::Done done = ring_.Wait();
    const Block block = TakeOut(done.tag);
    if (done.result == static_cast<int64_t>(block.destination.size())) {
      End(block.slot, Status());
    } else if (ReadAtMayDoBetter(done.result)) {
      ReadHere(block, static_cast<size_t>(std::max<int64_t>(done.result, 0)));
    } else {
      const std::string& name = block.slot->request.file->name();
      End(block.slot, ErrnoStatus("reading '" + name + "'", static_cast<int>(-done.result)));
    }
  }

  // What follows the first `done` bytes of a block.
  void ReadHere(const Block& block, size_t done) {
    End(block.slot,
        block.slot->request.file->ReadAt(block.offset + done, block.destination.subspan(done)));
  }

  void End(Slot* slot, Status status) {
    if (slot->status.ok()) slot->status = std::move(status);
    if (--slot->blocks > 0) return;
    const Slot ended = std::exchange(*slot, Slot());  // lets go of the file
    ended_.push_back({ended.request.tag, ended.status});
  }

  const bool share_copies_ = std::thread::hardware_concurrency() >= kProcessorsToShare;
  Uring ring_;
  bool refused_ = false;  // the kernel takes no more: the rest is read here
  size_t in_flight_ = 0;  // requests
  size_t in_ring_ = 0;    // blocks
  std::array<Slot, kRequests> slots_;
  std::array<Block, kBlocks> blocks_;  // in the ring, by tag; free ones have no slot
  std::deque<Block> waiting_;          // for a place in the ring
  std::deque<ReadDone> ended_;
};

}  // namespace

Result<std::unique_ptr<ReadEngine>> MakeUringEngine() {
  TRIMS_ASSIGN_OR_RETURN(Uring ring, Uring::Create(kBlocks));
  return std::unique_ptr<ReadEngine>(std::make_unique<UringEngine>(std::move(ring)));
}

}  // namespace trims

// Tier: a place where images can be resident, as the residency code sees it: a name, a budget, a way to
// fill and a way to let go.
//
// The host's memory is one (host_tier.h); a device's memory is another behind the same four members.
// What is resident, who holds it and what goes is not a tier's business but SegmentTable's.
//
//   tier->Fill({.image = image, .control = control},
//              [](Result<ResidentBytes> bytes) { … });
//   tier->Release(std::move(bytes), {.freed = [] { … }});
//
// Thread-safety: members are called on the loop and return at once; what blocks runs on the tier's own
// threads. Completions run on the loop, never inside the call.
#ifndef TRIMS_LOAD_TIER_H_
#define TRIMS_LOAD_TIER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "base/clock.h"
#include "base/mapping.h"
#include "format/image.h"
#include "load/fill_feed.h"
#include "store/budget.h"
#include "store/machine_memory.h"
#include "store/memory_keepers.h"
#include "store/memory_watch.h"
#include "store/resident_bytes.h"

namespace trims {

// Shared by the loop and the threads that fill: how far they are, and whether to go on. Any thread.
class FillControl {
 public:
  // Read and hashed so far; only rises. Whether they are the right ones is known at the end.
  uint64_t bytes_done() const { return bytes_done_.load(std::memory_order_relaxed); }
  void Advance(uint64_t bytes) { bytes_done_.fetch_add(bytes, std::memory_order_relaxed); }

  // What the hashers took so far, all together: they work side by side, and beside the reading.
  Duration hashing() const { return Duration(hashing_ns_.load(std::memory_order_relaxed)); }
  void AddHashing(Duration took) { hashing_ns_.fetch_add(took.count(), std::memory_order_relaxed); }

  // The filling threads look between chunks; what waits for a network is woken.
  void Cancel() { token_.Cancel(); }
  bool cancelled() const { return token_.cancelled(); }
  CancelToken* token() { return &token_; }

  // The tier's memory did not suffice, though its budget did: others may have it. Told before the fill ends with it.
  bool out_of_memory() const { return out_of_memory_.load(std::memory_order_relaxed); }
  void SetOutOfMemory() { out_of_memory_.store(true, std::memory_order_relaxed); }

  // For whoever follows this fill. One that nobody may follow ends it and says nothing else.
  FillFeed* feed() { return &feed_; }

 private:
  std::atomic<uint64_t> bytes_done_{0};
  std::atomic<int64_t> hashing_ns_{0};
  std::atomic<bool> out_of_memory_{false};
  CancelToken token_;
  FillFeed feed_;
};

struct FillRequest {
  ImagePtr image;
  // The image in the tier beneath, where there is one. Only the loop lets go of it, but at the table's end. nullptr: fill
  // from `follow`, if it is there, else from the image's files.
  std::shared_ptr<const ResidentBytes> beneath;
  // Of a piece that is brought from several parts: those behind the first, which is `beneath` (Image::from).
  std::vector<std::shared_ptr<const ResidentBytes>> others = {};
  std::string peer;  // the UUID of the device whose memory `beneath` is; empty: the tier's beneath
  // A fill of the image in the tier beneath that goes on: its feed always ends.
  std::shared_ptr<FillControl> follow;
  std::shared_ptr<FillControl> control;
};

class Tier {
 public:
  virtual ~Tier() = default;

  virtual std::string_view name() const = 0;  // "host", "device:0"
  // Of the device whose memory it is: "sim:0"; empty: no device's.
  virtual std::string_view device() const { return {}; }
  virtual std::string_view device_uuid() const { return {}; }
  // The caller reserves from it before it fills, and gives back after Release() is done.
  virtual Budget& budget() = 0;
  // What a budget in per cent is a share of.
  virtual uint64_t capacity() const { return ReadMachineMemory().total; }
  // What an image takes of it.
  virtual uint64_t FootprintOf(const Image& image) const { return image.footprint; }
  // Where pieces of a model may begin (format/device_forms.h): bytes; 0: none can be put together here.
  virtual uint64_t granule() const { return kHugePageSize; }
  // Whether it can be filled from what is resident in `peer`, as far as can be told before.
  virtual bool TakesFrom(const Tier& /*peer*/) const { return false; }
  // Whether that is quicker than from the tier beneath.
  virtual bool peers_first() const { return false; }
  // Whether its fills can be followed (FillControl::feed).
  virtual bool feeds() const { return false; }

  // UNIMPLEMENTED: nothing comes from that peer. DATA_LOSS: the bytes are not those of the image; NOT_FOUND: its files are gone;
  // RESOURCE_EXHAUSTED: no memory or descriptors; CANCELLED: the control was cancelled in time.
  virtual void Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) = 0;
  // Bytes of the image that came here by another way than Fill, in about the time that one would have taken. May be done
  // inside this call.
  virtual void TakeIn(FillRequest /*request*/, Duration /*load_time*/, ResidentBytes bytes,
                      std::function<void(Result<ResidentBytes>)> done) {
    done(std::move(bytes));
  }
  // Freeing takes time; the room is free when `freed` runs. Where somebody else still has some of the memory once this
  // tier has let go of it, `kept` runs before that.
  virtual void Release(ResidentBytes bytes, LetGoCalls calls) = 0;
  // Which processes those are, as far as this one may see. May be done inside this call.
  virtual void FindKeepers(std::vector<MemoryId> /*memory*/,
                           std::function<void(std::vector<MemoryKeeper>)> done) {
    done({});
  }
};

}  // namespace trims

#endif  // TRIMS_LOAD_TIER_H_

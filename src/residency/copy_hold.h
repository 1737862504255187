// CopyHold: a tier above has a copy of what has this key, and means the one beneath to stay as long (HostCopy::kPin).
//
//   CopyHold hold(&host, segment.key());  // nothing there with this key goes for room until it ends
//
// It holds for whatever segment has the key, also for one that only comes. Ending it may reclaim. The table beneath outlives it.
// Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_COPY_HOLD_H_
#define TRIMS_RESIDENCY_COPY_HOLD_H_

#include <string>
#include <utility>

namespace trims {

class SegmentTable;

class CopyHold {
 public:
  CopyHold(SegmentTable* beneath, std::string key);
  CopyHold(CopyHold&& other) noexcept
      : beneath_(std::exchange(other.beneath_, nullptr)), key_(std::move(other.key_)) {}
  CopyHold& operator=(CopyHold&&) = delete;
  ~CopyHold();

 private:
  SegmentTable* beneath_;  // nullptr: moved from
  std::string key_;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_COPY_HOLD_H_

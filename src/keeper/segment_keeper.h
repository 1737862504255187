// SegmentKeeper: what of the host's memory outlives the daemon: gives what becomes resident to a DescriptorKeeper,
// takes it back when it goes, and has, from the start on, what the daemon before left.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<SegmentKeeper> keeper, SegmentKeeper::Start(options, std::move(link)));
//   if (std::optional<ResidentBytes> bytes = keeper->TakeHanded(*image)) return *std::move(bytes);   // a fill
//   keeper->Keep(*image, load_time, &bytes);                                                         // after one
//   keeper->LetGo(bytes);              // before the bytes are freed
//   keeper->Leave();                   // the daemon stops, and another one comes
//
// To be kept is a help and no more: whatever fails is a line of the log, and costs the next daemon a load. What is
// handed over is trusted only as far as CheckHanded() and the record go. Thread-safety: safe; calls that ask the keeper
// wait for it, so they belong on a worker thread, but for those at start and end.
#ifndef TRIMS_KEEPER_SEGMENT_KEEPER_H_
#define TRIMS_KEEPER_SEGMENT_KEEPER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "format/image.h"
#include "keeper/descriptor_keeper.h"
#include "keeper/kept_record.h"
#include "store/host_memory.h"
#include "store/resident_bytes.h"

namespace trims {

class SegmentKeeper {
 public:
  struct Options {
    std::string records;  // the folder
    HugePagePolicy pages = HugePagePolicy::kBest;
    // Segments beyond are dropped: what keeps the descriptors of a table that is too small could serve nobody.
    size_t most_descriptors = SIZE_MAX;
  };

  // Looks at all that is handed over; what is not as it should be is dropped.
  static Result<std::unique_ptr<SegmentKeeper>> Start(const Options& options,
                                                      std::unique_ptr<DescriptorKeeper> keeper);
  SegmentKeeper(const SegmentKeeper&) = delete;
  SegmentKeeper& operator=(const SegmentKeeper&) = delete;

  std::string_view name() const { return keeper_name_; }  // the DescriptorKeeper's

  // Of the daemon before, and not taken yet.
  bool IsHanded(const Image& image) const;
  bool IsHandedFor(const Image& image) const;      // and was loaded for this name
  bool IsHandedAndLent(const Image& image) const;  // and open in a process that got it from there
  std::optional<ResidentBytes> TakeHanded(const Image& image);
  // Nobody wants the rest.
  void DropHanded();

  // Marks them as lent; they are kept from then on if `bytes->kept_as` says so.
  void Keep(const Image& image, Duration load_time, ResidentBytes* bytes);
  void LetGo(const ResidentBytes& bytes);

  // From here on nothing is given or taken back any more: all stays as it is for the next daemon.
  void Leave();
  // Instead: there is none.
  void End();

 private:
  SegmentKeeper(const Options& options, std::unique_ptr<DescriptorKeeper> keeper)
      : options_(options),
        keeper_name_(keeper->name()),
        records_(options.records),
        keeper_(std::move(keeper)) {}

  Status TakeAll();
  Result<ResidentBytes> Check(KeptDescriptors kept, size_t descriptors) const;
  Status Give(const Image& image, Duration load_time, const ResidentBytes& bytes);
  void Drop(const std::string& label);

  const Options options_;
  const std::string keeper_name_;
  const KeptRecords records_;
  mutable Mutex handed_mutex_;
  std::map<std::string, ResidentBytes> handed_ TRIMS_GUARDED_BY(handed_mutex_);  // by label
  Mutex keeper_mutex_;
  std::unique_ptr<DescriptorKeeper> keeper_ TRIMS_GUARDED_BY(keeper_mutex_);  // nullptr: left
  bool told_lost_ TRIMS_GUARDED_BY(keeper_mutex_) = false;
};

}  // namespace trims

#endif  // TRIMS_KEEPER_SEGMENT_KEEPER_H_

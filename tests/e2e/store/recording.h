// Recording: every change to the disk that a daemon which is started with environment() and arguments() makes, it and
// its preparers, in order; and the faults that it meets (record_area.h).
//
//   Recording recording(folder.path());
//   DaemonProcess daemon(folder.path(), recording.arguments(), recording.environment());
//   const size_t begin = recording.size();
//   …
//   for (const Record& record : recording.Records()) disk.Apply(record);
//
// One recording, one daemon after the other. Thread-safety: size() and NoteDamage() from any thread, the rest none.
#ifndef TRIMS_TESTS_E2E_STORE_RECORDING_H_
#define TRIMS_TESTS_E2E_STORE_RECORDING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapping.h"
#include "e2e/store/record_area.h"

namespace trims::test {

// Views into the recording.
struct Record {
  Change change = Change::kSync;
  uint64_t file = 0;
  uint64_t folder = 0;
  uint64_t other_folder = 0;
  uint64_t number = 0;
  std::string_view name;
  std::string_view data;
};

class Recording {
 public:
  // Makes a file and a program in `folder`, beneath which the daemon keeps its data. `root`: beneath it changes can
  // be made to fail.
  Recording(const std::string& folder, const std::string& root);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  std::vector<std::string> arguments() const { return {"--preparer", preparer_}; }
  std::vector<std::string> environment() const;

  uint64_t size() const;                // a position: what has been recorded lies before it
  void Rewind();                        // forgets all of it
  std::vector<Record> Records() const;  // once nobody records any more
  std::vector<uint64_t> Ends() const;   // the position behind each of them

  // Changes a byte of a file, as a bad disk does, and records that.
  void Damage(const std::string& path, uint64_t offset);

  // From the one after the next `after` on, all changes of the disk fail; with 0 for `error`, none.
  void FailChanges(int error, int64_t after = 0);
  // Only syncs of files whose names end in `suffix`.
  void FailSyncs(const std::string& suffix, int error);
  void ShiftClock(int64_t seconds) { area().clock_shift.store(seconds); }

 private:
  RecordArea& area() const { return *reinterpret_cast<RecordArea*>(map_.data()); }

  std::string file_;
  std::string preparer_;
  mutable Mapping map_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_E2E_STORE_RECORDING_H_

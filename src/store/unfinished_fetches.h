// What fetches that were cut off have left on the disk for the next to go on with: copies in published folders
// (kUnfinishedJournal), and downloads (prepared_folders.h).
//
// What takes a path blocks: it runs on the store's worker. Thread-safety: safe, for distinct folders.
#ifndef TRIMS_STORE_UNFINISHED_FETCHES_H_
#define TRIMS_STORE_UNFINISHED_FETCHES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace trims::prepared {

struct UnfinishedFetch {
  std::string folder;                       // its name in the store
  uint64_t bytes = 0;                       // of the disk that it takes
  std::filesystem::file_time_type touched;  // when somebody went on with it last
};

// Of a published folder or a download: 0: there is nothing to go on with.
uint64_t UnfinishedBytes(const std::string& path);

// Pure: those that go: touched more than kDownloadDays before `now`, and of the others the oldest, so that at most
// `most` bytes stay.
std::vector<UnfinishedFetch> TooOldOrMany(std::vector<UnfinishedFetch> found, uint64_t most,
                                          std::filesystem::file_time_type now);

// At a start, when nothing is fetched: removes those, `most` being what the disk of `root` has free, and what a crash
// left half written that nobody can go on with. `named` are the published folders that stay. What is left: bytes by
// the folder's name.
std::map<std::string, uint64_t> ClearUnfinished(const std::string& root,
                                                const std::set<std::string>& named);

}  // namespace trims::prepared

#endif  // TRIMS_STORE_UNFINISHED_FETCHES_H_

// Disk: what a disk holds of a daemon's folder, and what of it a power cut may leave.
//
// It follows the changes of a recording. What was synced is on the disk: a file's bytes by its own sync, a name by the
// sync of a folder that it stands in (a rename is one change, of both its folders). Of all else, a cut keeps or drops each
// change by itself: an unsynced write whole, torn at 512 or 4096 bytes, or not at all; a length without its bytes;
// an unsynced name or not. Only what can't be without an earlier change brings that along.
// That is harsher than the file systems that there are.
//
//   Disk disk(folder);
//   for (const Record& record : before_the_cut) disk.Apply(record);
//   disk.WriteAfterCut("data", another_folder, &random);
//
// Thread-safety: none; copies are independent.
#ifndef TRIMS_TESTS_E2E_STORE_DISK_H_
#define TRIMS_TESTS_E2E_STORE_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "e2e/store/recording.h"

namespace trims::test {

using Random = std::mt19937;

class Disk {
 public:
  // With all that is in `folder` now, synced.
  explicit Disk(const std::string& folder);

  void Apply(const Record& record);

  // The folder `name` of the root's, with all in it, into `folder`: with every change, or as after a cut.
  void Write(const std::string& name, const std::string& folder) const;
  void WriteAfterCut(const std::string& name, const std::string& folder, Random* random) const;

 private:
  using Id = size_t;
  using Tree = std::map<Id, std::map<std::string, Id>>;  // what each folder holds

  struct Pending {
    bool resize = false;
    uint64_t at = 0;
    std::string data;
  };
  struct File {
    bool is_folder = false;
    std::string synced;
    std::vector<Pending> pending;
  };
  // A change of names.
  struct Naming {
    Change change = Change::kMakeFile;
    bool synced = false;
    Id file = 0;
    Id folder = 0;
    Id other_folder = 0;
    std::string name;
    std::string other_name;
    uint64_t flags = 0;
  };

  Id Add(uint64_t inode, bool is_folder);
  void Load(const std::string& path, Id folder);
  void Sync(Id id);
  void AddNaming(const Record& record);
  static bool Touches(const Naming& naming, Id folder, const std::string& name);
  static bool TryNaming(const Naming& naming, Tree* tree);
  std::vector<size_t> Needed(const Naming& naming, size_t before) const;
  std::vector<bool> ChooseNamings(Random* random) const;
  Tree TreeOf(const std::vector<bool>& kept) const;
  static std::string Cached(const File& file);
  static std::string AfterCut(const File& file, Random* random);
  template <typename ContentOf>
  void WriteTree(const Tree& tree, Id folder, const std::string& path,
                 std::map<Id, std::string>* made, const ContentOf& content_of) const;

  std::map<uint64_t, Id> ids_;  // of inodes, which are used again
  std::vector<File> files_;     // by id; the first is the root
  Tree synced_;                 // as it was at first
  std::vector<Naming> namings_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_E2E_STORE_DISK_H_

// PreparedStore: the prepared variants on this node's disk, each in a flat folder of its own.
//
// The preparer fills an Incoming folder, in which each variant has a subfolder. Publishing makes all
// of it durable and gives each variant's folder a name in the root that tells its content
// (prepared_folders.h): what bears such a name is complete, equal content is there once, and publishing
// it again puts the new copy in the place of the old, which may have been damaged. A published
// folder stays as long as the catalog names it (Retain) or somebody holds a Pin of it, and goes with
// the later of the two: a load never loses its files, and nothing is left behind when a variant is
// replaced or an add fails half-way.
//
//   store.NewIncoming([&](Result<PreparedStore::Incoming> incoming) { … });
//   store.Publish(std::move(incoming), manifest, [&](Result<PreparedStore::Published> published) {
//     // the catalog takes published->manifest, and then:
//     store.Retain(folders_that_the_catalog_names);
//   });
//
// Names are checked before anything is removed by them: what is no name of a published folder is
// nobody's, whoever asks.
//
// Thread-safety: loop only. What blocks runs on the worker, completions on the loop, and none once
// the store is gone. Pins and Incomings may outlive it: they do nothing then, and the next Start
// clears up.
#ifndef TRIMS_STORE_PREPARED_STORE_H_
#define TRIMS_STORE_PREPARED_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "format/manifest.h"
#include "loop/worker.h"

namespace trims {

class PreparedStore {
 public:
  static constexpr uint64_t kNoBudget = UINT64_MAX;

  // An unpublished folder. Dropped, it is removed on the worker.
  class Incoming {
   public:
    Incoming(Incoming&& other) noexcept
        : store_(std::move(other.store_)), path_(std::exchange(other.path_, {})) {}
    Incoming& operator=(Incoming&& other) noexcept;
    ~Incoming() { Drop({}); }

    const std::string& path() const { return path_; }  // absolute
    // Removes it now; `gone` runs on the loop when it is, or now if it is none any more.
    void Drop(std::function<void()> gone);

   private:
    friend class PreparedStore;
    Incoming(std::weak_ptr<PreparedStore*> store, std::string path)
        : store_(std::move(store)), path_(std::move(path)) {}

    std::weak_ptr<PreparedStore*> store_;
    std::string path_;  // empty: moved from, published or dropped
  };

  // Keeps one published folder. Holding one costs the disk space of what was removed or replaced.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept
        : store_(std::move(other.store_)), folder_(std::exchange(other.folder_, {})) {}
    Pin& operator=(Pin&& other) noexcept;
    ~Pin() { Release(); }

    // Keeps it for good: the next Start knows whether the catalog names it.
    void Leave() { folder_.clear(); }

   private:
    friend class PreparedStore;
    Pin(std::weak_ptr<PreparedStore*> store, std::string folder)
        : store_(std::move(store)), folder_(std::move(folder)) {}
    void Release();

    std::weak_ptr<PreparedStore*> store_;
    std::string folder_;  // empty: none
  };

  // A folder for what is downloaded from one place, which is there for the next attempt, too. One user
  // at a time.
  class Download {
   public:
    Download(Download&& other) noexcept
        : store_(std::move(other.store_)), path_(std::exchange(other.path_, {})) {}
    Download& operator=(Download&& other) noexcept;
    ~Download() { Close(); }

    // Absolute, and there.
    std::string files() const { return path_ + "/files"; }
    std::string partial() const { return path_ + "/partial"; }
    // It was of use, and goes.
    void Discard();

   private:
    friend class PreparedStore;
    Download(std::weak_ptr<PreparedStore*> store, std::string path)
        : store_(std::move(store)), path_(std::move(path)) {}
    void Close();

    std::weak_ptr<PreparedStore*> store_;
    std::string path_;  // empty: moved from or discarded
  };

  // Room on the disk for what is fetched into a published folder, which stays pinned. Dropped, it is given
  // back once what came has been measured.
  class Room {
   public:
    Room(Room&& other) noexcept
        : pin_(std::move(other.pin_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Room& operator=(Room&&) = delete;
    ~Room() { End(); }

   private:
    friend class PreparedStore;
    Room(Pin pin, uint64_t bytes) : pin_(std::move(pin)), bytes_(bytes) {}
    void End();

    Pin pin_;  // none: moved from
    uint64_t bytes_ = 0;
  };

  struct Published {
    Manifest manifest;      // its variants' folders are names in the store
    std::vector<Pin> pins;  // of all of them, until the catalog names them
  };

  // `root` is absolute; it is made when it is first needed. The worker outlives the store.
  PreparedStore(std::string root, Worker* worker, uint64_t budget = kNoBudget);
  ~PreparedStore();
  PreparedStore(const PreparedStore&) = delete;
  PreparedStore& operator=(const PreparedStore&) = delete;

  const std::string& root() const { return root_; }

  // Once, before anything else, with a catalog that could be read: measures what is there, and
  // removes what a crash or an earlier release left behind: incoming folders, published ones
  // that the catalog does not name, and of fetches that were cut off what is too old or too much
  // (store/unfinished_fetches.h). Other files in the root stay.
  void Start(const std::set<std::string>& named);

  void NewIncoming(std::function<void(Result<Incoming>)> done);

  // The folder of what comes from `url`; what is in it, an earlier attempt has left there.
  // FAILED_PRECONDITION: it is in use.
  void OpenDownload(const std::string& url, std::function<void(Result<Download>)> done);

  // `manifest` has all digests, and the folders of its variants are names in the incoming one. All or
  // nothing: on failure nothing of it is left when `done` runs, neither the incoming folder nor
  // what was renamed already, but for content that was there before. The folder of a variant that also lies
  // elsewhere (ManifestVariant::remote) may have no more than its index, and takes no other's place.
  // INVALID_ARGUMENT: a folder is no name in the incoming one; RESOURCE_EXHAUSTED: the budget has not the
  // room.
  void Publish(Incoming incoming, Manifest manifest, std::function<void(Result<Published>)> done);

  // The folders that the catalog names now. What it named before and does not any more goes, at
  // once or with its last pin.
  void Retain(const std::set<std::string>& named);

  // The file of a folder that stays when the rest of it goes.
  struct Index {
    std::string path;
    uint64_t length = 0;
  };
  // Those of the named folders that also lie elsewhere: where the budget is used up, the rest of those goes that
  // were pinned longest ago and that nobody pins, and are not among those that `in_use` names.
  void SetElsewhere(std::map<std::string, Index> index_of);
  void SetInUse(std::function<std::set<std::string>()> in_use);

  // Room for files of `bytes` altogether that will come into a folder, less what is in it. RESOURCE_EXHAUSTED:
  // not even if all goes that may; UNAVAILABLE: there is a budget, and Start has not measured yet what is there; FAILED_PRECONDITION:
  // it lies nowhere else.
  Result<Room> TakeRoom(const std::string& folder, uint64_t bytes);

  // Whether files of `bytes` altogether are in a folder, and none of them is unfinished: as it was measured last.
  bool Has(const std::string& folder, uint64_t bytes) const;
  // Once nobody has room for that folder any more and what came has been measured; at once where nobody has.
  void AwaitMeasured(const std::string& folder, std::function<void()> done);

  // A folder that is named or pinned. Any other is gone already, and the pin is none.
  Pin PinFolder(const std::string& folder);

  // The lengths of the files in published folders, those of Start once they have been measured.
  uint64_t bytes() const { return bytes_; }
  uint64_t budget() const { return budget_; }
  // From now on. What is beyond a lower one goes as far as it lies elsewhere, too, and is in nobody's use.
  void SetBudget(uint64_t budget);
  uint64_t evictions() const { return evictions_; }  // of folders' bytes, since the start

  // Fetches that were cut off and can be gone on with, and what they take of the disk.
  struct Unfinished {
    size_t fetches = 0;
    uint64_t bytes = 0;
  };
  Unfinished unfinished() const;

  // How many published folders lie in `root`; 0 if there is no such folder. Blocks.
  static Result<size_t> CountPublished(const std::string& root);

 private:
  struct Folder {
    uint64_t bytes = 0;
    size_t pins = 0;
    size_t rooms = 0;  // taken, or being measured
    bool named = false;
    uint64_t last_pinned = 0;  // the number of the last pin, of all there were
  };
  using Folders = std::map<std::string, Folder>;
  using Sizes = std::map<std::string, uint64_t>;
  struct Publication;  // a Publish under way

  std::weak_ptr<PreparedStore*> self() const { return self_; }
  void Name(const std::set<std::string>& named);
  void Measured(const Sizes& sizes);
  void NoteUnfinished(const std::string& name, uint64_t bytes);  // 0: none
  void CloseDownload(const std::string& path);
  void PinNames(const std::shared_ptr<Publication>& publication);
  void Finish(const std::shared_ptr<Publication>& publication);
  void Unpin(const std::string& folder);
  void RemoveIfUnused(Folders::iterator folder);
  void Remove(const std::string& path, std::function<void()> gone);
  void EndRoom(Pin pin, uint64_t bytes);
  // `pin` is that of a room, which ends then, and holds the folder; nullptr: there was none.
  void Measure(const std::string& folder, std::shared_ptr<Pin> pin, uint64_t reserved);
  void RoomEnded(const std::string& folder);
  Status MakeRoom(uint64_t bytes);
  enum class Enough { kAllOfIt, kWhatThereIs };
  std::vector<Folders::iterator> Victims(uint64_t needed, Enough enough);
  // 0: it has to stay.
  uint64_t BytesToFree(const Folders::value_type& folder) const;
  void Evict(Folders::iterator folder);
  uint64_t BytesOfNew(const Publication& publication) const;

  const std::string root_;
  Worker* const worker_;
  Folders folders_;
  std::set<std::string> downloads_;  // paths of those in use
  Sizes unfinished_;                 // by the folder's name
  uint64_t budget_;
  uint64_t bytes_ = 0;
  uint64_t reserved_ = 0;  // for what is on its way
  uint64_t last_pin_ = 0;
  uint64_t evictions_ = 0;
  bool measured_ = false;                  // by Start
  std::map<std::string, Index> index_of_;  // of folders whose content lies elsewhere, too
  std::function<std::set<std::string>()> in_use_;
  std::multimap<std::string, std::function<void()>> awaiting_measured_;  // by folder
  const std::shared_ptr<PreparedStore*> self_;
};

}  // namespace trims

#endif  // TRIMS_STORE_PREPARED_STORE_H_

#include "store/prepared_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "base/plain_path.h"
#include "store/eviction_order.h"
#include "store/eviction_policy.h"
#include "store/prepared_folders.h"
#include "store/unfinished_fetches.h"

namespace trims {
namespace {

// The preparer has met untrusted bytes: a variant's folder is one of its out folder's, not a way to
// another place.
Status CheckFolder(const std::string& folder) {
  if (IsPlainName(folder)) return {};
  return Status(StatusCode::kInvalidArgument,
                "a variant's folder: expected a name in the out folder, got '" + folder + "'");
}

}  // namespace

// The worker makes all durable; the loop pins the names, so that nothing removes what is about to come
// under them; the worker renames.
struct PreparedStore::Publication {
  struct Move {
    std::string from;
    std::string name;
    uint64_t bytes = 0;
    bool complete = true;  // otherwise the rest lies elsewhere
  };

  Status MakeDurable();
  Status Rename(const std::string& root) const;

  std::string incoming;
  Manifest manifest;
  std::function<void(Result<Published>)> done;
  Status status;
  std::vector<Move> moves;  // in the order of the variants
  uint64_t reserved = 0;    // bytes of the budget
  std::vector<Pin> pins;
};

Status PreparedStore::Publication::MakeDurable() {
  for (ManifestVariant& variant : manifest.variants) {
    TRIMS_RETURN_IF_ERROR(CheckFolder(variant.folder));
    const std::string from = incoming + "/" + variant.folder;
    TRIMS_RETURN_IF_ERROR(prepared::SyncTree(from));
    TRIMS_ASSIGN_OR_RETURN(const uint64_t bytes, prepared::BytesOf(from));
    variant.folder = prepared::ContentName(variant);
    moves.push_back({from, variant.folder, bytes, !variant.remote});
  }
  return Status();
}

Status PreparedStore::Publication::Rename(const std::string& root) const {
  for (const Move& move : moves) {
    const std::string path = root + "/" + move.name;
    TRIMS_RETURN_IF_ERROR(move.complete ? prepared::PutInPlace(move.from, path)
                                        : prepared::PutBeside(move.from, path));
  }
  return prepared::SyncFolder(root);
}

void PreparedStore::Incoming::Drop(std::function<void()> gone) {
  const std::string path = std::exchange(path_, {});
  if (path.empty()) return gone ? gone() : void();
  const std::shared_ptr<PreparedStore*> store = store_.lock();
  if (store != nullptr) (*store)->Remove(path, std::move(gone));
}

PreparedStore::Incoming& PreparedStore::Incoming::operator=(Incoming&& other) noexcept {
  if (this != &other) {
    Drop({});
    store_ = std::move(other.store_);
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

void PreparedStore::Pin::Release() {
  const std::string folder = std::exchange(folder_, {});
  const std::shared_ptr<PreparedStore*> store = store_.lock();
  if (!folder.empty() && store != nullptr) (*store)->Unpin(folder);
}

PreparedStore::Pin& PreparedStore::Pin::operator=(Pin&& other) noexcept {
  if (this != &other) {
    Release();
    store_ = std::move(other.store_);
    folder_ = std::exchange(other.folder_, {});
  }
  return *this;
}

PreparedStore::Download& PreparedStore::Download::operator=(Download&& other) noexcept {
  if (this != &other) {
    Close();
    store_ = std::move(other.store_);
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

void PreparedStore::Download::Close() {
  const std::string path = std::exchange(path_, {});
  const std::shared_ptr<PreparedStore*> store = store_.lock();
  if (!path.empty() && store != nullptr) (*store)->CloseDownload(path);
}

void PreparedStore::Download::Discard() {
  const std::shared_ptr<PreparedStore*> store = store_.lock();
  if (!path_.empty() && store != nullptr) (*store)->Remove(path_, {});
  Close();
}

// What is in it, once it was used.
void PreparedStore::CloseDownload(const std::string& path) {
  downloads_.erase(path);
  auto bytes = std::make_shared<uint64_t>(0);
  worker_->Run([path, bytes] { *bytes = prepared::UnfinishedBytes(path); },
               [weak = self(), name = path.substr(root_.size() + 1), bytes] {
                 const auto store = weak.lock();
                 if (store != nullptr) (*store)->NoteUnfinished(name, *bytes);
               });
}

void PreparedStore::NoteUnfinished(const std::string& name, uint64_t bytes) {
  if (bytes == 0) {
    unfinished_.erase(name);
  } else {
    unfinished_[name] = bytes;
  }
}

PreparedStore::Unfinished PreparedStore::unfinished() const {
  Unfinished all{.fetches = unfinished_.size()};
  for (const auto& [name, bytes] : unfinished_) all.bytes += bytes;
  return all;
}

void PreparedStore::Room::End() {
  const std::shared_ptr<PreparedStore*> store = pin_.store_.lock();
  if (pin_.folder_.empty() || store == nullptr) return;
  (*store)->EndRoom(std::move(pin_), std::exchange(bytes_, 0));
}

PreparedStore::PreparedStore(std::string root, Worker* worker, uint64_t budget)
    : root_(std::move(root)),
      worker_(worker),
      budget_(budget),
      self_(std::make_shared<PreparedStore*>(this)) {}

PreparedStore::~PreparedStore() = default;

void PreparedStore::Start(const std::set<std::string>& named) {
  Name(named);
  auto sizes = std::make_shared<Sizes>();
  for (const auto& [name, folder] : folders_) sizes->emplace(name, 0);
  auto unfinished = std::make_shared<Sizes>();
  worker_->Run(
      [root = root_, named, sizes, unfinished] {
        prepared::RemoveOrphans(root, named);
        *unfinished = prepared::ClearUnfinished(root, named);
        for (auto& [name, bytes] : *sizes) {
          const Result<uint64_t> measured = prepared::BytesOf(root + "/" + name);
          if (measured.ok()) bytes = *measured;
        }
      },
      [weak = self(), sizes, unfinished] {
        const auto store = weak.lock();
        if (store == nullptr) return;
        (*store)->Measured(*sizes);
        (*store)->unfinished_ = std::move(*unfinished);
        (*store)->measured_ = true;
      });
}

void PreparedStore::Name(const std::set<std::string>& named) {
  for (const std::string& name : named) {
    if (prepared::IsPublishedName(name)) folders_[name].named = true;
  }
}

void PreparedStore::Measured(const Sizes& sizes) {
  for (const auto& [name, bytes] : sizes) {
    const auto found = folders_.find(name);
    if (found == folders_.end()) continue;
    bytes_ += bytes - found->second.bytes;
    found->second.bytes = bytes;
  }
}

void PreparedStore::NewIncoming(std::function<void(Result<Incoming>)> done) {
  auto path = std::make_shared<std::optional<Result<std::string>>>();
  worker_->Run([root = root_, path] { *path = prepared::MakeIncoming(root); },
               [weak = self(), path, done = std::move(done)] {
                 if (weak.expired()) return;
                 if (!(*path)->ok()) return done((*path)->status());
                 done(Incoming(weak, ***path));
               });
}

void PreparedStore::OpenDownload(const std::string& url,
                                 std::function<void(Result<Download>)> done) {
  const std::string path = root_ + "/" + prepared::DownloadName(url);
  if (!downloads_.insert(path).second) {
    return done(Status(StatusCode::kFailedPrecondition, url + " is being downloaded already",
                       "wait until that has ended: trims status"));
  }
  auto made = std::make_shared<Status>();
  worker_->Run([root = root_, path, made] { *made = prepared::MakeDownload(root, path); },
               [weak = self(), download = std::make_shared<Download>(Download(self(), path)), made,
                done = std::move(done)] {
                 if (weak.expired()) return;
                 if (!made->ok()) return done(*made);
                 done(std::move(*download));
               });
}

void PreparedStore::Publish(Incoming incoming, Manifest manifest,
                            std::function<void(Result<Published>)> done) {
  auto publication = std::make_shared<Publication>();
  publication->incoming = std::exchange(incoming.path_, {});
  publication->manifest = std::move(manifest);
  publication->done = std::move(done);
  worker_->Run([publication] { publication->status = publication->MakeDurable(); },
               [weak = self(), publication] {
                 const std::shared_ptr<PreparedStore*> store = weak.lock();
                 if (store != nullptr) (*store)->PinNames(publication);
               });
}

void PreparedStore::PinNames(const std::shared_ptr<Publication>& publication) {
  const uint64_t bytes = publication->status.ok() ? BytesOfNew(*publication) : 0;
  if (publication->status.ok()) publication->status = MakeRoom(bytes);
  if (!publication->status.ok()) return Finish(publication);
  publication->reserved = bytes;
  reserved_ += bytes;
  for (const Publication::Move& move : publication->moves) {
    folders_.try_emplace(move.name);
    publication->pins.push_back(PinFolder(move.name));
  }
  worker_->Run([publication, root = root_] { publication->status = publication->Rename(root); },
               [weak = self(), publication] {
                 const std::shared_ptr<PreparedStore*> store = weak.lock();
                 if (store != nullptr) (*store)->Finish(publication);
               });
}

// The worker does one thing after the other: what pins leave behind is gone before `done` hears of it.
void PreparedStore::Finish(const std::shared_ptr<Publication>& publication) {
  reserved_ -= publication->reserved;
  if (publication->status.ok()) {
    Sizes sizes;
    for (const Publication::Move& move : publication->moves) {
      if (move.complete) {
        sizes[move.name] = move.bytes;
      } else {
        Measure(move.name, nullptr, 0);
      }
    }
    Measured(sizes);
  } else {
    publication->pins.clear();
  }
  Remove(publication->incoming, [weak = self(), publication] {
    if (weak.expired()) return;
    if (!publication->status.ok()) return publication->done(publication->status);
    publication->done(Published{std::move(publication->manifest), std::move(publication->pins)});
  });
}

void PreparedStore::Retain(const std::set<std::string>& named) {
  Name(named);
  for (auto next = folders_.begin(); next != folders_.end();) {
    const auto folder = next++;
    if (named.contains(folder->first)) continue;
    folder->second.named = false;
    RemoveIfUnused(folder);
  }
}

PreparedStore::Pin PreparedStore::PinFolder(const std::string& folder) {
  const auto found = folders_.find(folder);
  if (found == folders_.end()) return {};
  ++found->second.pins;
  found->second.last_pinned = ++last_pin_;
  return Pin(self(), folder);
}

void PreparedStore::Unpin(const std::string& folder) {
  const auto found = folders_.find(folder);
  --found->second.pins;
  RemoveIfUnused(found);
}

void PreparedStore::RemoveIfUnused(Folders::iterator folder) {
  if (folder->second.named || folder->second.pins > 0) return;
  bytes_ -= folder->second.bytes;
  Remove(root_ + "/" + folder->first, {});
  unfinished_.erase(folder->first);
  folders_.erase(folder);
}

void PreparedStore::Remove(const std::string& path, std::function<void()> gone) {
  if (!gone) gone = [] {};
  worker_->Run([path] { prepared::Remove(path).ok(); }, std::move(gone));
}

uint64_t PreparedStore::BytesOfNew(const Publication& publication) const {
  uint64_t bytes = 0;
  for (const Publication::Move& move : publication.moves) {
    const auto there = folders_.find(move.name);
    const uint64_t old = there == folders_.end() ? 0 : there->second.bytes;
    bytes += move.bytes - std::min(move.bytes, old);
  }
  return bytes;
}

void PreparedStore::SetElsewhere(std::map<std::string, Index> index_of) {
  index_of_ = std::move(index_of);
}

void PreparedStore::SetInUse(std::function<std::set<std::string>()> in_use) {
  in_use_ = std::move(in_use);
}

Result<PreparedStore::Room> PreparedStore::TakeRoom(const std::string& folder, uint64_t bytes) {
  if (!measured_ && budget_ != kNoBudget) {
    return Status(StatusCode::kUnavailable, "the disk is still being measured");
  }
  Pin pin = PinFolder(folder);  // so that it isn't what goes
  const auto found = folders_.find(folder);
  if (found == folders_.end()) {
    return Status(StatusCode::kNotFound, "there is no prepared folder " + root_ + "/" + folder);
  }
  if (!index_of_.contains(folder)) {
    return Status(StatusCode::kFailedPrecondition, "what is in " + root_ + "/" + folder +
                                                       " is also a model's that lies nowhere else");
  }
  const uint64_t needed = bytes - std::min(bytes, found->second.bytes);
  TRIMS_RETURN_IF_ERROR(MakeRoom(needed));
  reserved_ += needed;
  ++found->second.rooms;
  return Room(std::move(pin), needed);
}

void PreparedStore::EndRoom(Pin pin, uint64_t bytes) {
  const std::string folder = pin.folder_;
  Measure(folder, std::make_shared<Pin>(std::move(pin)), bytes);
}

void PreparedStore::Measure(const std::string& folder, std::shared_ptr<Pin> pin,
                            uint64_t reserved) {
  auto sizes = std::make_shared<Sizes>();
  auto unfinished = std::make_shared<uint64_t>(0);
  worker_->Run(
      [path = root_ + "/" + folder, folder, sizes, unfinished] {
        const Result<uint64_t> bytes = prepared::BytesOf(path);
        if (bytes.ok()) sizes->emplace(folder, *bytes);
        *unfinished = prepared::UnfinishedBytes(path);
      },
      [weak = self(), folder, sizes, unfinished, reserved, pin = std::move(pin)] {
        const auto store = weak.lock();
        if (store == nullptr) return;
        (*store)->Measured(*sizes);
        (*store)->NoteUnfinished(folder, *unfinished);
        (*store)->reserved_ -= reserved;
        if (pin != nullptr) (*store)->RoomEnded(folder);
      });
}

// Its pin is held still, so that it is there.
void PreparedStore::RoomEnded(const std::string& folder) {
  if (--folders_.at(folder).rooms > 0) return;
  const auto [first, last] = awaiting_measured_.equal_range(folder);
  std::vector<std::function<void()>> calls;
  for (auto each = first; each != last; ++each) calls.push_back(std::move(each->second));
  awaiting_measured_.erase(first, last);
  for (const std::function<void()>& call : calls) call();
}

bool PreparedStore::Has(const std::string& folder, uint64_t bytes) const {
  const auto found = folders_.find(folder);
  return found != folders_.end() && found->second.bytes >= bytes && !unfinished_.contains(folder);
}

void PreparedStore::AwaitMeasured(const std::string& folder, std::function<void()> done) {
  const auto found = folders_.find(folder);
  if (found == folders_.end() || found->second.rooms == 0) return done();
  awaiting_measured_.emplace(folder, std::move(done));
}

Status PreparedStore::MakeRoom(uint64_t bytes) {
  const uint64_t used = bytes_ + reserved_;
  if (bytes == 0 || (used <= budget_ && bytes <= budget_ - used)) return Status();
  const uint64_t needed = bytes > budget_ ? UINT64_MAX : used - (budget_ - bytes);
  const std::vector<Folders::iterator> victims = Victims(needed, Enough::kAllOfIt);
  if (victims.empty()) {
    return Status(StatusCode::kResourceExhausted,
                  std::to_string(bytes) + " bytes more don't fit into the disk's budget of " +
                      std::to_string(budget_) + ", of which " + std::to_string(used) +
                      " are used; too little of that also lies elsewhere and is in nobody's use",
                  "remove models (trims ls shows them), or raise the budget: trims policy --tier "
                  "disk --budget SIZE");
  }
  for (const Folders::iterator victim : victims) Evict(victim);
  return Status();
}

void PreparedStore::SetBudget(uint64_t budget) {
  budget_ = budget;
  const uint64_t used = bytes_ + reserved_;
  if (used <= budget_) return;
  for (const Folders::iterator victim : Victims(used - budget_, Enough::kWhatThereIs))
    Evict(victim);
}

uint64_t PreparedStore::BytesToFree(const Folders::value_type& folder) const {
  const auto index = index_of_.find(folder.first);
  if (index == index_of_.end() || folder.second.pins > 0 || !folder.second.named) return 0;
  return folder.second.bytes - std::min(folder.second.bytes, index->second.length);
}

// Those pinned longest ago that free `needed` together; where there aren't enough, none or all of them.
std::vector<PreparedStore::Folders::iterator> PreparedStore::Victims(uint64_t needed,
                                                                     Enough enough) {
  static const EvictionPolicy* const lru = FindEvictionPolicy("lru").value();
  const std::set<std::string> in_use = in_use_ ? in_use_() : std::set<std::string>();
  std::vector<Folders::iterator> folders;
  EvictionOrder order(lru);
  for (auto folder = folders_.begin(); folder != folders_.end(); ++folder) {
    if (in_use.contains(folder->first)) continue;
    EvictionCandidate candidate;
    candidate.segment = folders.size();
    candidate.bytes = BytesToFree(*folder);
    // Which of them is older is all that counts.
    candidate.last_used = TimePoint(Duration(static_cast<int64_t>(folder->second.last_pinned)));
    order.Insert(candidate);
    folders.push_back(folder);
  }
  if (enough == Enough::kWhatThereIs) needed = std::min(needed, order.bytes());
  std::vector<Folders::iterator> victims;
  for (const Victim& victim : order.Choose(needed)) victims.push_back(folders[victim.segment]);
  return victims;
}

// Its index stays, which is little. A load that begins meanwhile fetches what it doesn't find.
void PreparedStore::Evict(Folders::iterator folder) {
  const Index& index = index_of_.at(folder->first);
  const uint64_t frees = folder->second.bytes - index.length;
  ++evictions_;
  LogInfo("copy.evicted", {{"folder", folder->first}, {"bytes", frees}});
  bytes_ -= frees;
  folder->second.bytes = index.length;
  worker_->Run([path = root_ + "/" + folder->first,
                keep = index.path] { prepared::RemoveFiles(path, keep).ok(); },
               [] {});
  Measure(folder->first, nullptr, 0);
}

Result<size_t> PreparedStore::CountPublished(const std::string& root) {
  return prepared::CountPublished(root);
}

}  // namespace trims

#include "source/download.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "source/download_journal.h"
#include "source/file_bytes.h"
#include "source/http_request_of.h"
#include "source/part_file.h"
#include "transfer/range_fetcher.h"

namespace trims {
namespace {

Status OtherBytes(const RemoteFile& file) {
  return Status(StatusCode::kDataLoss,
                "the file '" + file.name +
                    "' came with other bytes than its source says it has: its SHA-256 is not " +
                    file.sha256,
                "try again; if it stays so, the source is damaged");
}

// A file that is there already.
Status LandFromDisk(const std::string& path, DownloadLanding* landing) {
  TRIMS_ASSIGN_OR_RETURN(const FileBytes file, FileBytes::Open(path));
  for (uint64_t begin = 0; begin < file.size();) {
    const uint64_t end = std::min(file.size(), begin + kDownloadRangeBytes);
    TRIMS_ASSIGN_OR_RETURN(const std::span<std::byte> memory, landing->Reach(end));
    TRIMS_RETURN_IF_ERROR(file.ReadAt(begin, memory.subspan(begin, end - begin)));
    landing->Ready(end);
    begin = end;
  }
  return Status();
}

// A file that is under way.
class OpenFile {
 public:
  OpenFile(const RemoteFile& file, PartFile part, std::shared_ptr<const HttpObject> object,
           DownloadLanding* landing)
      : file_(file),
        part_(std::move(part)),
        object_(std::move(object)),
        landing_(landing),
        left_(part_.missing().size()) {
    there_.assign(DownloadRanges(file.length), true);
    for (const uint64_t range : part_.missing()) there_[range] = false;
  }

  const RemoteFile& file() const { return file_; }
  const std::vector<uint64_t>& missing() const { return part_.missing(); }
  std::span<std::byte> RangeOf(uint64_t range) const { return part_.RangeOf(range); }
  // Before its bytes come.
  Status Reach(uint64_t range) const {
    if (landing_ == nullptr) return Status();
    return landing_->Reach(range * kDownloadRangeBytes + RangeOf(range).size()).status();
  }
  const std::shared_ptr<const HttpObject>& object() const { return object_; }
  void set_object(std::shared_ptr<const HttpObject> object) { object_ = std::move(object); }
  int AddRefusal() { return ++refusals_; }

  Status Complete(uint64_t range) {
    there_[range] = true;
    --left_;
    return part_.Complete(range);
  }
  bool complete() const { return left_ == 0; }

  // What is there from the beginning on without a hole, while the rest is on its way.
  void HashWhatIsThere() {
    for (; hashed_ < there_.size() && there_[hashed_]; ++hashed_) {
      if (landing_ == nullptr && !file_.sha256.empty()) hash_.Update(part_.RangeOf(hashed_));
    }
    if (landing_ != nullptr) landing_->Ready(std::min(file_.length, hashed_ * kDownloadRangeBytes));
  }

  Status Finish() && {
    HashWhatIsThere();
    if (file_.sha256.empty() || Sha256OfAll() == file_.sha256) return std::move(part_).Finish();
    std::move(part_).Discard();
    return OtherBytes(file_);
  }

 private:
  std::string Sha256OfAll() { return landing_ != nullptr ? landing_->Sha256() : hash_.FinishHex(); }

  const RemoteFile& file_;
  PartFile part_;
  std::shared_ptr<const HttpObject> object_;
  DownloadLanding* const landing_;  // hashes by itself; nullptr: none
  std::vector<bool> there_;         // by range
  size_t left_;
  uint64_t hashed_ = 0;
  Sha256 hash_;
  int refusals_ = 0;
};

class Downloader {
 public:
  Downloader(RemoteStore* store, const std::vector<RemoteFile>& files, const DownloadPlace& place,
             const DownloadOptions& options)
      : store_(*store), files_(files), place_(place), options_(options) {
    for (const RemoteFile& file : files) total_ += file.length;
  }

  Status Run();

 private:
  struct Flight {
    std::shared_ptr<OpenFile> file;
    uint64_t range = 0;
  };

  Status CheckRoom() const;
  Status OpenNext();
  Status FillFetcher();
  Status Submit(size_t flight);
  Status Reap();
  Status Refused(size_t flight, const Status& why);
  Status Completed(const Flight& flight);
  void Tell() const {
    if (options_.progress) options_.progress(done_, total_);
  }

  RemoteStore& store_;
  const std::vector<RemoteFile>& files_;
  const DownloadPlace& place_;
  const DownloadOptions& options_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  size_t next_file_ = 0;
  std::deque<Flight> waiting_;                  // ranges of open files, to be submitted
  std::vector<std::optional<Flight>> flights_;  // by tag
  std::unique_ptr<RangeFetcher> fetcher_;       // the first to go: it writes into open files
};

Status Downloader::Run() {
  TRIMS_RETURN_IF_ERROR(CheckRoom());
  TRIMS_ASSIGN_OR_RETURN(fetcher_,
                         RangeFetcher::Start({.depth = options_.concurrency,
                                              .bytes_per_second = options_.bytes_per_second,
                                              .patience = options_.patience}));
  flights_.resize(fetcher_->depth());
  std::optional<CancelToken::Watch> watch;
  if (options_.cancel != nullptr) watch.emplace(options_.cancel, [this] { fetcher_->Cancel(); });
  for (;;) {
    TRIMS_RETURN_IF_ERROR(FillFetcher());
    if (fetcher_->in_flight() == 0) return Status();
    TRIMS_RETURN_IF_ERROR(Reap());
  }
}

Status Downloader::CheckRoom() const {
  uint64_t needed = 0;
  for (const RemoteFile& file : files_) {
    if (!PartFile::IsComplete(place_, file)) needed += file.length;
  }
  struct statvfs disk {};
  if (::statvfs(place_.files.c_str(), &disk) != 0)
    return ErrnoStatus("can't look at " + place_.files);
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  if (needed <= free) return Status();
  return Status(StatusCode::kResourceExhausted,
                "the download takes " + std::to_string(needed) + " bytes, the disk of " +
                    place_.files + " has " + std::to_string(free) + " free",
                "free some of it, or start trimsd with --data on another disk");
}

Status Downloader::FillFetcher() {
  while (!fetcher_->full()) {
    while (waiting_.empty() && next_file_ < files_.size()) TRIMS_RETURN_IF_ERROR(OpenNext());
    if (waiting_.empty()) return Status();
    const auto free = std::find(flights_.begin(), flights_.end(), std::nullopt);
    *free = std::move(waiting_.front());
    waiting_.pop_front();
    TRIMS_RETURN_IF_ERROR(Submit(static_cast<size_t>(free - flights_.begin())));
  }
  return Status();
}

Status Downloader::OpenNext() {
  const RemoteFile& file = files_[next_file_++];
  if (PartFile::IsComplete(place_, file)) {
    if (options_.landing != nullptr)
      TRIMS_RETURN_IF_ERROR(LandFromDisk(place_.files + "/" + file.name, options_.landing));
    done_ += file.length;
    Tell();
    return Status();
  }
  if (file.length == 0) {
    TRIMS_RETURN_IF_ERROR(MakeFoldersOf(place_.files, file.name));
    const std::string path = place_.files + "/" + file.name;
    const UniqueFd made =
        sys::Open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (!made) return ErrnoStatus("can't make the file " + path);
    return SyncFoldersOf(place_.files, file.name);
  }
  TRIMS_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(place_, file, options_.landing));
  TRIMS_ASSIGN_OR_RETURN(std::shared_ptr<const HttpObject> object, HttpObjectOf(&store_, file));
  const auto open =
      std::make_shared<OpenFile>(file, std::move(part), std::move(object), options_.landing);
  uint64_t missing = 0;
  for (const uint64_t range : open->missing()) {
    waiting_.push_back({open, range});
    missing += open->RangeOf(range).size();
  }
  done_ += file.length - missing;
  Tell();
  return open->complete() ? std::move(*open).Finish() : Status();
}

Status Downloader::Submit(size_t flight) {
  const Flight& submitted = *flights_[flight];
  TRIMS_RETURN_IF_ERROR(submitted.file->Reach(submitted.range));
  fetcher_->Submit({.object = submitted.file->object(),
                    .offset = submitted.range * kDownloadRangeBytes,
                    .destination = submitted.file->RangeOf(submitted.range),
                    .tag = flight});
  return Status();
}

Status Downloader::Reap() {
  const RangeDone done = fetcher_->Wait();
  if (done.status.code() == StatusCode::kPermissionDenied) return Refused(done.tag, done.status);
  TRIMS_RETURN_IF_ERROR(done.status);
  return Completed(*std::exchange(flights_[done.tag], std::nullopt));
}

// Perhaps the credentials have ended since.
Status Downloader::Refused(size_t flight, const Status& why) {
  OpenFile& file = *flights_[flight]->file;
  if (file.AddRefusal() > kMaxRefusals) return why;
  store_.Refused();
  TRIMS_ASSIGN_OR_RETURN(std::shared_ptr<const HttpObject> object,
                         HttpObjectOf(&store_, file.file()));
  file.set_object(std::move(object));
  return Submit(flight);
}

Status Downloader::Completed(const Flight& flight) {
  done_ += flight.file->RangeOf(flight.range).size();
  TRIMS_RETURN_IF_ERROR(flight.file->Complete(flight.range));
  Tell();
  if (flight.file->complete()) return std::move(*flight.file).Finish();
  flight.file->HashWhatIsThere();
  return Status();
}

}  // namespace

Status Download(RemoteStore* store, const std::vector<RemoteFile>& files,
                const DownloadPlace& place, const DownloadOptions& options) {
  return Downloader(store, files, place, options).Run();
}

}  // namespace trims

#include "load/kept_copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/sys.h"
#include "base/thread.h"
#include "source/file_bytes.h"
#include "source/part_file.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

// Large enough for the disk, small enough that a pause is short.
constexpr uint64_t kMostWritten = uint64_t{4} << 20;
// What is written is made durable, and noted, after so many bytes at the latest, and when there is nothing else to
// do after so many at least.
constexpr uint64_t kMostUnnoted = uint64_t{64} << 20;
constexpr uint64_t kWorthNoting = uint64_t{8} << 20;

}  // namespace

Result<std::unique_ptr<KeptCopy>> KeptCopy::Start(const Options& options,
                                                  const std::vector<ExtentWriter>& writers) {
  std::string folder = options.prepared_root + "/" + options.image.variant.folder;
  TRIMS_ASSIGN_OR_RETURN(CopyJournal journal, CopyJournal::Open(folder));
  std::unique_ptr<KeptCopy> copy(new KeptCopy(std::move(folder), std::move(journal)));
  TRIMS_RETURN_IF_ERROR(copy->OpenFiles(options));
  TRIMS_RETURN_IF_ERROR(copy->MapExtents(writers));
  copy->CollectParts(options.image);
  TRIMS_ASSIGN_OR_RETURN(copy->thread_, StartThread([copy = copy.get()] { copy->Run(); }));
  if (options.cancel != nullptr) {
    copy->watch_.emplace(options.cancel, [copy = copy.get()] { copy->Stop(); });
  }
  return copy;
}

KeptCopy::~KeptCopy() {
  watch_.reset();
  Stop();
  if (thread_.joinable()) thread_.join();
  MutexLock lock(mutex_);
  const bool stays = status_.ok() && !discarded_ && journal_.reached() != CopyReach();
  if (stays) return;
  for (const auto& [path, file] : files_) {
    if (!file.unfinished.empty()) sys::Unlink(file.unfinished.c_str());
  }
  journal_.Remove();
}

// Numbered by their place among all files of the image, so that another copy finds them.
Status KeptCopy::OpenFiles(const Options& options) {
  std::map<std::string, uint64_t> lengths = options.image.variant.FileLengths();
  lengths.erase(options.image.variant.index_path);
  bool left = journal_.reached() != CopyReach();
  size_t number = 0;
  for (auto next = lengths.begin(); next != lengths.end(); ++number) {
    if (!options.missing.contains(next->first)) {
      next = lengths.erase(next);
      continue;
    }
    TRIMS_RETURN_IF_ERROR(OpenFile(next->first, number, next->second, &left));
    ++next;
  }
  if (!left) return StartAnew(lengths);
  left_ = journal_.reached();
  return Status();
}

// `left` becomes false where it isn't what an earlier copy has left.
Status KeptCopy::OpenFile(const std::string& path, size_t number, uint64_t length, bool* left) {
  const std::string unfinished =
      folder_ + "/" + std::string(prepared::kUnfinishedPrefix) + std::to_string(number);
  UniqueFd fd = sys::Open(unfinished.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (!fd) return ErrnoStatus("can't make the file " + unfinished);
  struct stat state {};
  if (::fstat(fd.get(), &state) != 0) return ErrnoStatus("can't look at " + unfinished);
  if (static_cast<uint64_t>(state.st_size) != length) *left = false;
  files_[path] = {
      .path = path, .unfinished = unfinished, .file = DirectFile(std::move(fd), unfinished)};
  return Status();
}

Status KeptCopy::StartAnew(const std::map<std::string, uint64_t>& lengths) {
  TRIMS_RETURN_IF_ERROR(journal_.StartAnew());
  for (const auto& [path, length] : lengths) {
    const int fd = files_.at(path).file.fd();
    if (sys::Ftruncate(fd, 0) != 0 || sys::Fallocate(fd, 0, 0, static_cast<off_t>(length)) != 0) {
      return ErrnoStatus("can't take " + std::to_string(length) + " bytes of the disk for " +
                         folder_ + "/" + path);
    }
  }
  return Status();
}

bool KeptCopy::Has(const std::string& path, size_t extent, uint64_t end) const {
  return left_.Covers(extent, end) && files_.contains(path);
}

Result<std::unique_ptr<RandomAccess>> KeptCopy::OpenLeft(const std::string& path) const {
  TRIMS_ASSIGN_OR_RETURN(FileBytes file, FileBytes::Open(files_.at(path).unfinished));
  return std::unique_ptr<RandomAccess>(std::make_unique<FileBytes>(std::move(file)));
}

// Through a read-only open file: a mapping that could become writable forbids the seal.
Status KeptCopy::MapExtents(const std::vector<ExtentWriter>& writers) {
  for (const ExtentWriter& writer : writers) {
    TRIMS_ASSIGN_OR_RETURN(const UniqueFd fd, writer.OpenToRead());
    TRIMS_ASSIGN_OR_RETURN(Mapping extent, Mapping::OfFileAligned(fd.get(), writer.length(),
                                                                  kHugePageSize, PROT_READ));
    extents_.push_back(std::move(extent));
  }
  MutexLock lock(mutex_);
  ready_.resize(extents_.size());
  return Status();
}

void KeptCopy::CollectParts(const Image& image) {
  for (size_t extent = 0; extent < image.variant.extents.size(); ++extent) {
    for (const ManifestPiece& piece : image.variant.extents[extent].pieces) {
      const auto file = files_.find(piece.path);
      const uint64_t end = piece.at + piece.length;
      if (file == files_.end() || left_.Covers(extent, end)) continue;
      const bool begun = left_.extent == extent && left_.end > piece.at;
      const uint64_t done = begun ? left_.end - piece.at : 0;
      parts_.push_back(
          {extent, piece.at + done, piece.length - done, &file->second, piece.offset + done});
    }
  }
}

void KeptCopy::Ready(size_t extent, uint64_t end) {
  MutexLock lock(mutex_);
  ready_[extent] = end;
  changed_.NotifyAll();
}

void KeptCopy::SetPaused(bool paused) {
  MutexLock lock(mutex_);
  paused_ = paused;
  changed_.NotifyAll();
  while (paused && writing_) changed_.Wait(mutex_);
}

void KeptCopy::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

void KeptCopy::Discard() {
  MutexLock lock(mutex_);
  stopped_ = discarded_ = true;
  changed_.NotifyAll();
}

void KeptCopy::Run() {
  for (Part step; Next(&step);) {
    const bool waits = step.length == 0;
    if (!waits) Wrote(Write(step));
    if (waits || unnoted_ >= kMostUnnoted) Wrote(NoteWritten());
  }
  if (unnoted_ > 0) Wrote(NoteWritten());
}

// First the bytes, then the note. What couldn't be synced once, the kernel would call durable the next time.
Status KeptCopy::NoteWritten() {
  unnoted_ = 0;
  for (const auto& [path, file] : files_) TRIMS_RETURN_IF_ERROR(Sync(file));
  journal_.Note(written_);
  return Status();
}

Status KeptCopy::Sync(const File& file) const {
  if (sys::Fsync(file.file.fd()) == 0) return Status();
  return ErrnoStatus("can't write " + folder_ + "/" + file.path);
}

bool KeptCopy::Next(Part* step) {
  MutexLock lock(mutex_);
  for (;;) {
    if (stopped_ || next_part_ == parts_.size()) return false;
    if (!paused_ && TakeStep(step)) return writing_ = true;
    if (unnoted_ >= kWorthNoting) {
      *step = {};
      return true;
    }
    changed_.Wait(mutex_);
  }
}

// Whole steps, but at the end of a part.
bool KeptCopy::TakeStep(Part* step) {
  const Part& part = parts_[next_part_];
  const uint64_t wanted = std::min(kMostWritten, part.length - next_at_);
  const uint64_t at = part.at + next_at_;
  if (ready_[part.extent] < at + wanted) return false;
  *step = {part.extent, at, wanted, part.file, part.offset + next_at_};
  next_at_ += wanted;
  if (next_at_ == part.length) {
    ++next_part_;
    next_at_ = 0;
  }
  return true;
}

void KeptCopy::Wrote(const Status& status) {
  MutexLock lock(mutex_);
  writing_ = false;
  if (!status.ok()) {
    status_ = status;
    stopped_ = true;
  }
  changed_.NotifyAll();
}

Status KeptCopy::Write(const Part& step) {
  const std::span<const std::byte> extent = extents_[step.extent].bytes();
  if (!step.file->file.WriteAt(extent.subspan(step.at, step.length), step.offset))
    return ErrnoStatus("can't write " + folder_ + "/" + step.file->path);
  written_ = {step.extent, step.at + step.length};
  unnoted_ += step.length;
  return Status();
}

Status KeptCopy::Finish() {
  const Status finished = NameAll();
  if (!finished.ok() && finished.code() != StatusCode::kCancelled) Discard();
  return finished;
}

Status KeptCopy::NameAll() {
  thread_.join();
  extents_.clear();
  {
    MutexLock lock(mutex_);
    TRIMS_RETURN_IF_ERROR(status_);
    if (next_part_ < parts_.size()) return Status(StatusCode::kCancelled, "the copy was given up");
  }
  for (auto& [path, file] : files_) TRIMS_RETURN_IF_ERROR(Name(&file));
  journal_.Remove();
  return Status();
}

Status KeptCopy::Name(File* file) const {
  const std::string path = folder_ + "/" + file->path;
  TRIMS_RETURN_IF_ERROR(Sync(*file));
  TRIMS_RETURN_IF_ERROR(MakeFoldersOf(folder_, file->path));
  if (sys::Rename(file->unfinished.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("can't rename " + file->unfinished);
  }
  file->unfinished.clear();
  return SyncFoldersOf(folder_, file->path);
}

}  // namespace trims

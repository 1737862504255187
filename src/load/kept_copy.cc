#include "load/kept_copy.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/sys.h"
#include "base/thread.h"
#include "source/part_file.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

// Large enough for the disk, small enough that a pause is short.
constexpr uint64_t kMostWritten = uint64_t{4} << 20;

}  // namespace

Result<std::unique_ptr<KeptCopy>> KeptCopy::Start(const Options& options,
                                                  const std::vector<ExtentWriter>& writers) {
  std::unique_ptr<KeptCopy> copy(
      new KeptCopy(options.prepared_root + "/" + options.image.variant.folder));
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
  for (const auto& [path, file] : files_) {
    if (!file.unfinished.empty()) sys::Unlink(file.unfinished.c_str());
  }
}

Status KeptCopy::OpenFiles(const Options& options) {
  std::map<std::string, uint64_t> lengths = options.image.variant.FileLengths();
  lengths.erase(options.image.variant.index_path);
  for (const auto& [path, length] : lengths) {
    if (options.missing.contains(path)) TRIMS_RETURN_IF_ERROR(OpenFile(path, length));
  }
  return Status();
}

Status KeptCopy::OpenFile(const std::string& path, uint64_t length) {
  const std::string unfinished =
      folder_ + "/" + std::string(prepared::kUnfinishedPrefix) + std::to_string(files_.size());
  UniqueFd fd =
      sys::Open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (!fd && errno == EEXIST) {
    return Status(StatusCode::kAlreadyExists, "a copy is being written to " + folder_ + " already");
  }
  if (!fd) return ErrnoStatus("can't make the file " + unfinished);
  File& file = files_[path];
  file = {.path = path, .unfinished = unfinished, .file = DirectFile(std::move(fd), unfinished)};
  if (sys::Fallocate(file.file.fd(), 0, 0, static_cast<off_t>(length)) != 0) {
    return ErrnoStatus("can't take " + std::to_string(length) + " bytes of the disk for " +
                       folder_ + "/" + path);
  }
  return Status();
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
      if (file == files_.end()) continue;
      parts_.push_back({extent, piece.at, piece.length, &file->second, piece.offset});
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

void KeptCopy::Run() {
  for (Part step; Next(&step);) Wrote(Write(step));
}

bool KeptCopy::Next(Part* step) {
  MutexLock lock(mutex_);
  for (;;) {
    if (stopped_ || next_part_ == parts_.size()) return false;
    if (!paused_ && TakeStep(step)) return writing_ = true;
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
  if (step.file->file.WriteAt(extent.subspan(step.at, step.length), step.offset)) return Status();
  return ErrnoStatus("can't write " + folder_ + "/" + step.file->path);
}

Status KeptCopy::Finish() {
  thread_.join();
  extents_.clear();
  {
    MutexLock lock(mutex_);
    TRIMS_RETURN_IF_ERROR(status_);
    if (next_part_ < parts_.size()) return Status(StatusCode::kCancelled, "the copy was given up");
  }
  for (auto& [path, file] : files_) TRIMS_RETURN_IF_ERROR(Name(&file));
  return Status();
}

Status KeptCopy::Name(File* file) const {
  const std::string path = folder_ + "/" + file->path;
  if (sys::Fsync(file->file.fd()) != 0) return ErrnoStatus("can't write " + path);
  TRIMS_RETURN_IF_ERROR(MakeFoldersOf(folder_, file->path));
  if (sys::Rename(file->unfinished.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("can't rename " + file->unfinished);
  }
  file->unfinished.clear();
  return SyncFoldersOf(folder_, file->path);
}

}  // namespace trims

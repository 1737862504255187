#include "source/file_bytes.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/sys.h"
#include "source/open_beneath.h"

namespace trims {
namespace {

// Smaller reads are not worth the question whether they are cached.
constexpr size_t kLeastDirectBytes = 64 * 1024;

// cachestat(2), since Linux 6.5; its numbers are the same on all architectures.
constexpr long kCachestatCall = 451;
struct CachestatRange {
  uint64_t offset;
  uint64_t length;
};
struct Cachestat {
  uint64_t cached_pages, dirty, writeback, evicted, recently_evicted;
};

// Where the kernel doesn't say, nothing counts as cached: O_DIRECT reads are right in either case.
bool IsMostlyCached(int fd, uint64_t offset, size_t length) {
  CachestatRange range = {offset, length};
  Cachestat found = {};
  if (::syscall(kCachestatCall, fd, &range, &found, 0u) != 0) return false;
  return found.cached_pages >= length / kPageSize / 2;
}

UniqueFd ReopenDirect(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return sys::Open(path.c_str(), O_RDONLY | O_DIRECT);
}

}  // namespace

// The second descriptor, opened by the first read that would use it.
struct FileBytes::Direct {
  bool IsOpen(int buffered) {
    std::call_once(tried, [this, buffered] {
      fd = ReopenDirect(buffered);
      works.store(static_cast<bool>(fd), std::memory_order_relaxed);
    });
    return works.load(std::memory_order_relaxed);
  }

  std::once_flag tried;
  UniqueFd fd;                    // O_DIRECT, if the file system takes that
  std::atomic<bool> works{true};  // until a read is refused
};

FileBytes::FileBytes(std::string name, UniqueFd fd, uint64_t size)
    : name_(std::move(name)), fd_(std::move(fd)), size_(size) {
  if (size_ >= kLeastDirectBytes) direct_ = std::make_unique<Direct>();
}

FileBytes::FileBytes(FileBytes&&) noexcept = default;
FileBytes& FileBytes::operator=(FileBytes&&) noexcept = default;
FileBytes::~FileBytes() = default;

Result<FileBytes> FileBytes::Open(const std::string& path) {
  UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return internal::OpenFailed("'" + path + "'", errno);
  return FromFd(path, std::move(fd));
}

Result<FileBytes> FileBytes::OpenBeneath(const std::string& root, const std::string& relative) {
  TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, OpenFileBeneath(root, relative));
  return FromFd(root + "/" + relative, std::move(fd));
}

Result<FileBytes> FileBytes::FromFd(std::string name, UniqueFd fd) {
  struct stat found = {};
  if (::fstat(fd.get(), &found) != 0) return ErrnoStatus("fstat of '" + name + "'");
  if (!S_ISREG(found.st_mode)) {
    return Status(StatusCode::kFailedPrecondition, "'" + name + "' is no regular file");
  }
  return FileBytes(std::move(name), std::move(fd), static_cast<uint64_t>(found.st_size));
}

Status FileBytes::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) return Shorter(size_, offset + out.size());
  if (MayReadDirectly(offset, out)) {
    const size_t whole = out.size() / kPageSize * kPageSize;
    TRIMS_ASSIGN_OR_RETURN(const size_t done, ReadDirectly(offset, out.first(whole)));
    offset += done;
    out = out.subspan(done);
  }
  return ReadBuffered(offset, out);
}

RandomAccess::Descriptor FileBytes::DescriptorFor(uint64_t offset,
                                                  std::span<const std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) return {};
  if (out.size() % kPageSize == 0 && MayReadDirectly(offset, out)) return {direct_->fd.get(), true};
  return {fd_.get(), false};
}

bool FileBytes::MayReadDirectly(uint64_t offset, std::span<const std::byte> out) const {
  const auto address = reinterpret_cast<uintptr_t>(out.data());
  return direct_ != nullptr && out.size() >= kLeastDirectBytes && offset % kPageSize == 0 &&
         address % kPageSize == 0 && !IsMostlyCached(fd_.get(), offset, out.size()) &&
         direct_->IsOpen(fd_.get());
}

// How much it read; less than all where the rest has to be read buffered.
Result<size_t> FileBytes::ReadDirectly(uint64_t offset, std::span<std::byte> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = sys::Pread(direct_->fd.get(), out.data() + done, out.size() - done,
                                     static_cast<off_t>(offset + done));
    if (count < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) {
      direct_->works.store(false, std::memory_order_relaxed);
      break;
    }
    if (count < 0) return ErrnoStatus("reading '" + name_ + "'");
    done += static_cast<size_t>(count);
    if (count == 0 || done % kPageSize != 0) break;  // the end of the file: it has become shorter
  }
  return done;
}

Status FileBytes::ReadBuffered(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count = sys::Pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0) return ErrnoStatus("reading '" + name_ + "'");
    if (count == 0) return Shorter(offset, offset + out.size());
    offset += static_cast<uint64_t>(count);
    out = out.subspan(static_cast<size_t>(count));
  }
  return Status();
}

Status FileBytes::Shorter(uint64_t found, uint64_t expected) const {
  return Status(StatusCode::kDataLoss,
                "'" + name_ + "' is " + std::to_string(found) + " bytes, expected at least " +
                    std::to_string(expected) + ": it is truncated, or changed since it was added",
                "restore the file, or add the model again");
}

}  // namespace trims

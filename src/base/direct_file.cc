#include "base/direct_file.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/mapping.h"
#include "base/sys.h"

namespace trims {
namespace {

bool IsOfPages(uint64_t value) { return value % kPageSize == 0; }

}  // namespace

DirectFile::DirectFile(UniqueFd fd, const std::string& path)
    : fd_(std::move(fd)),
      direct_(sys::Open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW)) {}

// What the kernel doesn't take so, or not whole, is written through the page cache.
size_t DirectFile::WriteDirectly(std::span<const std::byte> bytes, uint64_t offset) const {
  const size_t pages = bytes.size() / kPageSize * kPageSize;
  const auto address = reinterpret_cast<uintptr_t>(bytes.data());
  if (!direct_ || pages == 0 || !IsOfPages(offset) || !IsOfPages(address)) return 0;
  const ssize_t wrote = sys::Pwrite(direct_.get(), bytes.data(), pages, static_cast<off_t>(offset));
  return static_cast<size_t>(std::max<ssize_t>(wrote, 0)) / kPageSize * kPageSize;
}

bool DirectFile::WriteAt(std::span<const std::byte> bytes, uint64_t offset) const {
  size_t done = WriteDirectly(bytes, offset);
  while (done < bytes.size()) {
    const ssize_t wrote = sys::Pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                                      static_cast<off_t>(offset + done));
    if (wrote <= 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return true;
}

}  // namespace trims

// DirectFile: a file that is written past the page cache where the kernel takes it so, and through it
// elsewhere: at ends that fill no page, or where O_DIRECT is refused.
//
//   DirectFile file(std::move(fd), path);              // `fd`: open for writing, of what lies at `path`
//   if (!file.WriteAt(bytes, 0)) return ErrnoStatus("can't write " + path);
//
// What was written is durable after an fsync of fd(). Thread-safety: as of pwrite(2).
#ifndef TRIMS_BASE_DIRECT_FILE_H_
#define TRIMS_BASE_DIRECT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/unique_fd.h"

namespace trims {

class DirectFile {
 public:
  DirectFile() = default;
  DirectFile(UniqueFd fd, const std::string& path);

  int fd() const { return fd_.get(); }
  // All of them, or false with errno set.
  bool WriteAt(std::span<const std::byte> bytes, uint64_t offset) const;

 private:
  // How many bytes from the start were written so.
  size_t WriteDirectly(std::span<const std::byte> bytes, uint64_t offset) const;

  UniqueFd fd_;
  UniqueFd direct_;  // of the same file, past the page cache; none: not here
};

}  // namespace trims

#endif  // TRIMS_BASE_DIRECT_FILE_H_

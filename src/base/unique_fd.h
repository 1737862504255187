// UniqueFd: the move-only owner of one file descriptor.
//
// Holding one costs one entry of the process's descriptor table. Thread-safety: like an int.
#ifndef TRIMS_BASE_UNIQUE_FD_H_
#define TRIMS_BASE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace trims {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}  // takes ownership; a negative value means none
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace trims

#endif  // TRIMS_BASE_UNIQUE_FD_H_

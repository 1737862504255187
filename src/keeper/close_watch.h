// CloseWatch: says when open files of memfds have been closed by the last who had them.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CloseWatch> closes, CloseWatch::Create());
//   TRIMS_ASSIGN_OR_RETURN(const int watch, closes->Add(extent_fd));
//   …                                       // closes->fd() is readable:
//   closes->Clear();                        // and somebody may have gone: look
//
// A watch keeps its memfd's memory until it is removed. Thread-safety: none.
#ifndef TRIMS_KEEPER_CLOSE_WATCH_H_
#define TRIMS_KEEPER_CLOSE_WATCH_H_

#include <memory>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

class CloseWatch {
 public:
  // RESOURCE_EXHAUSTED: this user has all the inotify instances that it may have.
  static Result<std::unique_ptr<CloseWatch>> Create();
  CloseWatch(const CloseWatch&) = delete;
  CloseWatch& operator=(const CloseWatch&) = delete;

  // Of files opened for reading only. The number is for Remove().
  Result<int> Add(int fd);
  void Remove(int watch);

  int fd() const { return inotify_.get(); }
  void Clear();  // until the next one

 private:
  explicit CloseWatch(UniqueFd inotify) : inotify_(std::move(inotify)) {}
  const UniqueFd inotify_;
};

}  // namespace trims

#endif  // TRIMS_KEEPER_CLOSE_WATCH_H_

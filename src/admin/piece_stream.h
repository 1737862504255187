// PieceStream: an answer that comes piece by piece, between the thread that makes them and the server's, which sends them.
//
//   while (stream.Push(NextPiece())) {}       // the maker: waits until the piece before has been taken
//   size_t taken = stream.Take(buffer, size);  // the server: 0 once it ended, or after suspend() where there is nothing yet
//
// Holds one piece: a reader who is slow keeps the maker waiting, and costs no memory. Thread-safety: safe.
#ifndef TRIMS_ADMIN_PIECE_STREAM_H_
#define TRIMS_ADMIN_PIECE_STREAM_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace trims::admin {

class PieceStream {
 public:
  // `suspend` is called within Take, by the server's thread; `resume` once after each, when there is something to take, or the
  // end. `first` is taken first.
  PieceStream(std::string first, std::function<void()> suspend, std::function<void()> resume)
      : suspend_(std::move(suspend)), resume_(std::move(resume)), piece_(std::move(first)) {}

  // False: nobody takes it, and nothing more.
  [[nodiscard]] bool Push(std::string piece) TRIMS_EXCLUDES(mutex_);
  // No more comes. What was pushed is still taken.
  void End() TRIMS_EXCLUDES(mutex_);
  // Nobody takes anything any more.
  void Abandon() TRIMS_EXCLUDES(mutex_);

  size_t Take(char* to, size_t most) TRIMS_EXCLUDES(mutex_);
  bool ended() TRIMS_EXCLUDES(mutex_);  // and all was taken

 private:
  void Wake() TRIMS_REQUIRES(mutex_);

  const std::function<void()> suspend_;
  const std::function<void()> resume_;
  Mutex mutex_;
  CondVar taken_;
  std::string piece_ TRIMS_GUARDED_BY(mutex_);
  size_t done_ TRIMS_GUARDED_BY(mutex_) = 0;  // of the piece
  bool suspended_ TRIMS_GUARDED_BY(mutex_) = false;
  bool ended_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_PIECE_STREAM_H_

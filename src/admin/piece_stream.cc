#include "admin/piece_stream.h"

#include <algorithm>
#include <utility>

namespace trims::admin {

bool PieceStream::Push(std::string piece) {
  MutexLock lock(mutex_);
  while (!ended_ && done_ < piece_.size()) taken_.Wait(mutex_);
  if (ended_) return false;
  piece_ = std::move(piece);
  done_ = 0;
  if (!piece_.empty()) Wake();
  return true;
}

void PieceStream::End() {
  MutexLock lock(mutex_);
  ended_ = true;
  taken_.NotifyAll();
  Wake();
}

void PieceStream::Abandon() {
  MutexLock lock(mutex_);
  ended_ = true;
  suspended_ = false;  // there is nothing to go on with
  taken_.NotifyAll();
}

void PieceStream::Wake() {
  if (std::exchange(suspended_, false)) resume_();
}

size_t PieceStream::Take(char* to, size_t most) {
  MutexLock lock(mutex_);
  const size_t size = std::min(most, piece_.size() - done_);
  std::copy_n(piece_.data() + done_, size, to);
  done_ += size;
  if (done_ == piece_.size()) taken_.NotifyAll();
  if (size == 0 && !ended_) {
    suspended_ = true;
    suspend_();
  }
  return size;
}

bool PieceStream::ended() {
  MutexLock lock(mutex_);
  return ended_ && done_ == piece_.size();
}

}  // namespace trims::admin

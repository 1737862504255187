// AnswerRoom: how many bytes of answers may wait, all together, for the clients that asked for them to read them.
// One that reads slowly, or not at all, keeps its answer in memory until it is done or gives its place.
//
//   if (!room.Take(body.size())) return Busy();
//   …
//   room.Give(size);  // once it has been sent, or never will be
//
// Thread-safety: safe.
#ifndef TRIMS_ADMIN_ANSWER_ROOM_H_
#define TRIMS_ADMIN_ANSWER_ROOM_H_

#include <atomic>
#include <cstddef>

namespace trims::admin {

class AnswerRoom {
 public:
  explicit AnswerRoom(size_t bytes) : bytes_(bytes) {}
  AnswerRoom(const AnswerRoom&) = delete;
  AnswerRoom& operator=(const AnswerRoom&) = delete;

  // False, and nothing is taken: there is not so much left.
  [[nodiscard]] bool Take(size_t bytes) {
    size_t taken = taken_;
    while (bytes <= bytes_ - taken) {
      if (taken_.compare_exchange_weak(taken, taken + bytes)) return true;
    }
    return false;
  }
  void Give(size_t bytes) { taken_ -= bytes; }

 private:
  const size_t bytes_;
  std::atomic<size_t> taken_{0};  // at most bytes_
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_ANSWER_ROOM_H_

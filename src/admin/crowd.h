// Crowd: the connections of a server, so that those which send nothing, or too slowly, can't keep others out.
//
// Where there are more than `limit`, the one gives its place that has made its server wait the longest for a whole request. No
// clock is needed for that, and a flood of slow clients throws out slow clients. Thread-safety: the server's thread.
#ifndef TRIMS_ADMIN_CROWD_H_
#define TRIMS_ADMIN_CROWD_H_

#include <cstddef>
#include <list>

namespace trims::admin {

class Crowd {
 public:
  struct Member {
    int fd;  // the server's own
    bool waiting;
    std::list<Member*>::iterator place;  // while it is waiting
  };

  explicit Crowd(size_t limit) : limit_(limit) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // It waits for a request. May shut another one's socket down.
  Member* Enter(int fd);
  void Leave(Member* member);
  // Its request is whole: it can't be blamed for what takes long now. Idempotent.
  void Asked(Member* member);
  // It has been answered, and waits for the next request. Idempotent.
  void Answered(Member* member);

  size_t size() const { return size_; }

 private:
  void MakeRoom();

  const size_t limit_;
  size_t size_ = 0;
  std::list<Member*> waiting_;  // the longest first
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_CROWD_H_

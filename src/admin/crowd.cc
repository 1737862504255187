#include "admin/crowd.h"

#include <sys/socket.h>

namespace trims::admin {

Crowd::Member* Crowd::Enter(int fd) {
  ++size_;
  if (size_ > limit_) MakeRoom();
  auto* member = new Member{.fd = fd, .waiting = false, .place = {}};
  Answered(member);
  return member;
}

void Crowd::Leave(Member* member) {
  Asked(member);
  --size_;
  delete member;
}

void Crowd::Asked(Member* member) {
  if (!member->waiting) return;
  waiting_.erase(member->place);
  member->waiting = false;
}

void Crowd::Answered(Member* member) {
  if (member->waiting) return;
  member->place = waiting_.insert(waiting_.end(), member);
  member->waiting = true;
}

// The server sees the end of the connection, and has it leave.
void Crowd::MakeRoom() {
  if (waiting_.empty()) return;
  Member* slowest = waiting_.front();
  Asked(slowest);
  ::shutdown(slowest->fd, SHUT_RDWR);
}

}  // namespace trims::admin

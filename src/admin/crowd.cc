#include "admin/crowd.h"

#include <sys/socket.h>

#include <algorithm>
#include <iterator>

namespace trims::admin {

Crowd::Member* Crowd::Enter(int fd) {
  if (size() >= limit_ && !clients_turn_.empty()) {
    const auto stranger = std::ranges::find(clients_turn_, false, &Member::known);
    Member* slowest = stranger == clients_turn_.end() ? &clients_turn_.front() : &*stranger;
    // The server sees the end of the connection, and has it leave. Until then it is nobody's turn.
    ::shutdown(slowest->fd, SHUT_RDWR);
    Asked(slowest);
  }
  clients_turn_.push_back({.fd = fd, .has_turn = true, .known = false, .place = {}});
  Member* member = &clients_turn_.back();
  member->place = std::prev(clients_turn_.end());
  return member;
}

void Crowd::Leave(Member* member) {
  (member->has_turn ? clients_turn_ : servers_turn_).erase(member->place);
}

void Crowd::Asked(Member* member) {
  if (!member->has_turn) return;
  servers_turn_.splice(servers_turn_.end(), clients_turn_, member->place);
  member->has_turn = false;
}

void Crowd::Answered(Member* member) {
  if (member->has_turn) return;
  clients_turn_.splice(clients_turn_.end(), servers_turn_, member->place);
  member->has_turn = true;
}

}  // namespace trims::admin

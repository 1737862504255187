// Crowd: the connections of a server, so that those which send nothing, send too slowly or don't read can't keep others out.
//
//   Crowd::Member* member = crowd.Enter(socket);   // may end another one's connection
//   crowd.Asked(member);                           // its request is whole: the server's turn
//   crowd.Answered(member);                        // the answer is on its way: the client's turn
//   crowd.Leave(member);
//
// Where there are more than `limit`, the one gives its place whose turn it has been the longest: of those that have not shown that they
// may ask, if there are any, so that no stranger ends a stream of theirs. No clock is needed for that, and a
// flood of slow clients throws out slow clients. Ownership: members are the crowd's. Thread-safety: the server's thread.
#ifndef TRIMS_ADMIN_CROWD_H_
#define TRIMS_ADMIN_CROWD_H_

#include <cstddef>
#include <list>

namespace trims::admin {

class Crowd {
 public:
  struct Member {
    int fd;  // the server's own
    bool has_turn;
    bool known = false;  // it has shown that it may ask
    std::list<Member>::iterator place;
  };

  explicit Crowd(size_t limit) : limit_(limit) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // It is to send a request.
  Member* Enter(int fd);
  void Leave(Member* member);
  // Idempotent, each of them: what a member's turn is counted from stays.
  void Asked(Member* member);
  void Answered(Member* member);
  void Known(Member* member) { member->known = true; }

  size_t size() const { return clients_turn_.size() + servers_turn_.size(); }

 private:
  const size_t limit_;
  std::list<Member> clients_turn_;  // the longest first
  std::list<Member> servers_turn_;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_CROWD_H_

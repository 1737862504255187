// Who gives its place where there are too many connections.
#include "admin/crowd.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/unique_fd.h"

namespace trims::admin {
namespace {

// Two ends of a connection: the server's and the client's.
class Connected {
 public:
  Connected() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    server_ = UniqueFd(ends[0]);
    client_ = UniqueFd(ends[1]);
  }
  int server() const { return server_.get(); }
  bool Ended() const {
    char byte;
    return ::recv(client_.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  UniqueFd server_;
  UniqueFd client_;
};

TEST(Crowd, TheOneThatHasWaitedLongestGivesItsPlace) {
  Crowd crowd(2);
  Connected first;
  Connected second;
  Connected third;
  Crowd::Member* a = crowd.Enter(first.server());
  Crowd::Member* b = crowd.Enter(second.server());
  EXPECT_FALSE(first.Ended());
  Crowd::Member* c = crowd.Enter(third.server());
  EXPECT_TRUE(first.Ended());
  EXPECT_FALSE(second.Ended());
  EXPECT_FALSE(third.Ended());
  for (Crowd::Member* member : {a, b, c}) crowd.Leave(member);
  EXPECT_EQ(crowd.size(), 0u);
}

TEST(Crowd, StrangersGiveTheirPlacesFirst) {
  Crowd crowd(2);
  Connected known;
  Connected stranger;
  Connected late;
  Connected later;
  crowd.Known(crowd.Enter(known.server()));
  crowd.Enter(stranger.server());
  crowd.Known(crowd.Enter(late.server()));
  EXPECT_FALSE(known.Ended());
  EXPECT_TRUE(stranger.Ended());
}

TEST(Crowd, WhereAllAreKnownTheLongestGivesItsPlace) {
  Crowd crowd(1);
  Connected first;
  Connected second;
  crowd.Known(crowd.Enter(first.server()));
  crowd.Enter(second.server());
  EXPECT_TRUE(first.Ended());
}

TEST(Crowd, WhoHasAskedIsNotToBlame) {
  Crowd crowd(1);
  Connected asked;
  Connected slow;
  Connected late;
  Crowd::Member* a = crowd.Enter(asked.server());
  crowd.Asked(a);
  crowd.Asked(a);
  Crowd::Member* b = crowd.Enter(slow.server());
  EXPECT_FALSE(asked.Ended());
  EXPECT_FALSE(slow.Ended());
  crowd.Answered(a);
  crowd.Answered(a);
  Crowd::Member* c = crowd.Enter(late.server());
  EXPECT_TRUE(slow.Ended());  // since before `a` began to wait anew
  EXPECT_FALSE(asked.Ended());
  for (Crowd::Member* member : {c, b, a}) crowd.Leave(member);
}

TEST(Crowd, WhereAllHaveAskedNobodyGoes) {
  Crowd crowd(1);
  Connected one;
  Connected two;
  Crowd::Member* a = crowd.Enter(one.server());
  crowd.Asked(a);
  Crowd::Member* b = crowd.Enter(two.server());
  EXPECT_FALSE(one.Ended());
  EXPECT_FALSE(two.Ended());
  crowd.Leave(a);
  crowd.Leave(b);
}

}  // namespace
}  // namespace trims::admin

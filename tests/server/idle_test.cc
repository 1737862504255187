// When the server says that nobody needs the daemon any more.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdleExit{5};

TEST(IdleTest, SaysSoOnceNobodyIsThere) {
  std::promise<void> idle;
  ServerOptions options;
  options.idle_exit = milliseconds(1);
  options.on_idle = [&] { idle.set_value(); };
  ServerHarness harness(std::move(options));
  idle.get_future().wait();
}

TEST(IdleTest, AConnectionKeepsTheDaemonAndItsEndLetsItGo) {
  std::atomic<int> times_idle = 0;
  ServerOptions options;
  options.idle_exit = kIdleExit;
  options.on_idle = [&] {
    ++times_idle;
    times_idle.notify_all();
  };
  ServerHarness harness(std::move(options));
  int before_the_end = 0;
  {
    RawClient client(harness.socket_path());
    ASSERT_TRUE(client.Document(wire::ListRequest{}).ok());
    before_the_end = times_idle;  // it may have been idle before the connection came
    // A connection that comes and goes starts the wait anew; the one that stays forbids it.
    RawClient(harness.socket_path()).Disconnect();
    ASSERT_TRUE(client.Document(wire::ListRequest{}).ok());
    harness.RunTimersDueWithin(4 * kIdleExit);
    EXPECT_EQ(times_idle, before_the_end);
  }
  times_idle.wait(before_the_end);
}

}  // namespace
}  // namespace trims::test

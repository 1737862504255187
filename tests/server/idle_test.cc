// When the server says that nobody needs the daemon any more.
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using std::chrono::milliseconds;

TEST(IdleTest, SaysSoOnceNobodyIsThere) {
  std::promise<void> idle;
  ServerOptions options;
  options.idle_exit = milliseconds(1);
  options.on_idle = [&] { idle.set_value(); };
  ServerHarness harness(std::move(options));
  idle.get_future().wait();
}

TEST(IdleTest, AConnectionKeepsTheDaemonAndItsEndLetsItGo) {
  std::atomic<bool> connected = true;
  std::promise<bool> idle_while_connected;
  ServerOptions options;
  options.idle_exit = milliseconds(30);
  options.on_idle = [&] { idle_while_connected.set_value(connected); };
  ServerHarness harness(std::move(options));
  harness.AddModel("ocr");
  {
    RawClient client(harness.socket_path());
    ASSERT_TRUE(client.OpenLease("ocr").ok());
    // A connection that comes and goes starts the wait anew; the one that stays forbids it.
    RawClient(harness.socket_path()).Disconnect();
    std::promise<void> later;
    harness.OnLoop([&] {});
    ASSERT_TRUE(client.OpenLease("ocr").ok());
    connected = false;
  }
  EXPECT_FALSE(idle_while_connected.get_future().get());
}

}  // namespace
}  // namespace trims::test

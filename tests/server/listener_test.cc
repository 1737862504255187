#include "server/listener.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "base/fault.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"

namespace trims::test {
namespace {

constexpr auto kLongerThanARest = std::chrono::milliseconds(150);

// A draining server asks who still waits, also while its listener rests. The rest that began twice
// is over with the listener: a timer of it that went on would find no listener (the sanitizers
// see it).
TEST(ListenerTest, ARestThatIsAskedForTwiceEndsWithTheListener) {
  const ScratchFolder folder;
  const std::unique_ptr<EventLoop> loop = *EventLoop::Create();
  auto listener = std::make_unique<Listener>(
      loop.get(), *wire::ListenOn(folder / "s", 0600, 1),
      Listener::Callbacks{.accepted = [](UniqueFd) { ADD_FAILURE() << "nobody is there"; },
                          .refused = [](UniqueFd, const Status&) { ADD_FAILURE(); },
                          .may_log = [] { return false; }});
  ASSERT_TRUE(listener->Start().ok());
  {
    const fault::ScopedPlan plan({.op = fault::Op::kAccept, .nth = 1, .error = EMFILE, .count = 4});
    EXPECT_FALSE(listener->AcceptWaiting());
    EXPECT_FALSE(listener->AcceptWaiting());
  }
  listener.reset();
  loop->CallAfter(kLongerThanARest, [&] { loop->Stop(); });
  loop->Run();
}

}  // namespace
}  // namespace trims::test

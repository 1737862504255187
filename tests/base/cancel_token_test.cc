#include "base/cancel_token.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

TEST(CancelTokenTest, WatchesHearOfItOnce) {
  CancelToken token;
  int calls = 0;
  {
    const CancelToken::Watch gone(&token, [&calls] { calls += 100; });
  }
  const CancelToken::Watch watch(&token, [&calls] { ++calls; });
  EXPECT_FALSE(token.cancelled());
  token.Cancel();
  EXPECT_TRUE(token.cancelled());
  EXPECT_EQ(calls, 1);
  const CancelToken::Watch late(&token, [&calls] { calls += 10; });
  EXPECT_EQ(calls, 11);
}

}  // namespace
}  // namespace trims

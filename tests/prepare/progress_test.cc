#include "prepare/progress.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include <nlohmann/json.hpp>

#include "base/unique_fd.h"

namespace trims {
namespace {

// The line that says so.
std::string LineOf(const Status& status) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  MakeJsonProgress(to.get())->Fail(status);
  char line[16 * 1024];
  const ssize_t got = ::read(from.get(), line, sizeof(line));
  return got < 0 ? "" : std::string(line, static_cast<size_t>(got));
}

TEST(PrepareProgress, WhateverAnErrorHoldsTheLineIsNoLongerThanPromised) {
  for (const char worst : {'\xff', '\xc3', '"', '\\', '\x01', '\x7f', 'a'}) {
    const std::string text(10'000, worst);
    const std::string line = LineOf(Status(StatusCode::kFailedPrecondition, text, text));
    EXPECT_LE(line.size(), kMaxProgressLine) << int{worst};
    const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << line;
    EXPECT_EQ(parsed["error"]["code"], "FAILED_PRECONDITION");
  }
}

TEST(PrepareProgress, AShortErrorIsGivenWhole) {
  const nlohmann::json line =
      nlohmann::json::parse(LineOf(Status(StatusCode::kDataLoss, "truncated", "get it again")));
  EXPECT_EQ(line["error"]["message"], "truncated");
  EXPECT_EQ(line["error"]["hint"], "get it again");
}

}  // namespace
}  // namespace trims

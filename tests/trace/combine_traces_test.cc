#include "trace/combine_traces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "support/scratch_folder.h"
#include "trace/chrome_text.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

std::string OfProcess(int64_t pid) {
  return "[" + ChromeWriterText({.pid = pid, .program = "f"}) +
         ",{\"ph\":\"X\",\"pid\":" + std::to_string(pid) + "}]";
}

class CombineTracesTest : public ::testing::Test {
 protected:
  Json Out() const { return Json::parse(std::ifstream(out_)); }
  std::multiset<int64_t> SpansPids() const {
    std::multiset<int64_t> pids;
    for (const Json& event : Out()) {
      if (event["ph"] == "X") pids.insert(event["pid"].get<int64_t>());
    }
    return pids;
  }

  const ScratchFolder folder_;
  const std::string out_ = folder_ / "all.json";
};

TEST_F(CombineTracesTest, ProcessesOfOneNumberAreKeptApart) {
  const std::string a = folder_.Write("a.json", OfProcess(17));
  const std::string b = folder_.Write("b.json", OfProcess(17));
  const std::string c = folder_.Write("c.json", OfProcess(18));
  // The daemon's view of the first process belongs to it.
  const std::string daemon =
      folder_.Write("d.json", "[" + ChromeWriterText({.pid = 5'000'000, .program = "trims"}) +
                                  R"(,{"ph":"X","pid":17}])");
  const Result<CombinedTraces> combined = CombineTraces({a, b, c, daemon}, out_);
  ASSERT_TRUE(combined.ok()) << combined.status().ToString();
  EXPECT_EQ(combined->renumbered, 1U);
  EXPECT_EQ(combined->events, 8U);
  EXPECT_EQ(SpansPids(), (std::multiset<int64_t>{17, 17, 18, 6'000'000}));
}

// Numbers that were given before may be in any of the files.
TEST_F(CombineTracesTest, WhatWasCombinedCanBeCombinedAgain) {
  const std::string a = folder_.Write("a.json", OfProcess(17));
  const std::string both = folder_ / "both.json";
  ASSERT_TRUE(CombineTraces({a, folder_.Write("b.json", OfProcess(17))}, both).ok());
  const std::string again = folder_.Write("again.json", OfProcess(17));
  ASSERT_TRUE(CombineTraces({both, again}, out_).ok());
  EXPECT_EQ(SpansPids(), (std::multiset<int64_t>{17, 6'000'000, 6'000'001}));
  ASSERT_TRUE(CombineTraces({again, both}, out_).ok());
  EXPECT_EQ(SpansPids(), (std::multiset<int64_t>{17, 6'000'000, 6'000'001}));
}

TEST_F(CombineTracesTest, WhatIsCutOffIsTaken) {
  const std::string a = folder_.Write("a.json", R"([{"ph":"X","pid":1},{"ph":"X","p)");
  const Result<CombinedTraces> combined = CombineTraces({a}, out_);
  ASSERT_TRUE(combined.ok()) << combined.status().ToString();
  EXPECT_EQ(combined->cut_off, std::vector<std::string>{a});
  EXPECT_EQ(Out().size(), 1U);
}

TEST_F(CombineTracesTest, WhatIsNoTraceIsNamed) {
  const std::string a = folder_.Write("a.json", "no trace");
  const Status status = CombineTraces({a}, out_).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(a));
}

TEST_F(CombineTracesTest, NoneIsOverwrittenByAllOfThem) {
  const std::string a = folder_.Write("a.json", OfProcess(17));
  std::filesystem::create_hard_link(a, out_);
  EXPECT_EQ(CombineTraces({a}, out_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Json::parse(std::ifstream(a)).size(), 2U);
}

TEST_F(CombineTracesTest, MoreThanFitInOneWrite) {
  std::string many = "[{\"ph\":\"X\"}";
  for (int i = 0; i < 1000; ++i) many += ",{\"ph\":\"X\"}";
  const std::string a = folder_.Write("a.json", many + "]");
  ASSERT_TRUE(CombineTraces({a, a}, out_).ok());
  EXPECT_EQ(Out().size(), 2002U);
}

}  // namespace
}  // namespace trims::test

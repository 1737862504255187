// What is counted of how long opens took.
#include "server/open_latencies.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <string>
#include <vector>

#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;

size_t FilledBucket(const LatencyHistogram& histogram) {
  const auto& counts = histogram.counts();
  size_t i = 0;
  while (i < counts.size() && counts[i] == 0) ++i;
  return i;
}

size_t BucketOf(Duration took) {
  LatencyHistogram histogram;
  histogram.Record(took);
  return FilledBucket(histogram);
}

TEST(LatencyHistogram, BoundsAreInclusiveAndTheLastBucketIsBeyondThem) {
  EXPECT_EQ(BucketOf(nanoseconds(0)), 0u);
  EXPECT_EQ(BucketOf(nanoseconds(-1)), 0u);
  EXPECT_EQ(BucketOf(microseconds(5)), 0u);
  EXPECT_EQ(BucketOf(microseconds(5) + nanoseconds(1)), 1u);
  EXPECT_EQ(BucketOf(minutes(5)), LatencyHistogram::kBoundsUs.size() - 1);
  EXPECT_EQ(BucketOf(minutes(5) + nanoseconds(1)), LatencyHistogram::kBoundsUs.size());
}

TEST(LatencyHistogram, SumsWhatItCounted) {
  LatencyHistogram histogram;
  histogram.Record(microseconds(7));
  histogram.Record(nanoseconds(500));
  EXPECT_EQ(histogram.sum_ns(), 7500u);
  EXPECT_EQ(std::accumulate(histogram.counts().begin(), histogram.counts().end(), 0u), 2u);
}

TEST(OpenLatencies, ATierThatNobodyKnowsCountsForTheFirstAndADeviceForItsTier) {
  OpenLatencies latencies({{.name = "host"}, {.name = "device:0", .device = "sim:3"}});
  latencies.Record("device:0", OpenEnd::kMiss, microseconds(1));
  latencies.Record("sim:3", OpenEnd::kMiss, microseconds(1));
  latencies.Record("no such", OpenEnd::kFailed, microseconds(1));
  latencies.Record("", OpenEnd::kFailed, microseconds(1));
  ASSERT_EQ(latencies.tiers().size(), 2u);
  EXPECT_EQ(latencies.tiers()[0].by_end[3].counts()[0], 2u);
  EXPECT_EQ(latencies.tiers()[1].by_end[2].counts()[0], 2u);
}

uint64_t OpensThat(const nlohmann::json& status, const std::string& outcome) {
  for (const auto& series : status["open_latency"]["series"]) {
    if (series["outcome"] != outcome) continue;
    const auto counts = series["counts"].get<std::vector<uint64_t>>();
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  }
  return 0;
}

TEST(OpenLatencies, StandInTheStatusByTheirOutcome) {
  ServerHarness harness;
  harness.AddModel("ocr", 2);
  RawClient client(harness.socket_path());
  EXPECT_TRUE(client.OpenLease("ocr").ok());
  EXPECT_TRUE(client.OpenLease("ocr").ok());
  EXPECT_TRUE(client.OpenLease("ocr").ok());
  EXPECT_FALSE(client.OpenLease("unknown").ok());
  const nlohmann::json status = harness.StatusDocument();
  EXPECT_EQ(OpensThat(status, "miss"), 1u);
  EXPECT_EQ(OpensThat(status, "hit"), 2u);
  EXPECT_EQ(OpensThat(status, "joined"), 0u);
  EXPECT_EQ(OpensThat(status, "failed"), 1u);
  EXPECT_EQ(status["open_latency"]["bounds_us"].size() + 1,
            status["open_latency"]["series"][0]["counts"].size());
}

}  // namespace
}  // namespace trims::test

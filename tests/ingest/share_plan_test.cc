#include "ingest/share_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "base/granularity.h"
#include "base/mapping.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kBlock = kShareBlockBytes;

// A block's content, by a number.
Sha256::Digest Content(uint64_t number) {
  Sha256 hash;
  hash.Update(std::to_string(number));
  return hash.Finish();
}

std::vector<Sha256::Digest> Contents(const std::vector<uint64_t>& numbers) {
  std::vector<Sha256::Digest> digests;
  for (const uint64_t number : numbers) digests.push_back(Content(number));
  return digests;
}

ImagePtr Candidate(const std::string& key, const std::vector<uint64_t>& numbers) {
  Image image{.reference = "default/" + key + ":1",
              .digest = {},
              .variant_key = {},
              .key = key,
              .source = {},
              .variant = {}};
  image.variant.extents = {
      {.length = numbers.size() * kBlock, .pieces = {}, .blocks = Contents(numbers)}};
  return std::make_shared<const Image>(std::move(image));
}

SharePlan Plan(const std::vector<uint64_t>& numbers, const std::vector<ImagePtr>& candidates) {
  return PlanSharing({numbers.size() * kBlock}, {Contents(numbers)}, candidates);
}

TEST(SharePlan, WhatNobodyHasIsOneExtentAsItIs) {
  const SharePlan plan = Plan({1, 2, 3}, {});
  EXPECT_TRUE(plan.plain());
  EXPECT_EQ(plan.own_length, 3 * kBlock);
  EXPECT_EQ(plan.blocks, Contents({1, 2, 3}));
}

TEST(SharePlan, WhatAnotherHasIsBorrowedInRuns) {
  const SharePlan plan = Plan({1, 2, 9, 4}, {Candidate("base", {1, 2, 3, 4})});
  ASSERT_EQ(plan.borrowed.size(), 1u);
  EXPECT_THAT(plan.runs, ElementsAre(ManifestRun{1, 0, 0, 2 * kBlock}, ManifestRun{0, 0, 0, kBlock},
                                     ManifestRun{1, 0, 3 * kBlock, kBlock}));
  EXPECT_EQ(plan.own_length, kBlock);
  EXPECT_EQ(plan.blocks, Contents({9}));
}

TEST(SharePlan, SomethingIsAlwaysItsOwn) {
  const SharePlan plan = Plan({1, 2}, {Candidate("base", {1, 2})});
  EXPECT_EQ(plan.own_length, kBlock);
  EXPECT_THAT(plan.runs, ElementsAre(ManifestRun{1, 0, 0, kBlock}, ManifestRun{0, 0, 0, kBlock}));
}

TEST(SharePlan, APartOfWhichLittleIsWantedIsNotBorrowed) {
  const SharePlan plan = Plan({1, 2, 3, 4}, {Candidate("other", {1, 20, 21, 22})});
  EXPECT_THAT(plan.borrowed, IsEmpty());
  EXPECT_TRUE(plan.plain());
}

TEST(SharePlan, EqualBlocksOfItsOwnLieThereOnce) {
  const SharePlan plan = Plan({5, 5, 6, 5}, {});
  EXPECT_EQ(plan.own_length, 2 * kBlock);
  EXPECT_THAT(plan.runs, ElementsAre(ManifestRun{0, 0, 0, kBlock}, ManifestRun{0, 0, 0, 2 * kBlock},
                                     ManifestRun{0, 0, 0, kBlock}));
}

TEST(SharePlan, EndsAreNeverBorrowedAndLieBehindWholeBlocks) {
  const std::vector<uint64_t> lengths = {kBlock + 5, kBlock + 7};
  const SharePlan plan = PlanSharing(lengths, {Contents({1, 2}), Contents({3, 4})}, {});
  EXPECT_THAT(plan.runs, ElementsAre(ManifestRun{0, 0, 0, kBlock}, ManifestRun{0, 0, 2 * kBlock, 5},
                                     ManifestRun{0, 0, kBlock, kBlock},
                                     ManifestRun{0, 0, 2 * kBlock + kPageSize, 7}));
  EXPECT_EQ(plan.blocks.size(), 2u);
}

TEST(SharePlan, TooManyShortRunsAreWrittenAnew) {
  std::vector<uint64_t> base;
  std::vector<uint64_t> tuned;
  for (uint64_t i = 0; i < 4 * wire::kMaxRuns; ++i) {
    base.push_back(i);
    tuned.push_back(i % 2 == 0 || i > 3 * wire::kMaxRuns ? i : 1'000'000 + i);
  }
  const SharePlan plan = Plan(tuned, {Candidate("base", base)});
  EXPECT_LE(plan.runs.size(), wire::kMaxRuns);
  EXPECT_EQ(plan.borrowed.size(), 1u);  // the long run at the end
}

// Whatever is shared: the runs make each block of what was asked for, and only of what is there.
TEST(SharePlan, RandomModelsAreMadeOfTheirBlocks) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const auto numbers = [&](size_t count) {
      std::vector<uint64_t> made;
      for (size_t i = 0; i < count; ++i) made.push_back(random() % 30);
      return made;
    };
    std::vector<ImagePtr> candidates;
    for (uint64_t i = random() % 6; i > 0; --i)
      candidates.push_back(Candidate("c" + std::to_string(i), numbers(1 + random() % 12)));
    std::vector<uint64_t> lengths;
    std::vector<std::vector<Sha256::Digest>> blocks;
    for (uint64_t i = 1 + random() % 3; i > 0; --i) {
      const uint64_t count = 1 + random() % 20;
      lengths.push_back(count * kBlock - random() % 2 * 5);
      blocks.push_back(Contents(numbers(count)));
    }
    const SharePlan plan = PlanSharing(lengths, blocks, candidates);
    ASSERT_FALSE(plan.own.empty());
    std::map<uint64_t, Sha256::Digest> own;  // by place
    for (const SharePlan::Own& written : plan.own)
      own[written.to] = blocks[written.extent][written.at / kBlock];
    std::vector<ManifestRun> runs = plan.runs;
    if (plan.plain()) runs = {{.length = lengths.front()}};
    size_t run = 0;
    uint64_t in_run = 0;
    for (size_t extent = 0; extent < lengths.size(); ++extent) {
      for (uint64_t at = 0; at < lengths[extent]; at += kBlock) {
        ASSERT_LT(run, runs.size());
        const uint64_t place = runs[run].offset + in_run;
        const Sha256::Digest found =
            runs[run].part == 0
                ? own.at(place)
                : plan.borrowed[runs[run].part - 1]->variant.extents[0].blocks.at(place / kBlock);
        ASSERT_EQ(found, blocks[extent][at / kBlock]) << round;
        in_run += std::min(kBlock, lengths[extent] - at);
        if (in_run < runs[run].length) continue;
        ASSERT_EQ(in_run, runs[run].length);
        ++run;
        in_run = 0;
      }
    }
    ASSERT_EQ(run, runs.size());
  }
}

}  // namespace
}  // namespace trims

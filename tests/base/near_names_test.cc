#include "base/near_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Names = std::vector<std::string>;

const Names kCommands = {"add", "ls", "show", "rm", "status", "doctor", "version", "completion"};

TEST(EditDistanceTest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("status", "status"), 0u);
  EXPECT_EQ(EditDistance("status", "stats"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(EditDistanceTest, ASwapOfNeighboursIsOneSlip) {
  EXPECT_EQ(EditDistance("status", "statsu"), 1u);
  EXPECT_EQ(EditDistance("mdi", "mid"), 1u);
}

TEST(NearNamesTest, FindsSlips) {
  EXPECT_THAT(NearNames("lss", kCommands, 1), ElementsAre("ls"));
  EXPECT_THAT(NearNames("sl", kCommands, 1), ElementsAre("ls"));
  EXPECT_THAT(NearNames("stauts", kCommands, 1), ElementsAre("status"));
  EXPECT_THAT(NearNames("docter", kCommands, 1), ElementsAre("doctor"));
  EXPECT_THAT(NearNames("mdi", Names{"big", "mid"}, 3), ElementsAre("mid"));
}

TEST(NearNamesTest, FindsBeginningsAndParts) {
  EXPECT_THAT(NearNames("comp", kCommands, 1), ElementsAre("completion"));
  EXPECT_THAT(NearNames("ocr", Names{"bert", "vision/ocr-large"}, 3),
              ElementsAre("vision/ocr-large"));
}

TEST(NearNamesTest, NearestFirstAndNoMoreThanAskedFor) {
  const Names known = {"resnet152", "bert", "resnet18", "resnet50", "resnet101"};
  EXPECT_THAT(NearNames("resnet5", known, 3), ElementsAre("resnet50", "resnet152", "resnet18"));
  EXPECT_THAT(NearNames("resnet5", known, 1), ElementsAre("resnet50"));
  EXPECT_EQ(NearestName("resnet5", known), "resnet50");
}

TEST(NearNamesTest, NamesNothingForAnotherWord) {
  EXPECT_THAT(NearNames("launch", kCommands, 3), IsEmpty());
  EXPECT_EQ(NearestName("launch", kCommands), "");
  EXPECT_THAT(NearNames("x", Names{}, 3), IsEmpty());
  EXPECT_THAT(NearNames("", kCommands, 3), IsEmpty());
}

TEST(NearNamesTest, ANameIsNamedOnce) {
  const std::vector<std::string> known = {"c", "c", "cd"};
  EXPECT_EQ(NearNames("cc", known, 3), (std::vector<std::string>{"c", "cd"}));
}

// Beyond that only those are found that need no distance.
TEST(NearNamesTest, DistancesAreFoundAsLongAsTheyCostLittle) {
  std::vector<std::string> known(3000, std::string(100, 'x'));
  const std::string wanted(100, 'y');
  known.push_back(wanted.substr(0, 99) + "z");
  known.push_back(wanted + "-v2");
  EXPECT_EQ(NearNames(wanted, known, 3), std::vector<std::string>{wanted + "-v2"});
}

TEST(NearNamesTest, TheWorkIsBounded) {
  EXPECT_THAT(NearNames(std::string(129, 'a'), Names{std::string(129, 'a')}, 3), IsEmpty());
  size_t asked = 0;
  const auto name_at = [&asked](size_t) -> std::string_view {
    ++asked;
    return "other";
  };
  EXPECT_THAT(NearNames("wanted", size_t{1} << 40, name_at, 3), IsEmpty());
  EXPECT_EQ(asked, 4096u);
}

TEST(AlternativesTest, JoinsAsASentenceWould) {
  EXPECT_EQ(Alternatives({}), "");
  EXPECT_EQ(Alternatives(Names{"a"}), "'a'");
  EXPECT_EQ(Alternatives(Names{"a", "b"}), "'a' or 'b'");
  EXPECT_EQ(Alternatives(Names{"a", "b", "c"}), "'a', 'b' or 'c'");
}

}  // namespace
}  // namespace trims

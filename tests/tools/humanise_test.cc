#include "tools/trims/humanise.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace trims::cli {
namespace {

using std::chrono::seconds;

TEST(HumanBytesTest, ChoosesTheUnitByItsSize) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1024), "1.0 KiB");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(53'897'625), "51.4 MiB");
  EXPECT_EQ(HumanBytes(uint64_t{512} << 20), "512 MiB");
  EXPECT_EQ(HumanBytes(uint64_t{3} << 40), "3.0 TiB");
}

TEST(HumanBytesTest, NeverPrintsAThousandAndTwentyFour) {
  EXPECT_EQ(HumanBytes((uint64_t{1} << 20) - 1), "1.0 MiB");
  EXPECT_EQ(HumanBytes((uint64_t{1} << 30) - 1), "1.0 GiB");
  EXPECT_EQ(HumanBytes(1023 * 1024), "1023 KiB");
}

TEST(HumanBytesTest, HoldsForTheLargestNumber) {
  EXPECT_EQ(HumanBytes(std::numeric_limits<uint64_t>::max()), "16.0 EiB");
}

TEST(CountedTest, UsesThePlural) {
  EXPECT_EQ(Counted(0, "model"), "0 models");
  EXPECT_EQ(Counted(1, "model"), "1 model");
  EXPECT_EQ(Counted(2, "entry", "entries"), "2 entries");
}

TEST(HumanDurationTest, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(HumanDuration(seconds(0)), "0 s");
  EXPECT_EQ(HumanDuration(seconds(59)), "59 s");
  EXPECT_EQ(HumanDuration(seconds(65)), "1 min 5 s");
  EXPECT_EQ(HumanDuration(seconds(5000)), "1 h 23 min");
  EXPECT_EQ(HumanDuration(seconds(86400 * 3 + 3600 * 4 + 5)), "3 d 4 h");
  EXPECT_EQ(HumanDuration(seconds(-5)), "0 s");
}

TEST(HumanAgeTest, ShowsOneUnit) {
  EXPECT_EQ(HumanAge(seconds(0)), "now");
  EXPECT_EQ(HumanAge(seconds(-100)), "now");
  EXPECT_EQ(HumanAge(seconds(5)), "5 s ago");
  EXPECT_EQ(HumanAge(seconds(199)), "3 min ago");
  EXPECT_EQ(HumanAge(seconds(7300)), "2 h ago");
  EXPECT_EQ(HumanAge(seconds(86400 * 40)), "40 d ago");
}

TEST(BarTest, IsFullOnlyAtTheEnd) {
  EXPECT_EQ(Bar(0, 100, 12), "[..........]");
  EXPECT_EQ(Bar(50, 100, 12), "[#####.....]");
  EXPECT_EQ(Bar(99, 100, 12), "[#########.]");
  EXPECT_EQ(Bar(100, 100, 12), "[##########]");
}

TEST(BarTest, StandsWrongNumbers) {
  EXPECT_EQ(Bar(7, 0, 12), "[..........]");
  EXPECT_EQ(Bar(200, 100, 12), "[##########]");
  EXPECT_EQ(Bar(1, 1, 0), "[#]");
}

TEST(PercentTest, RoundsDown) {
  EXPECT_EQ(Percent(1, 0), "-");
  EXPECT_EQ(Percent(0, 5), "0 %");
  EXPECT_EQ(Percent(999, 1000), "99 %");
  EXPECT_EQ(Percent(1000, 1000), "100 %");
  EXPECT_EQ(Percent(2000, 1000), "100 %");
}

TEST(PrintableTest, LeavesNoControlCharacter) {
  EXPECT_EQ(Printable("a\x1b[31m\n\x7f"), "a\\x1b[31m\\x0a\\x7f");
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "2J\xe2\x80\xae"),
            "a\\xc2\\x9b2J\\xe2\\x80\\xae");
  EXPECT_EQ(Printable("a\xff"), "a\\xff");
  EXPECT_EQ(Printable("Zürich 模"), "Zürich 模");
}

}  // namespace
}  // namespace trims::cli

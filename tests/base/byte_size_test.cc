#include "base/byte_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string_view>
#include <vector>

namespace trims {
namespace {

using ::testing::HasSubstr;

struct Size {
  std::string_view text;
  uint64_t bytes;
};

TEST(ParseByteSizeTest, TakesBytesUnitsAndShares) {
  for (const Size& size : std::vector<Size>{{"1073741824", 1073741824},
                                            {"0", 0},
                                            {"500MB", 500'000'000},
                                            {"8GiB", uint64_t{8} << 30},
                                            {"8 GiB", uint64_t{8} << 30},
                                            {"1.5GiB", uint64_t{3} << 29},
                                            {"64KiB", 65536},
                                            {"2TB", 2'000'000'000'000},
                                            {"18446744073709551615", UINT64_MAX},
                                            {"50%", 500},
                                            {"12.5%", 125},
                                            {"100%", 1000}}) {
    const Result<uint64_t> parsed = ParseByteSize(size.text, 1000);
    ASSERT_TRUE(parsed.ok()) << size.text << ": " << parsed.status().ToString();
    EXPECT_EQ(*parsed, size.bytes) << size.text;
  }
}

TEST(ParseByteSizeTest, AShareOfAllIsAllEvenWhereADoubleIsNotExact) {
  const Result<uint64_t> all = ParseByteSize("100%", UINT64_MAX);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(*all, UINT64_MAX);
}

TEST(ParseByteSizeTest, RefusesTheRest) {
  for (const std::string_view text : {"",
                                      " ",
                                      "GiB",
                                      "-1",
                                      "+1",
                                      "1e9",
                                      "8gib",
                                      "8 Gi B",
                                      "0x10",
                                      "18446744073709551616",
                                      "20000000TiB",
                                      "999999999999999999999.5TiB",
                                      "101%",
                                      "0%",
                                      "-5%",
                                      "%",
                                      "nan%",
                                      "inf",
                                      "1..5GiB",
                                      "5%%"}) {
    const Result<uint64_t> parsed = ParseByteSize(text, 1000);
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(ParseByteSizeTest, WithoutMemoryThereIsNoShareOfIt) {
  EXPECT_EQ(ParseByteSize("1.5GiB").value(), uint64_t{3} << 29);
  const Status status = ParseByteSize("50%").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.hint().find('%'), std::string::npos) << status.hint();
}

}  // namespace
}  // namespace trims

#include "trims/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "trims/dtype.h"
#include "trims/model.h"

#include "base/errno_status.h"
#include "base/macros.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

TEST(StatusTest, SaysCodeMessageAndHint) {
  EXPECT_EQ(Status().ToString(), "OK");
  EXPECT_EQ(Status(StatusCode::kNotFound, "no model 'x'", "trims ls").ToString(),
            "NOT_FOUND: no model 'x' (try: trims ls)");
  EXPECT_EQ(Status(StatusCode::kDataLoss, "").ToString(), "DATA_LOSS");
}

TEST(StatusTest, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(StatusCode::kInternal); ++code)
    names.insert(StatusCodeName(static_cast<StatusCode>(code)));
  EXPECT_EQ(names.size(), 15U);
  EXPECT_FALSE(names.contains("UNKNOWN"));
  EXPECT_EQ(StatusCodeName(static_cast<StatusCode>(15)), "UNKNOWN");
}

TEST(ResultTest, HoldsAValueOrAStatus) {
  Result<std::unique_ptr<int>> value = std::make_unique<int>(7);
  ASSERT_TRUE(value.ok());
  EXPECT_TRUE(value.status().ok());
  const std::unique_ptr<int> taken = *std::move(value);
  EXPECT_EQ(*taken, 7);
  const Result<int> error = Status(StatusCode::kTooLarge, "big");
  EXPECT_FALSE(error.ok());
  EXPECT_EQ(error.status().code(), StatusCode::kTooLarge);
  EXPECT_EQ(Result<int>(Status()).status().code(), StatusCode::kInternal);
}

TEST(ResultDeathTest, TheValueOfAnErrorEndsTheProgramWithTheStatus) {
  const Result<int> error = Status(StatusCode::kTooLarge, "big");
  EXPECT_DEATH((void)error.value(), "TOO_LARGE: big");
}

Result<int> Half(int value) {
  if (value % 2 != 0) return Status(StatusCode::kInvalidArgument, "odd");
  return value / 2;
}

Result<int> Quarter(int value) {
  TRIMS_ASSIGN_OR_RETURN(const int half, Half(value));
  TRIMS_RETURN_IF_ERROR(Half(half).status());
  return Half(half);
}

TEST(MacrosTest, ReturnTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().message(), "odd");
  EXPECT_EQ(Quarter(7).status().message(), "odd");
}

TEST(ErrnoStatusTest, MapsAndNamesTheError) {
  EXPECT_EQ(ErrnoStatus("opening", ENOENT).ToString(),
            "NOT_FOUND: opening: No such file or directory [ENOENT]");
  EXPECT_EQ(ErrnoStatus("x", EMFILE).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus("x", EPIPE).code(), StatusCode::kUnavailable);
  EXPECT_EQ(ErrnoStatus("x", EIO).code(), StatusCode::kDataLoss);
  EXPECT_EQ(ErrnoStatus("x", EINVAL).code(), StatusCode::kInternal);
  EXPECT_THAT(ErrnoStatus("x", 99999).message(), HasSubstr("unknown"));
}

TEST(NamesTest, GoBothWays) {
  for (int value = 1; value <= 27; ++value) {
    const auto dtype = static_cast<DType>(value);
    EXPECT_EQ(DTypeFromName(DTypeName(dtype)), dtype);
    EXPECT_GT(DTypeBits(dtype), 0U);
  }
  EXPECT_EQ(DTypeBits(static_cast<DType>(28)), 0U);
  EXPECT_EQ(DTypeSize(DType::kF32), 4U);
  EXPECT_EQ(DTypeSize(DType::kF4), 0U) << "no whole byte";
  EXPECT_EQ(DTypeName(static_cast<DType>(255)), "UNKNOWN");
  for (const Variant variant : {Variant::kFiles, Variant::kTensors, Variant::kOrt})
    EXPECT_EQ(*VariantFromName(VariantName(variant)), variant);
  EXPECT_EQ(VariantFromName("FILES").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trims

#include "cuda/cuda_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/cuda_standin.h"

namespace trims::cuda {
namespace {

using ::testing::HasSubstr;

TEST(CudaDriverTest, WithoutALibraryItSaysWhatToMount) {
  const Status status = LoadDriver("/nowhere/libcuda.so.1").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("/nowhere/libcuda.so.1"));
  EXPECT_THAT(status.hint(), HasSubstr("libcuda.so.1 and /dev/nvidia*"));
}

// Any library that has none of the functions.
TEST(CudaDriverTest, OneThatIsTooOldNamesWhatItLacks) {
  const Status status = LoadDriver("libm.so.6").status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("cuInit"));
}

TEST(CudaDriverTest, OneWithoutADeviceOrThatDoesNotStartIsTriedAgain) {
  const test::CudaStandin standin;
  standin.Set("STANDIN_DEVICES", "0");
  EXPECT_EQ(LoadDriver(standin.Path()).status().code(), StatusCode::kNotFound);
  standin.Set("STANDIN_DEVICES", "1");
  standin.Fail("cuInit", 1, kSystemDriverMismatch);
  const Status status = LoadDriver(standin.Path()).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("error 803"));
  standin.Fail("cuInit", 0, 0);
  const Result<const Api*> api = LoadDriver(standin.Path());
  ASSERT_TRUE(api.ok()) << api.status().ToString();
  EXPECT_EQ(*LoadDriver(standin.Path()), *api);
}

TEST(CudaDriverTest, ResultsAreTyped) {
  const test::CudaStandin standin;
  const Api& api = **LoadDriver(standin.Path());
  EXPECT_TRUE(Check(api, kSuccess, "cuMemMap").ok());
  const Status full = Check(api, kOutOfMemory, "cuMemCreate");
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(full.message(), "cuMemCreate: CUDA_ERROR_OUT_OF_MEMORY");
  EXPECT_EQ(Check(api, kEccUncorrectable, "cuMemMap").code(), StatusCode::kUnavailable);
  EXPECT_EQ(Check(api, kInvalidValue, "cuMemMap").code(), StatusCode::kInternal);
  EXPECT_EQ(Check(api, 12345, "cuMemMap").message(), "cuMemMap: error 12345");
}

TEST(CudaDriverTest, AUuidHasItsUsualForm) {
  Uuid uuid{};
  for (int i = 0; i < 16; ++i) uuid.bytes[i] = static_cast<unsigned char>(i * 17);
  EXPECT_EQ(TextOf(uuid), "00112233-4455-6677-8899-aabbccddeeff");
}

}  // namespace
}  // namespace trims::cuda

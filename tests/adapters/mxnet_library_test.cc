// Where there is no MXNet, or another library. A process has one for its life, so that the tests that have it are another program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "trims/mxnet.h"

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

class MxnetLibraryTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(daemon_.ready()) << daemon_.Log(); }

  Status WhyNot(const std::string& library) {
    Result<Client> client = daemon_.Connect();
    return mxnet::Predictor::Open(*client, "net", {}, {.library = library}).status();
  }

  const ScratchFolder folder_;
  DaemonProcess daemon_{folder_.path()};
};

TEST_F(MxnetLibraryTest, ALibraryThatIsNotThereIsNamed) {
  const Status status = WhyNot("/nowhere/libmxnet.so");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("no MXNet: /nowhere/libmxnet.so: cannot open"));
  EXPECT_THAT(status.hint(), HasSubstr("TRIMS_MXNET_LIBRARY"));
  ::setenv("TRIMS_MXNET_LIBRARY", "/elsewhere/libmxnet.so", 1);
  EXPECT_THAT(WhyNot("").message(), HasSubstr("no MXNet: /elsewhere/libmxnet.so"));
  ::unsetenv("TRIMS_MXNET_LIBRARY");
}

TEST_F(MxnetLibraryTest, AnotherLibraryIsRefused) {
  const Status status = WhyNot(TRIMS_ONNXRUNTIME_LIBRARY);
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("has no MXGetLastError: expected MXNet 1.9.1"));
}

// It answers as MXNet does, and says that it is another version.
TEST_F(MxnetLibraryTest, AnotherVersionIsRefused) {
  const Status status = WhyNot(TRIMS_OLD_MXNET_LIBRARY);
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("is of version 10800: expected MXNet 1.9.1"));
}

}  // namespace
}  // namespace trims::test

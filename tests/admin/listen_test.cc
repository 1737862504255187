// Where HTTP is served: sockets, their modes, their names.
#include "admin/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "support/scratch_folder.h"

namespace trims::admin {
namespace {

using ::testing::EndsWith;
using ::testing::Not;
using ::testing::StartsWith;

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class ListenTest : public ::testing::Test {
 protected:
  test::ScratchFolder folder_;
  const std::string path_ = folder_.path() + "/http.sock";
};

TEST_F(ListenTest, TheSocketHasItsModeAndGoesWithItsOwner) {
  {
    Result<UnixListener> listener = UnixListener::At(path_, 0600);
    ASSERT_TRUE(listener.ok()) << listener.status().ToString();
    EXPECT_EQ(ModeOf(path_), 0600u);
    EXPECT_TRUE(static_cast<bool>(listener->TakeSocket()));
    EXPECT_EQ(UnixListener::At(path_, 0600).status().code(), StatusCode::kAlreadyExists);
    EXPECT_EQ(ModeOf(path_), 0600u);
  }
  EXPECT_EQ(::access(path_.c_str(), F_OK), -1);
  EXPECT_TRUE(UnixListener::At(path_, 0660).ok());
}

TEST_F(ListenTest, WhatAKilledServerLeftIsReplacedAndNothingElse) {
  {
    Result<UnixListener> listener = UnixListener::At(path_, 0600);
    ASSERT_TRUE(listener.ok());
    ASSERT_EQ(::link(path_.c_str(), (path_ + ".kept").c_str()), 0);
  }
  ASSERT_EQ(::rename((path_ + ".kept").c_str(), path_.c_str()), 0);
  EXPECT_TRUE(UnixListener::At(path_, 0600).ok());
  std::ofstream(path_) << "precious";
  EXPECT_EQ(UnixListener::At(path_, 0600).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(ListenTest, AFolderThatOthersMayWriteIsRefused) {
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0770), 0);
  EXPECT_EQ(UnixListener::At(path_, 0600).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(UnixListener::At(folder_.path() + "/none/http.sock", 0600).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(UnixListener::At("/" + std::string(200, 'a'), 0600).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(ListenOnTcp, TakesAddressesOfNumbers) {
  Result<TcpListener> listener = ListenOnTcp("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status().ToString();
  EXPECT_TRUE(listener->loopback);
  EXPECT_THAT(listener->address, StartsWith("127.0.0.1:"));
  EXPECT_THAT(listener->address, Not(EndsWith(":0")));
  EXPECT_FALSE(ListenOnTcp("0.0.0.0:0")->loopback);
  for (const char* wrong : {"", "9090", ":9090", "localhost:9090", "127.0.0.1", "127.0.0.1:",
                            "127.0.0.1:65536", "127.0.0.1:9x", "[::1:9090", "::1:9090", "[]:1"}) {
    EXPECT_EQ(ListenOnTcp(wrong).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace trims::admin

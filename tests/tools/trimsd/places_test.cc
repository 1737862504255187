// Whose socket it is that goes, and what the process needs before it starts.
#include "tools/trimsd/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "support/scratch_folder.h"
#include "tools/trimsd/process_setup.h"
#include "wire/channel.h"

namespace trims::daemon {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PlacesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    DaemonOptions options;
    options.socket = folder_ / "run/trimsd.sock";
    options.data = folder_ / "data";
    Result<Places> claimed = Places::Claim(options);
    ASSERT_TRUE(claimed.ok()) << claimed.status().ToString();
    places_ = std::make_unique<Places>(*std::move(claimed));
    Result<UniqueFd> listening = wire::ListenOn(options.socket, 0600, 1);
    ASSERT_TRUE(listening.ok()) << listening.status().ToString();
    listening_ = *std::move(listening);
    ASSERT_TRUE(places_->NoteSocket().ok());
  }
  bool Exists() const { return fs::exists(fs::symlink_status(places_->socket())); }

  test::ScratchFolder folder_;
  std::unique_ptr<Places> places_;
  UniqueFd listening_;
};

TEST_F(PlacesTest, TheOwnSocketGoes) {
  places_->RemoveSocket();
  EXPECT_FALSE(Exists());
  places_->RemoveSocket();
}

TEST_F(PlacesTest, WhatSomebodyPutInItsPlaceStays) {
  fs::remove(places_->socket());
  std::ofstream(places_->socket()) << "precious";
  places_->RemoveSocket();
  EXPECT_TRUE(Exists());
}

// The number of a removed socket's inode is free for the next file, were it not held.
TEST_F(PlacesTest, AnotherSocketInItsPlaceStays) {
  fs::remove(places_->socket());
  listening_.reset();
  const Result<UniqueFd> other = wire::ListenOn(places_->socket(), 0600, 1);
  ASSERT_TRUE(other.ok());
  places_->RemoveSocket();
  EXPECT_TRUE(Exists());
}

TEST(ProcessSetupTest, TooFewOpenFilesAreRefusedWithBothNumbers) {
  EXPECT_TRUE(CheckOpenFiles(64).ok());
  EXPECT_TRUE(CheckOpenFiles(0).ok());
  const Status status = CheckOpenFiles(63);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("63 files, expected at least 64"));
  EXPECT_THAT(status.hint(), HasSubstr("LimitNOFILE"));
}

}  // namespace
}  // namespace trims::daemon

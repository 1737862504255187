#include "source/link_bounds.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

TEST(LinkBounds, OfAFolderAreTheFolder) {
  const LinkBounds bounds = LinkBounds::Of("/models/net", false);
  EXPECT_TRUE(bounds.Allow("/models/net/a/b"));
  EXPECT_FALSE(bounds.Allow("/models/net"));
  EXPECT_FALSE(bounds.Allow("/models/network/a"));
  EXPECT_FALSE(bounds.Allow("/etc/shadow"));
  EXPECT_TRUE(LinkBounds::Of("/models/net", true).Allow("/etc/shadow"));
}

TEST(LinkBounds, OfAHubsSnapshotAreItsRepository) {
  for (const char* folder :
       {"/hub/models--org--net/snapshots/1f", "/hub/models--net/snapshots/1f/onnx"}) {
    const LinkBounds bounds = LinkBounds::Of(folder, false);
    const std::string repository(HubRepositoryOf(folder));
    EXPECT_TRUE(bounds.Allow(repository + "/blobs/77")) << folder;
    EXPECT_FALSE(bounds.Allow("/hub/models--other--net/blobs/77")) << folder;
    EXPECT_FALSE(bounds.Allow("/hub/version.txt")) << folder;
  }
}

TEST(LinkBounds, AFolderOfThatNameInASnapshotIsNoRepository) {
  EXPECT_EQ(HubRepositoryOf("/hub/models--a--b/snapshots/1f/snapshots/x"), "/hub/models--a--b");
  EXPECT_EQ(HubRepositoryOf("/models--a--b/snapshots/1f/models--c--d/snapshots/2e"),
            "/models--a--b/snapshots/1f/models--c--d");
}

TEST(LinkBounds, WhatOnlyLooksLikeAHubIsAFolder) {
  for (const char* folder :
       {"/hub/models--/snapshots/1f", "/hub/net/snapshots/1f", "/models--a--b/snapshots",
        "/models--a--b/snapshots/", "/models--a--b/refs/1f", "models--a--b"}) {
    EXPECT_EQ(HubRepositoryOf(folder), "") << folder;
  }
}

TEST(LinkBounds, ARepositoryHasItsHubsName) {
  EXPECT_EQ(HubNameOf("/hub/models--org--net"), "org/net");
  EXPECT_EQ(HubNameOf("models--gpt2"), "gpt2");
  EXPECT_EQ(HubNameOf("/hub/net"), "");
}

}  // namespace
}  // namespace trims

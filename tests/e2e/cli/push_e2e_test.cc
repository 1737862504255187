// A model goes from one node to another by way of a bucket: MinIO's, where it is built, and one with faults.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "trims/client.h"

#include "base/child_process.h"
#include "base/program.h"
#include "base/unique_fd.h"
#include "e2e/cli/program.h"
#include "support/content.h"
#include "support/fake_s3.h"
#include "support/free_port.h"
#include "support/scratch_folder.h"
#include "transfer/http_client.h"

namespace trims::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "trims-test";
constexpr char kHushedKey[] = "hush-hush-hush";

// A daemon with a folder of its own, whose bucket is at that endpoint.
struct Node {
  explicit Node(const std::string& endpoint)
      : daemon(folder.path(), {{"AWS_ENDPOINT_URL", endpoint},
                               {"AWS_ACCESS_KEY_ID", kKey},
                               {"AWS_SECRET_ACCESS_KEY", kHushedKey}}) {}
  Ended Trims(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TRIMS_PROGRAM);
    return RunToEnd(arguments, {{"TRIMS_SOCKET", daemon.socket()}, {"HOME", folder.path()}});
  }

  ScratchFolder folder;
  DaemonProcess daemon;
};

class PushE2eTest : public ::testing::Test {
 protected:
  // Two large parts and a rest.
  std::string AddLarge(Node* node) {
    const std::string bytes = Content((33 << 20) + 12345);
    const Ended added = node->Trims({"add", "large:v1", node->folder.Write("large.bin", bytes)});
    EXPECT_EQ(added.code, 0) << added.err;
    return bytes;
  }
};

TEST_F(PushE2eTest, WhatOneNodePushesAnotherAddsAndOpens) {
  const std::string minio = std::string(TRIMS_SOURCE_FOLDER) + "/.cache/minio/minio";
  if (!IsProgram(minio)) GTEST_SKIP() << "no " << minio << ": scripts/fetch-minio builds it";
  const ScratchFolder data;
  const std::string address = "127.0.0.1:" + FreePort();
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Result<ChildProcess> child = ChildProcess::Spawn(
      {"/usr/bin/env", "HOME=" + data.path(), std::string("MINIO_ROOT_USER=") + kKey,
       std::string("MINIO_ROOT_PASSWORD=") + kHushedKey, minio, "server", "--quiet", "--address",
       address, "--console-address", "127.0.0.1:" + FreePort(), data / "s3"},
      nothing.get());
  ASSERT_TRUE(child.ok()) << child.status().ToString();
  const std::string endpoint = "http://" + address;
  HttpClient client({.attempts = 240,
                     .first_pause = std::chrono::milliseconds(50),
                     .longest_pause = std::chrono::milliseconds(250)});
  ASSERT_TRUE(client.Ask({.url = endpoint + "/minio/health/cluster"}).ok());
  const HttpSigning signing{"aws:amz:us-east-1:s3", kKey, kHushedKey, ""};
  ASSERT_TRUE(client.Ask({.method = "PUT", .url = endpoint + "/bucket", .signing = signing}).ok());

  Node one(endpoint);
  ASSERT_TRUE(one.daemon.ready()) << one.daemon.Log();
  const std::string bytes = AddLarge(&one);
  const std::string url = "s3://bucket/models/large/";
  for (int i = 0; i < 2; ++i) {
    const Ended pushed = one.Trims({"push", "large", url});
    ASSERT_EQ(pushed.code, 0) << pushed.err;
    EXPECT_THAT(pushed.out, HasSubstr("pushed large:v1"));
    EXPECT_THAT(pushed.out, HasSubstr(url));
  }
  EXPECT_THAT(one.Trims({"push", "large", "s3://nobucket/a/"}).err,
              ContainsRegex("s3://nobucket/a/.*NoSuchBucket"));
  EXPECT_THAT(one.daemon.Log(), Not(HasSubstr(kHushedKey)));
  one.daemon.End(SIGTERM);
  std::filesystem::remove_all(one.folder / "data");

  Node two(endpoint);
  ASSERT_TRUE(two.daemon.ready()) << two.daemon.Log();
  const Ended added = two.Trims({"add", "got:v1", url});
  ASSERT_EQ(added.code, 0) << added.err;
  ClientOptions options;
  options.socket_path = two.daemon.socket();
  Result<Client> connected = Client::Connect(options);
  ASSERT_TRUE(connected.ok()) << connected.status().ToString();
  const Result<Model> model = connected->Open("got");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  const Result<FileView> file = model->File("large.bin");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  ASSERT_EQ(file->bytes.size(), bytes.size());
  EXPECT_TRUE(std::ranges::equal(file->bytes, BytesOf(bytes)));
}

TEST_F(PushE2eTest, ADaemonThatStopsLeavesNoPartsBehind) {
  std::promise<void> asked;
  FakeS3 s3([&asked](const OriginRequest& request) -> std::optional<OriginReply> {
    if (request.target.find("partNumber=2&") == std::string::npos) return std::nullopt;
    asked.set_value();
    return OriginReply{.body = "1", .stall_after = 0};
  });
  Node node(s3.endpoint());
  ASSERT_TRUE(node.daemon.ready()) << node.daemon.Log();
  AddLarge(&node);
  Ended pushed;
  std::thread push([&] { pushed = node.Trims({"push", "large", "s3://bucket/large/"}); });
  asked.get_future().wait();
  node.daemon.End(SIGTERM);
  push.join();
  EXPECT_NE(pushed.code, 0) << pushed.out;
  EXPECT_EQ(s3.uploads(), 0u);
  EXPECT_EQ(s3.Count("DELETE"), 1);
  EXPECT_FALSE(s3.objects().contains("large/trims.json"));
}

TEST_F(PushE2eTest, WhereNothingCanBePushedToIsSaidByWhatThereIs) {
  FakeS3 s3;
  Node node(s3.endpoint());
  const Ended refused = node.Trims({"push", "large", "https://host/models/"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("push to a folder, file:///PATH, or to a bucket, s3://"));
  EXPECT_THAT(node.Trims({"push", "large", "s3://bucket/large"}).err,
              HasSubstr("s3://bucket/large/"));
}

}  // namespace
}  // namespace trims::test

// UploadToS3 against a bucket with every fault: what is there in the end is what was to be sent, or nothing of
// it is, and no parts are left.
#include "source/s3_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random_access.h"
#include "base/sha256.h"
#include "source/http_exchange.h"
#include "source/remote/scripted_exchange.h"
#include "source/s3_multipart.h"
#include "support/content.h"
#include "support/fake_s3.h"
#include "transfer/http_client.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kPart = 100'000;
constexpr char kHush[] = "hush-hush-hush";

class S3UploadTest : public ::testing::Test {
 protected:
  S3UploadTest() {
    patience_.first_pause = std::chrono::milliseconds(1);
    patience_.longest_pause = std::chrono::milliseconds(2);
    patience_.stall = std::chrono::seconds(20);
    patience_.attempts = 3;
  }

  // A file of the test's, as one to be sent.
  UploadFile FileOf(const std::string& name) {
    const std::string& bytes = files_.at(name);
    return {
        .name = name,
        .length = bytes.size(),
        .content = Sha256Hex(BytesOf(bytes)),
        .open = [this, &bytes, name]() -> Result<std::unique_ptr<RandomAccess>> {
          ++opened_;
          return std::unique_ptr<RandomAccess>(std::make_unique<SpanBytes>(BytesOf(bytes), name));
        }};
  }

  Status Upload(FakeS3& s3, const std::vector<std::string>& names, LengthsByName there = {}) {
    std::vector<UploadFile> files;
    for (const std::string& name : names) files.push_back(FileOf(name));
    return UploadFiles(s3, files, std::move(there));
  }

  Status UploadFiles(FakeS3& s3, const std::vector<UploadFile>& files, LengthsByName there = {}) {
    const Environment environment = EnvironmentOf({{"AWS_ACCESS_KEY_ID", "me"},
                                                   {"AWS_SECRET_ACCESS_KEY", kHush},
                                                   {"AWS_EC2_METADATA_DISABLED", "true"}});
    HttpClient client(patience_);
    HttpClient cleaner(patience_);
    AwsCredentialSource credentials(environment, ExchangeOver(&client));
    const S3Location location{.endpoint = s3.endpoint()};
    S3Bucket bucket("bucket", location, &credentials, ExchangeOver(&client));
    S3Bucket cleanup("bucket", location, &credentials, ExchangeOver(&cleaner));
    const CancelToken::Watch watch(&cancel_, [&client] { client.Cancel(); });
    const S3Target target{.bucket = &bucket,
                          .cleanup = &cleanup,
                          .prefix = *ParseSourceUri("s3://bucket/pre fix/"),
                          .there = std::move(there)};
    const UploadOptions options{.patience = patience_,
                                .part_bytes = kPart,
                                .progress =
                                    [this](uint64_t done, uint64_t total) {
                                      const std::lock_guard<std::mutex> lock(mutex_);
                                      told_.emplace_back(done, total);
                                    },
                                .cancel = &cancel_};
    const Status status = UploadToS3(target, files, options);
    EXPECT_THAT(status.ToString(), Not(HasSubstr(kHush)));
    EXPECT_EQ(s3.uploads(), 0u) << "parts are left";
    return status;
  }

  void ExpectThere(const FakeS3& s3, const std::string& name) {
    const auto objects = s3.objects();
    const auto found = objects.find("pre fix/" + name);
    ASSERT_TRUE(found != objects.end()) << name;
    EXPECT_TRUE(found->second.bytes == files_.at(name)) << name;
    EXPECT_EQ(found->second.content, Sha256Hex(BytesOf(files_.at(name))));
  }

  // The first `times` requests of that kind get the fault.
  static FakeS3::Fault FirstOf(const std::string& method, const std::string& within,
                               OriginReply fault, int times = 1) {
    return [=, left = std::make_shared<std::atomic<int>>(times)](
               const OriginRequest& request) -> std::optional<OriginReply> {
      const bool meant =
          request.method == method && request.target.find(within) != std::string::npos;
      if (!meant || --*left < 0) return std::nullopt;
      return fault;
    };
  }

  const std::map<std::string, std::string> files_ = {{"v/large", Content(10 * kPart + 1)},
                                                     {"v/b +\xC3\xA4", Content(kPart)},
                                                     {"v/empty", ""},
                                                     {"last", "{}"}};
  const std::vector<std::string> all_ = {"v/large", "v/b +\xC3\xA4", "v/empty", "last"};
  HttpPatience patience_;
  CancelToken cancel_;
  std::atomic<int> opened_ = 0;
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, uint64_t>> told_;
};

TEST_F(S3UploadTest, LargeFilesGoInPartsSmallOnesAtOnceAndTheLastOneLast) {
  FakeS3 s3;
  const Status status = Upload(s3, all_);
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (const std::string& name : all_) ExpectThere(s3, name);
  EXPECT_EQ(s3.Count("PUT", "partNumber="), 11);
  EXPECT_EQ(s3.Count("PUT"), 11 + 3);
  EXPECT_EQ(s3.Count("HEAD"), 0);
  EXPECT_THAT(s3.requests().back().target, HasSubstr("/last"));
  const uint64_t total = 11 * kPart + 3;
  EXPECT_EQ(told_.back(), std::pair(total, total));
  EXPECT_GT(told_.size(), 14u);
}

TEST_F(S3UploadTest, WhatIsThereIsNotSentAgain) {
  FakeS3 s3;
  ASSERT_TRUE(Upload(s3, all_).ok());
  const int sent = s3.Count("PUT");
  opened_ = 0;
  LengthsByName there;
  for (const auto& [name, bytes] : files_) there[name] = bytes.size();
  ASSERT_TRUE(Upload(s3, all_, there).ok());
  EXPECT_EQ(s3.Count("PUT"), sent);
  EXPECT_EQ(opened_, 0);
  EXPECT_EQ(told_.back().first, told_.back().second);
  // As long, and other bytes: what it is known by tells.
  s3.Put("pre fix/v/large", {std::string(10 * kPart + 1, 'x'), "another"});
  ASSERT_TRUE(Upload(s3, all_, there).ok());
  ExpectThere(s3, "v/large");
  EXPECT_EQ(s3.Count("PUT"), sent + 11);
}

TEST_F(S3UploadTest, WhatPassesIsSentAgain) {
  const OriginReply slow = FakeS3::Error(503, "SlowDown");
  OriginReply told = slow;
  told.headers = {"Retry-After: 0"};
  const OriginReply expired = FakeS3::Error(400, "ExpiredToken");
  const OriginReply done = {.body = "<Error><Code>InternalError</Code></Error>"};
  const std::vector<std::tuple<std::string, std::string, OriginReply>> faults = {
      {"PUT", "partNumber=3&", slow},
      {"PUT", "partNumber=3&", told},
      {"PUT", "partNumber=3&", FakeS3::Error(500, "InternalError")},
      {"PUT", "partNumber=3&", FakeS3::Error(429, "TooManyRequests")},
      {"PUT", "partNumber=3&", FakeS3::Error(400, "RequestTimeout")},
      {"PUT", "partNumber=3&", FakeS3::Error(400, "XAmzContentSHA256Mismatch")},
      {"PUT", "partNumber=3&", {.body = "123", .reset_after = 0}},
      {"PUT", "partNumber=3&", {.body = "123", .close_after = 1}},
      {"PUT", "partNumber=3&", expired},
      {"PUT", "%C3%A4", slow},
      {"PUT", "%C3%A4", expired},
      {"POST", "uploads=", slow},
      {"POST", "uploads=", expired},
      {"POST", "uploads=", {.body = "123", .close_after = 1}},
      {"POST", "uploadId=", slow},
      {"POST", "uploadId=", expired},
      {"POST", "uploadId=", done},
  };
  for (const auto& [method, within, fault] : faults) {
    SCOPED_TRACE(method + " " + within + " " + std::to_string(fault.status) + fault.body);
    FakeS3 s3(FirstOf(method, within, fault));
    const Status status = Upload(s3, all_);
    ASSERT_TRUE(status.ok()) << status.ToString();
    for (const std::string& name : all_) ExpectThere(s3, name);
  }
}

TEST_F(S3UploadTest, AnAnswerThatIsLostMayHaveBeenASuccess) {
  for (const std::string within : {"uploadId=", "partNumber=3&", "/last"}) {
    SCOPED_TRACE(within);
    const std::string method = within == "uploadId=" ? "POST" : "PUT";
    FakeS3 s3(FirstOf(method, within, {.body = "123", .reset_after = 1}), FakeS3::When::kAfter);
    const Status status = Upload(s3, all_);
    ASSERT_TRUE(status.ok()) << status.ToString();
    for (const std::string& name : all_) ExpectThere(s3, name);
  }
}

TEST_F(S3UploadTest, AConnectionThatIsResetWithinAPartCostsThatPart) {
  std::atomic<int> cuts = 0;
  FakeS3 s3({}, FakeS3::When::kInstead, [&cuts](const OriginRequest& request) -> int64_t {
    const bool third = request.target.find("partNumber=3&") != std::string::npos;
    return third && ++cuts <= 2 ? 50'000 : -1;
  });
  const Status status = Upload(s3, all_);
  ASSERT_TRUE(status.ok()) << status.ToString();
  ExpectThere(s3, "v/large");
  EXPECT_EQ(s3.Count("PUT", "partNumber="), 11);
}

TEST_F(S3UploadTest, WhatStaysWrongIsSaidAndLeavesNothing) {
  const std::vector<std::tuple<std::string, std::string, OriginReply, StatusCode>> faults = {
      {"PUT", "partNumber=3&", FakeS3::Error(403, "AccessDenied"), StatusCode::kPermissionDenied},
      {"PUT", "partNumber=3&", FakeS3::Error(400, "ExpiredToken"), StatusCode::kFailedPrecondition},
      {"PUT", "partNumber=3&", FakeS3::Error(503, "SlowDown"), StatusCode::kUnavailable},
      {"PUT", "partNumber=3&", FakeS3::Error(400, "BadDigest"), StatusCode::kDataLoss},
      {"PUT", "partNumber=3&", FakeS3::Error(404, "NoSuchUpload"), StatusCode::kNotFound},
      {"PUT", "partNumber=3&", {}, StatusCode::kInvalidArgument},
      {"PUT", "partNumber=3&", {.body = "123", .reset_after = 0}, StatusCode::kUnavailable},
      {"POST", "uploads=", FakeS3::Error(403, "AccessDenied"), StatusCode::kPermissionDenied},
      {"POST", "uploads=", {.body = "<html/>"}, StatusCode::kInvalidArgument},
      {"POST", "uploads=", FakeS3::Error(404, "NoSuchBucket"), StatusCode::kNotFound},
      {"POST", "uploadId=", FakeS3::Error(403, "AccessDenied"), StatusCode::kPermissionDenied},
      {"POST", "uploadId=", FakeS3::Error(404, "NoSuchUpload"), StatusCode::kNotFound},
      {"POST",
       "uploadId=",
       {.body = "<Error><Code>InternalError</Code></Error>"},
       StatusCode::kUnavailable},
      {"POST", "uploadId=", {.body = "<Comp"}, StatusCode::kFailedPrecondition},
      {"PUT", "/last", FakeS3::Error(403, "AccessDenied"), StatusCode::kPermissionDenied},
  };
  for (const auto& [method, within, fault, code] : faults) {
    SCOPED_TRACE(method + " " + within + " " + std::to_string(fault.status) + fault.body);
    FakeS3 s3(FirstOf(method, within, fault, 1000));
    const Status status = Upload(s3, all_);
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_FALSE(s3.objects().contains("pre fix/last"));
    if (fault.body.starts_with("<Error>")) {
      const std::string words = ParseS3Error(fault.body).code;
      EXPECT_THAT(status.message(), HasSubstr(words));
      EXPECT_THAT(status.message(), HasSubstr("'s3://bucket/pre%20fix/"));
      EXPECT_NE(status.hint(), "");
    }
  }
}

TEST_F(S3UploadTest, WhatCanNotBeReadIsNotSent) {
  class Damaged final : public RandomAccess {
   public:
    const std::string& name() const override { return name_; }
    uint64_t size() const override { return 10 * kPart + 1; }
    Status ReadAt(uint64_t offset, std::span<std::byte>) const override {
      return offset < 5 * kPart ? Status() : Status(StatusCode::kDataLoss, "damaged");
    }

   private:
    const std::string name_ = "v/large";
  };
  FakeS3 s3;
  UploadFile file = FileOf("v/large");
  file.open = []() -> Result<std::unique_ptr<RandomAccess>> {
    return std::unique_ptr<RandomAccess>(std::make_unique<Damaged>());
  };
  EXPECT_EQ(UploadFiles(s3, {file, FileOf("last")}).code(), StatusCode::kDataLoss);
  EXPECT_TRUE(s3.objects().empty());
  EXPECT_EQ(s3.Count("DELETE"), 1);
}

TEST_F(S3UploadTest, AFileThatHasAnotherLengthNowIsNotSent) {
  FakeS3 s3;
  UploadFile file = FileOf("v/large");
  --file.length;
  EXPECT_EQ(UploadFiles(s3, {file, FileOf("last")}).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(s3.requests().size(), 0u);
}

TEST_F(S3UploadTest, CancelledItLeavesNothing) {
  FakeS3 s3([this](const OriginRequest& request) -> std::optional<OriginReply> {
    if (request.target.find("partNumber=9&") != std::string::npos) cancel_.Cancel();
    return std::nullopt;
  });
  EXPECT_EQ(Upload(s3, all_).code(), StatusCode::kCancelled);
  EXPECT_FALSE(s3.objects().contains("pre fix/v/large"));
  EXPECT_FALSE(s3.objects().contains("pre fix/last"));
  EXPECT_EQ(s3.Count("DELETE"), 1);
  FakeS3 untouched;
  EXPECT_EQ(Upload(untouched, all_).code(), StatusCode::kCancelled);
  EXPECT_TRUE(untouched.objects().empty());
}

TEST_F(S3UploadTest, PartsThatCanNotBeRemovedAreNamed) {
  FakeS3 s3([](const OriginRequest& request) -> std::optional<OriginReply> {
    if (request.method == "DELETE") return FakeS3::Error(403, "AccessDenied");
    const bool part = request.target.find("partNumber=2&") != std::string::npos;
    return part ? std::optional(FakeS3::Error(403, "Forbidden")) : std::nullopt;
  });
  std::vector<UploadFile> files = {FileOf("v/large"), FileOf("last")};
  HttpClient client(patience_);
  AwsCredentialSource credentials(
      EnvironmentOf({{"AWS_ACCESS_KEY_ID", "me"}, {"AWS_SECRET_ACCESS_KEY", kHush}}),
      ExchangeOver(&client));
  S3Bucket bucket("bucket", {.endpoint = s3.endpoint()}, &credentials, ExchangeOver(&client));
  const S3Target target{
      .bucket = &bucket, .cleanup = &bucket, .prefix = *ParseSourceUri("s3://bucket"), .there = {}};
  const Status status = UploadToS3(target, files, {.patience = patience_, .part_bytes = kPart});
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("parts of 's3://bucket/v/large' are left there"));
}

TEST_F(S3UploadTest, WithoutCredentialsNothingIsSent) {
  FakeS3 s3;
  HttpClient client(patience_);
  AwsCredentialSource credentials(EnvironmentOf({{"AWS_EC2_METADATA_DISABLED", "true"}}),
                                  ExchangeOver(&client));
  S3Bucket bucket("bucket", {.endpoint = s3.endpoint()}, &credentials, ExchangeOver(&client));
  const S3Target target{.bucket = &bucket,
                        .cleanup = &bucket,
                        .prefix = *ParseSourceUri("s3://bucket/a/"),
                        .there = {}};
  const Status status = UploadToS3(target, {FileOf("last")}, {});
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.hint(), HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_TRUE(s3.requests().empty());
}

TEST(PartBytesTest, NoFileHasMorePartsThanAServiceTakes) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  EXPECT_EQ(PartBytesOf(0, kUploadPartBytes), kUploadPartBytes);
  EXPECT_EQ(PartBytesOf(kMaxPartsOfUpload * kUploadPartBytes, kUploadPartBytes), kUploadPartBytes);
  const uint64_t more = kMaxPartsOfUpload * kUploadPartBytes + 1;
  EXPECT_EQ(PartBytesOf(more, kUploadPartBytes), 17 * kMiB);
  EXPECT_GT(PartBytesOf(kMaxPartsOfUpload * kUploadMemory + 1, kUploadPartBytes), kUploadMemory);
}

}  // namespace
}  // namespace trims::test

// MinIO and Debian's docker-registry, each with data of its own: what is pushed there is listed and read
// through the stores. Skipped, with the reason, where the server isn't there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/program.h"
#include "base/random_access.h"
#include "base/sha256.h"
#include "base/unique_fd.h"
#include "source/http_request_of.h"
#include "source/open_remote_store.h"
#include "source/push_destination.h"
#include "source/remote/scripted_exchange.h"
#include "source/s3_destination.h"
#include "support/content.h"
#include "support/free_port.h"
#include "support/scratch_folder.h"
#include "transfer/http_client.h"

namespace trims {
namespace {

using test::FreePort;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUser[] = "trims-test";
constexpr char kPassword[] = "hush-hush-hush";

std::string HexOf(const std::string& bytes) { return Sha256Hex(std::as_bytes(std::span(bytes))); }

class RealServersTest : public ::testing::Test {
 protected:
  void Start(std::vector<std::string> command, const std::string& health) {
    command.insert(command.begin(),
                   {"/usr/bin/env", "HOME=" + data_.path(), std::string("MINIO_ROOT_USER=") + kUser,
                    std::string("MINIO_ROOT_PASSWORD=") + kPassword});
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Result<ChildProcess> child = ChildProcess::Spawn(command, nothing.get());
    ASSERT_TRUE(child.ok()) << child.status().ToString();
    child_.emplace(std::move(*child));
    // Whose own retries wait until the server listens.
    const Result<HttpResponse> there = client_.Ask({.url = health});
    ASSERT_TRUE(there.ok()) << there.status().ToString();
  }

  Result<HttpResponse> Send(const std::string& method, const std::string& url,
                            const std::string& body, bool sign,
                            std::vector<std::string> headers = {}) {
    HttpRequest request{
        .method = method, .url = url, .headers = std::move(headers), .signing = {}, .body = body};
    if (sign) request.signing = HttpSigning{"aws:amz:us-east-1:s3", kUser, kPassword, ""};
    Result<HttpResponse> response = client_.Ask(request);
    EXPECT_TRUE(response.ok()) << method << " " << url << ": " << response.status().ToString();
    if (response.ok()) {
      EXPECT_LT(response->status, 300) << method << " " << url << ": " << response->body;
    }
    return response;
  }

  Result<std::unique_ptr<OpenedStore>> Open(const std::string& uri,
                                            std::map<std::string, std::string> variables) {
    variables.emplace("HOME", data_.path());
    variables.emplace("AWS_EC2_METADATA_DISABLED", "true");
    return OpenRemoteStore(*ParseSourceUri(uri),
                           {.environment = test::EnvironmentOf(std::move(variables))});
  }

  std::string Read(RemoteStore* store, const RemoteFile& file) {
    Result<RemoteRequest> request = store->RequestFor(file);
    EXPECT_TRUE(request.ok()) << request.status().ToString();
    if (!request.ok()) return "";
    const Result<HttpResponse> response = client_.Ask(HttpRequestOf(*std::move(request)));
    EXPECT_TRUE(response.ok()) << response.status().ToString();
    return response.ok() ? response->body : "";
  }

  test::ScratchFolder data_;
  HttpClient client_{{.attempts = 240,
                      .first_pause = std::chrono::milliseconds(50),
                      .longest_pause = std::chrono::milliseconds(250)}};
  std::optional<ChildProcess> child_;
};

std::string MinioProgram() { return std::string(TRIMS_SOURCE_FOLDER) + "/.cache/minio/minio"; }

class MinioTest : public RealServersTest {
 protected:
  void SetUp() override {
    const std::string minio = MinioProgram();
    if (!IsProgram(minio)) GTEST_SKIP() << "no " << minio << ": scripts/fetch-minio builds it";
    const std::string port = FreePort();
    endpoint_ = "http://127.0.0.1:" + port;
    Start({minio, "server", "--quiet", "--address", "127.0.0.1:" + port, "--console-address",
           "127.0.0.1:" + FreePort(), data_ / "s3"},
          endpoint_ + "/minio/health/cluster");  // "ready" comes before requests are served
    (void)Send("PUT", endpoint_ + "/bucket", "", true);
  }

  std::map<std::string, std::string> Variables() const {
    return {{"AWS_ENDPOINT_URL", endpoint_},
            {"AWS_ACCESS_KEY_ID", kUser},
            {"AWS_SECRET_ACCESS_KEY", kPassword},
            {"AWS_EC2_METADATA_DISABLED", "true"},
            {"HOME", data_.path()}};
  }

  Status Upload(const std::string& uri, const std::vector<UploadFile>& files,
                std::map<std::string, std::string> variables) {
    auto destination = S3Destination::Open(
        *ParsePushDestination(uri),
        {.environment = test::EnvironmentOf(std::move(variables)), .patience = {.attempts = 2}});
    if (!destination.ok()) return destination.status();
    return (*destination)->Upload(files, {});
  }

  std::string endpoint_;
};

// Whose bytes from `readable` on can't be read.
class UpTo final : public RandomAccess {
 public:
  UpTo(const std::string& bytes, uint64_t readable) : bytes_(bytes), readable_(readable) {}
  const std::string& name() const override { return name_; }
  uint64_t size() const override { return bytes_.size(); }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override {
    if (offset + out.size() > readable_) return Status(StatusCode::kDataLoss, "damaged");
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return Status();
  }

 private:
  const std::string& bytes_;
  const uint64_t readable_;
  const std::string name_ = "the file";
};

UploadFile UploadOf(const std::string& name, const std::string& bytes, uint64_t readable) {
  return {.name = name,
          .length = bytes.size(),
          .content = HexOf(bytes),
          .open = [&bytes, readable]() -> Result<std::unique_ptr<RandomAccess>> {
            return std::unique_ptr<RandomAccess>(std::make_unique<UpTo>(bytes, readable));
          }};
}

TEST_F(MinioTest, WhatIsSentThereIsThere) {
  const std::string large = test::Content((33 << 20) + 1);
  const std::string small = "{}";
  const std::string name = "v 1+/\xC3\xA4.bin";
  const std::vector<UploadFile> files = {UploadOf(name, large, large.size()),
                                         UploadOf("last", small, small.size())};
  const std::string uri = "s3://bucket/pre fix/";
  for (int i = 0; i < 2; ++i) {
    const Status status = Upload(uri, files, Variables());
    ASSERT_TRUE(status.ok()) << status.ToString();
    const auto opened = Open(uri, Variables());
    const auto there = (*opened)->store().List();
    ASSERT_TRUE(there.ok()) << there.status().ToString();
    ASSERT_EQ(there->size(), 2u);
    EXPECT_EQ(Read(&(*opened)->store(), (*there)[0]), small);
    EXPECT_EQ((*there)[1].name, name);
    EXPECT_TRUE((*there)[1].etag.ends_with("-3\"")) << (*there)[1].etag;  // of three parts
    if (i > 0) {
      HttpRequest request = HttpRequestOf(*(*opened)->store().RequestFor((*there)[1]));
      request.headers = {"Range: bytes=16777200-16777300"};
      EXPECT_TRUE(client_.Ask(request)->body == large.substr(16777200, 101));
    }
  }
  // Of what fails half-way nothing stays, and what is wrong with the credentials is said.
  const std::string other = test::Content(large.size(), 8);
  const std::vector<UploadFile> damaged = {UploadOf("other", other, 17 << 20)};
  EXPECT_EQ(Upload(uri, damaged, Variables()).code(), StatusCode::kDataLoss);
  const auto uploads = Send("GET", endpoint_ + "/bucket/?uploads=", "", true);
  EXPECT_THAT(uploads->body, HasSubstr("ListMultipartUploadsResult"));
  EXPECT_THAT(uploads->body, Not(HasSubstr("<UploadId>")));
  std::map<std::string, std::string> wrong = Variables();
  wrong["AWS_SECRET_ACCESS_KEY"] = "wrong-wrong";
  const Status refused = Upload(uri, damaged, wrong);
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.message(), HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(refused.message(), HasSubstr("s3://bucket/pre%20fix/other"));
  EXPECT_THAT(refused.ToString(), Not(HasSubstr("wrong-wrong")));
  EXPECT_THAT(Upload("s3://nobucket/a/", files, Variables()).message(), HasSubstr("NoSuchBucket"));
}

TEST_F(MinioTest, WhatIsThereIsListedAndRead) {
  const std::string endpoint = endpoint_;
  (void)Send("PUT", endpoint + "/bucket/models/a%20b%2B/net.onnx", "12345", true);
  (void)Send("PUT", endpoint + "/bucket/models/a%20b%2B/data/%C3%A4.bin", "123", true);
  const std::map<std::string, std::string> variables = Variables();
  const auto prefix = Open("s3://bucket/models/a b+/", variables);
  ASSERT_TRUE(prefix.ok()) << prefix.status().ToString();
  const auto files = (*prefix)->store().List();
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].name, "data/\xC3\xA4.bin");
  EXPECT_EQ(Read(&(*prefix)->store(), (*files)[0]), "123");
  EXPECT_EQ(Read(&(*prefix)->store(), (*files)[1]), "12345");
  const auto key = Open("s3://bucket/models/a b+/net.onnx", variables);
  const auto one = (*key)->store().List();
  ASSERT_TRUE(one.ok()) << one.status().ToString();
  EXPECT_EQ(one->front().length, 5u);
  EXPECT_EQ(one->front().etag, (*files)[1].etag);
  const auto reason = [&](const std::string& uri, std::map<std::string, std::string> with) {
    const Status status = (*Open(uri, std::move(with)))->store().List().status();
    EXPECT_THAT(status.ToString(), Not(HasSubstr(kPassword)));
    return status;
  };
  EXPECT_THAT(reason("s3://bucket/none.onnx", variables).message(), HasSubstr("NoSuchKey"));
  EXPECT_THAT(reason("s3://nobucket/a/", variables).message(), HasSubstr("NoSuchBucket"));
  EXPECT_THAT(reason("s3://bucket/models/", {{"AWS_ENDPOINT_URL", endpoint}}).hint(),
              HasSubstr("has no credentials"));
  std::map<std::string, std::string> wrong = variables;
  wrong["AWS_SECRET_ACCESS_KEY"] = "wrong-wrong";
  EXPECT_THAT(reason("s3://bucket/models/", wrong).message(), HasSubstr("SignatureDoesNotMatch"));
}

TEST_F(RealServersTest, DockerRegistry) {
  const std::string program = FindProgram("docker-registry", {});
  if (program.empty()) GTEST_SKIP() << "no docker-registry: scripts/setup installs it";
  const std::string host = "127.0.0.1:" + FreePort();
  const std::string config = data_.Write(
      "config.yml", "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: " + (data_ / "oci") +
                        "\nhttp:\n  addr: " + host + "\n");
  const std::string base = "http://" + host + "/v2/models/net";
  Start({program, "serve", config}, "http://" + host + "/v2/");
  const std::string bytes = "some weights";
  for (const std::string& blob : {bytes, std::string("{}")}) {
    const auto upload = Send("POST", base + "/blobs/uploads/", "", false);
    ASSERT_TRUE(upload.ok());
    (void)Send("PUT", std::string(upload->Header("location")) + "&digest=sha256:" + HexOf(blob),
               blob, false, {"Content-Type: application/octet-stream"});
  }
  constexpr char kType[] = "application/vnd.oci.image.manifest.v1+json";
  const auto blob = [](const std::string& type, const std::string& content) {
    return R"("mediaType":")" + type + R"(","digest":"sha256:)" + HexOf(content) + R"(","size":)" +
           std::to_string(content.size());
  };
  const std::string manifest =
      std::string(R"({"schemaVersion":2,"mediaType":")") + kType + R"(","config":{)" +
      blob("application/vnd.oci.empty.v1+json", "{}") + R"(},"layers":[{)" +
      blob("application/octet-stream", bytes) +
      R"(,"annotations":{"org.opencontainers.image.title":"model.safetensors"}}]})";
  (void)Send("PUT", base + "/manifests/v1", manifest, false,
             {std::string("Content-Type: ") + kType});
  for (const std::string& reference : {std::string(":v1"), "@sha256:" + HexOf(manifest)}) {
    const auto opened = Open("oci://" + host + "/models/net" + reference, {});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    const auto files = (*opened)->store().List();
    ASSERT_TRUE(files.ok()) << files.status().ToString();
    EXPECT_EQ(files->front().name, "model.safetensors");
    EXPECT_EQ(files->front().sha256, HexOf(bytes));
    EXPECT_EQ(Read(&(*opened)->store(), files->front()), bytes);
  }
  const Status none = (*Open("oci://" + host + "/models/net:v2", {}))->store().List().status();
  EXPECT_EQ(none.code(), StatusCode::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("MANIFEST_UNKNOWN"));
}

}  // namespace
}  // namespace trims

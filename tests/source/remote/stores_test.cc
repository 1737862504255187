// Buckets, the hub and registries against what their services answer, as scripts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "base/sha256.h"
#include "source/hub_answers.h"
#include "source/hub_store.h"
#include "source/oci_store.h"
#include "source/remote/scripted_exchange.h"
#include "source/s3_answers.h"
#include "source/s3_store.h"
#include "source/xml_walk.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

using test::EnvironmentOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kBucket[] = "GET http://127.0.0.1:9000/bucket/";
const std::string kCommit(40, 'a');
const std::string kSha(64, 'b');

std::string Page(const std::string& objects, const std::string& next = "") {
  return "<?xml version=\"1.0\"?><ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>" +
         std::string(next.empty() ? "false" : "true") + "</IsTruncated>" + objects +
         (next.empty() ? "" : "<NextContinuationToken>" + next + "</NextContinuationToken>") +
         "</ListBucketResult>";
}
std::string Object(const std::string& key, int size) {
  return "<Contents><Key>" + key + "</Key><Size>" + std::to_string(size) +
         "</Size><ETag>&quot;e&quot;</ETag></Contents>";
}
std::string ListUrl(const std::string& prefix) {
  return std::string(kBucket) + "?encoding-type=url&list-type=2&max-keys=1000&prefix=" + prefix;
}
std::string ErrorBody(const std::string& code) {
  return "<Error><Code>" + code + "</Code><Message>words</Message></Error>";
}

class StoresTest : public ::testing::Test {
 protected:
  Result<std::vector<RemoteFile>> ListS3(const std::string& uri,
                                         S3Location location = {"us-east-1",
                                                                "http://127.0.0.1:9000"}) {
    return S3Store(*ParseSourceUri(uri), std::move(location), &keys_, script_.Exchange()).List();
  }
  Result<std::vector<RemoteFile>> ListHub(const std::string& uri, const std::string& token = "") {
    HubStore store(*ParseSourceUri(uri), {"http://127.0.0.1:1", Secret(token)}, script_.Exchange());
    return store.List();
  }
  OciStore Oci(const std::string& uri) {
    return OciStore(*ParseSourceUri(uri), EnvironmentOf({{"HOME", home_.path()}}),
                    script_.Exchange());
  }

  test::ScratchFolder home_;
  test::ScriptedExchange script_;
  AwsCredentialSource keys_{
      EnvironmentOf({{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", "hush"}}),
      script_.Exchange()};
};

TEST_F(StoresTest, APrefixOfABucketPageByPage) {
  script_.Answer(ListUrl("models%2Fa%20b%2F"), 200,
                 Page(Object("models/a+b/z.bin", 3) + Object("models/a+b/", 0), "t/1"));
  script_.Answer(std::string(kBucket) +
                     "?continuation-token=t%2F1&encoding-type=url&list-type=2&max-keys=1000&prefix="
                     "models%2Fa%20b%2F",
                 200, Page(Object("models/a+b/sub/%2B.bin", 4)));
  const auto files = ListS3("s3://bucket/models/a b/");
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0], (RemoteFile{"sub/+.bin", 4, "\"e\"", "",
                                     "http://127.0.0.1:9000/bucket/models/a%20b/sub/%2B.bin"}));
  EXPECT_EQ((*files)[1].name, "z.bin");
  EXPECT_EQ(script_.requests.front().signing->credentials.access_key_id, "AKIA");
}

TEST_F(StoresTest, AKeyOfABucket) {
  script_.Answer("HEAD http://127.0.0.1:9000/bucket/a/net.onnx", 200, "",
                 {{"content-length", "12"}, {"etag", "\"x\""}});
  EXPECT_EQ(ListS3("s3://bucket/a/net.onnx")->front(),
            (RemoteFile{"net.onnx", 12, "\"x\"", "", "http://127.0.0.1:9000/bucket/a/net.onnx"}));
  script_.Answer("HEAD https://bucket.s3.eu-west-1.amazonaws.com/a", 200, "",
                 {{"content-length", "1"}});
  EXPECT_TRUE(ListS3("s3://bucket/a", {"eu-west-1", ""}).ok());
  script_.Answer("HEAD https://s3.cn-north-1.amazonaws.com.cn/my.bucket/a", 200, "",
                 {{"content-length", "1"}});
  EXPECT_TRUE(ListS3("s3://my.bucket/a", {"cn-north-1", ""}).ok());
}

TEST_F(StoresTest, ErrorsOfABucketAreToldInItsWords) {
  const auto refused = [&](int status, const std::string& code) {
    script_.Answer(ListUrl(""), status, ErrorBody(code));
    const Status error = ListS3("s3://bucket").status();
    EXPECT_THAT(error.message(), HasSubstr(code));
    EXPECT_THAT(error.message(), HasSubstr("words"));
    EXPECT_THAT(error.ToString(), Not(HasSubstr("hush")));
    return error.code();
  };
  EXPECT_EQ(refused(403, "AccessDenied"), StatusCode::kPermissionDenied);
  EXPECT_EQ(refused(404, "NoSuchBucket"), StatusCode::kNotFound);
  EXPECT_EQ(refused(503, "SlowDown"), StatusCode::kUnavailable);
  script_.Answer(ListUrl(""), 400, ErrorBody("ExpiredToken"))
      .Answer(ListUrl(""), 200, Page(Object("a", 1)));
  EXPECT_TRUE(ListS3("s3://bucket").ok());  // with new credentials
  script_.Answer(ListUrl(""), 301,
                 "<Error><Code>PermanentRedirect</Code><Region>eu-west-3</Region></Error>");
  EXPECT_THAT(ListS3("s3://bucket").status().ToString(), HasSubstr("the bucket is in eu-west-3"));
  script_.Answer(ListUrl("none%2F"), 200, Page(""));
  EXPECT_EQ(ListS3("s3://bucket/none/").status().code(), StatusCode::kNotFound);
  script_.Answer("HEAD http://127.0.0.1:9000/bucket/a", 404, "")
      .Answer("GET http://127.0.0.1:9000/bucket/a", 404, ErrorBody("NoSuchKey"));
  EXPECT_THAT(ListS3("s3://bucket/a").status().message(), HasSubstr("NoSuchKey"));
}

TEST_F(StoresTest, ListsThatLieAreRefused) {
  for (const std::string& body :
       {std::string(), std::string("<html/>"), Page("<Contents/>"),
        Page("<Contents><Key>a</Key><Size>-1</Size></Contents>"),
        Page("<Contents><Key>%zz</Key><Size>1</Size></Contents>"),
        Page(Object("a", 1)).substr(0, 150),
        std::string("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        std::string("<!DOCTYPE a [<!ENTITY b 'c'>]><ListBucketResult/>")}) {
    EXPECT_EQ(ParseS3Listing(body).status().code(), StatusCode::kInvalidArgument) << body;
  }
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "<a>";
  EXPECT_THAT(WalkXml(deep, [](const XmlPath&, std::string_view) { return Status(); }).message(),
              HasSubstr("deep"));
  for (const std::string& keys :
       {Object("../a", 1), Object("a//b", 1), Object("a", 1) + Object("a", 1),
        Object("a", 1) + Object("a/b", 1), Object("a", 0)}) {
    script_.Answer(ListUrl(""), 200, Page(keys));
    EXPECT_EQ(ListS3("s3://bucket").status().code(), StatusCode::kInvalidArgument) << keys;
  }
}

TEST_F(StoresTest, ARevisionOfTheHubIsOneCommit) {
  const std::string tree =
      "GET http://127.0.0.1:1/api/models/org/net/tree/" + kCommit + "?recursive=true";
  const std::string next = "http://127.0.0.1:1/api/models/org/net/tree/" + kCommit + "?cursor=2";
  const auto answer = [&] {
    script_.Answer("GET http://127.0.0.1:1/api/models/org/net/revision/refs%2Fpr%2F1", 200,
                   "{\"sha\":\"" + kCommit + "\"}");
    script_.Answer(
        tree, 200,
        R"([{"type":"directory","path":"onnx","size":0},{"type":"file","path":"onnx/a b.onnx","size":130,"lfs":{"oid":")" +
            kSha + R"(","size":9}}])",
        {{"link", "<" + next + ">; rel=\"next\""}});
    script_.Answer("GET " + next, 200, R"([{"type":"file","path":"config.json","size":2}])");
  };
  answer();
  const auto files = ListHub("hf://org/net@refs/pr/1", "hf_hush");
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  EXPECT_EQ((*files)[1],
            (RemoteFile{"onnx/a b.onnx", 9, "", kSha,
                        "http://127.0.0.1:1/org/net/resolve/" + kCommit + "/onnx/a%20b.onnx"}));
  EXPECT_EQ((*files)[0].name, "config.json");
  EXPECT_TRUE(script_.LastHas("Authorization: Bearer hf_hush"));
  answer();
  EXPECT_EQ(ListHub("hf://org/net@refs/pr/1/onnx")->front().name, "a b.onnx");
  answer();
  EXPECT_THAT(ListHub("hf://org/net@refs/pr/1/confg.json").status().hint(),
              HasSubstr("config.json"));
  script_.Answer(tree, 200, "[]", {{"link", "<https://evil.example/>; rel=\"next\""}});
  EXPECT_THAT(ListHub("hf://org/net@" + kCommit, "hf_hush").status().message(),
              HasSubstr("evil.example"));
}

TEST_F(StoresTest, AGatedModelIsToldWithTheNextStep) {
  for (const std::string token : {"", "hf_hush"}) {
    script_.Answer("GET http://127.0.0.1:1/api/models/org/net/revision/main",
                   token.empty() ? 401 : 403, "",
                   {{"x-error-code", "GatedRepo"}, {"x-error-message", "restricted"}});
    const Status status = ListHub("hf://org/net", token).status();
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(status.hint(), HasSubstr("accept the model's terms at http://127.0.0.1:1/org/net"));
    EXPECT_EQ(status.hint().find("HF_TOKEN") != std::string::npos, token.empty());
    EXPECT_THAT(status.ToString(), Not(HasSubstr("hf_hush")));
  }
}

TEST_F(StoresTest, TheHubsSettings) {
  home_.Write(".cache/huggingface/token", " from-file\n");
  const auto settings = [&](std::map<std::string, std::string> variables) {
    variables.emplace("HOME", home_.path());
    return ReadHubSettings(EnvironmentOf(variables));
  };
  EXPECT_EQ(settings({})->token.Reveal(), "from-file");
  EXPECT_EQ(settings({{"HF_TOKEN", "t"}, {"HF_ENDPOINT", "http://localhost:8/x/"}})->endpoint,
            "http://localhost:8/x");
  EXPECT_EQ(settings({{"HF_ENDPOINT", "http://hub.example"}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(settings({{"HF_TOKEN", "a b"}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(settings({{"HF_HUB_OFFLINE", "1"}}).status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(ParseHubCommit("{}").ok());
  EXPECT_FALSE(ParseHubTree(R"([{"type":"file","path":"a"}])").ok());
  EXPECT_EQ(NextPage("<a>; rel=\"prev\", <b>; rel=\"next\""), "b");
  EXPECT_EQ(NextPage("<a>; rel=\"prev\", <b"), "");
}

std::string ManifestOf(const std::string& layers) {
  return R"({"schemaVersion":2,"layers":[)" + layers + "]}";
}
std::string LayerOf(const std::string& type, const std::string& title = "") {
  return R"({"mediaType":")" + type + R"(","digest":"sha256:)" + kSha + R"(","size":5)" +
         (title.empty() ? "}"
                        : R"(,"annotations":{"org.opencontainers.image.title":")" + title + "\"}}");
}

TEST_F(StoresTest, LayersOfAnArtifactAreFiles) {
  script_.Answer("GET http://localhost:5000/v2/a/net/manifests/v1", 200,
                 ManifestOf(LayerOf("application/octet-stream", "net.onnx")));
  OciStore store = Oci("oci://localhost:5000/a/net:v1");
  const auto files = store.List();
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  EXPECT_EQ(files->front(), (RemoteFile{"net.onnx", 5, "", kSha,
                                        "http://localhost:5000/v2/a/net/blobs/sha256:" + kSha}));
  EXPECT_EQ(ParseOciManifest(ManifestOf(LayerOf("application/vnd.ollama.image.model") + "," +
                                        LayerOf("application/vnd.ollama.image.license")))
                ->files.front()
                .name,
            "model.gguf");
  EXPECT_EQ(ParseOciManifest(ManifestOf(LayerOf("a/b+gzip", "x"))).status().code(),
            StatusCode::kUnimplemented);
  for (const std::string& bad : {std::string("{}"), std::string("[]"), ManifestOf("1"),
                                 ManifestOf(LayerOf("a") + "," + LayerOf("a", "x")),
                                 std::string(R"({"manifests":[{"digest":"md5:1"}]})")}) {
    EXPECT_EQ(ParseOciManifest(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST_F(StoresTest, ARegistryThatAsksForATokenGetsOne) {
  home_.Write(".docker/config.json", R"({"auths":{"https://r.example/v1/":{"auth":"aHVzaA=="}}})");
  const std::string manifest = ManifestOf(LayerOf("x", "net.onnx"));
  const std::string digest = "sha256:" + Sha256Hex(std::as_bytes(std::span(manifest)));
  const std::string url = "GET https://r.example/v2/net/manifests/" + digest;
  const auto log_in = [&] {
    script_.Answer(
        url, 401, "",
        {{"www-authenticate",
          R"(Bearer realm="https://auth.example/token",service="r.example",scope="x")"}});
    script_.Answer("GET https://auth.example/token?scope=repository%3Anet%3Apull&service=r.example",
                   200, R"({"token":"t"})");
    script_.Answer(url, 200, manifest);
  };
  log_in();
  OciStore store = Oci("oci://r.example/net@" + digest);
  const auto files = store.List();
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  EXPECT_TRUE(script_.LastHas("Authorization: Bearer t"));
  EXPECT_EQ(script_.requests[1].headers.back(), "Authorization: Basic aHVzaA==");
  EXPECT_EQ(store.RequestFor(files->front())->headers.front(), "Authorization: Bearer t");
  store.Refused();
  log_in();
  EXPECT_TRUE(store.RequestFor(files->front()).ok());
}

TEST_F(StoresTest, RegistriesThatLieAreRefused) {
  const std::string url = "GET https://r.example/v2/net/manifests/v1";
  script_.Answer(url, 401, "", {{"www-authenticate", R"(Bearer realm="http://evil.example/")"}});
  EXPECT_EQ(Oci("oci://r.example/net:v1").List().status().code(), StatusCode::kPermissionDenied);
  script_.Answer(url, 200, ManifestOf(LayerOf("x", "a")),
                 {{"docker-content-digest", "sha256:" + kSha}});
  EXPECT_EQ(Oci("oci://r.example/net:v1").List().status().code(), StatusCode::kDataLoss);
  script_.Answer(url, 404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]})");
  const Status none = Oci("oci://r.example/net:v1").List().status();
  EXPECT_EQ(none.code(), StatusCode::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("MANIFEST_UNKNOWN no such tag"));
  EXPECT_FALSE(ParseChallenge("Digest realm=x"));
  EXPECT_FALSE(ParseChallenge("Bearer service=\"x"));
  EXPECT_FALSE(ParseChallenge("Basic realm=\"x\"")->bearer);
  EXPECT_EQ(ParseRegistryLogin(R"({"credsStore":"desktop"})", "r", "f")->helper, "desktop");
  EXPECT_FALSE(ParseRegistryLogin("[]", "r", "f").ok());
}

}  // namespace
}  // namespace trims

#include "source/aws_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>

#include "source/aws_metadata.h"
#include "source/aws_profile.h"
#include "source/endpoint.h"
#include "source/remote/scripted_exchange.h"
#include "source/utc_time.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

using test::EnvironmentOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "PUT http://169.254.169.254/latest/api/token";
constexpr char kRoles[] = "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/";
constexpr char kKeys[] =
    R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s1","Token":"t1","Expiration":"2026-01-01T01:00:00Z"})";
constexpr char kLaterKeys[] =
    R"({"AccessKeyId":"ASIA2","SecretAccessKey":"s2","Token":"t2","Expiration":"2026-01-01T02:00:00Z"})";

class AwsCredentialsTest : public ::testing::Test {
 protected:
  AwsCredentialSource Source(std::map<std::string, std::string> variables) {
    variables.emplace("HOME", home_.path());
    return AwsCredentialSource(EnvironmentOf(std::move(variables)), script_.Exchange(),
                               [this] { return now_; });
  }
  Result<AwsCredentials> Get(std::map<std::string, std::string> variables) {
    return Source(std::move(variables)).Get();
  }
  void NoInstance() { script_.Answer(kToken, Status(StatusCode::kUnavailable, "no route")); }

  test::ScratchFolder home_;
  test::ScriptedExchange script_;
  WallTime now_ = *ParseUtcTime("2026-01-01T00:00:00Z");
};

TEST_F(AwsCredentialsTest, TheEnvironmentComesFirst) {
  home_.Write(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n");
  const Result<AwsCredentials> found = Get({{"AWS_ACCESS_KEY_ID", "AKIA"},
                                            {"AWS_SECRET_ACCESS_KEY", "secret"},
                                            {"AWS_SESSION_TOKEN", "token"}});
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(found->access_key_id, "AKIA");
  EXPECT_EQ(found->secret_access_key.Reveal(), "secret");
  EXPECT_EQ(found->session_token.Reveal(), "token");
  EXPECT_EQ(Get({{"AWS_ACCESS_KEY_ID", "AKIA"}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Get({{"AWS_SECRET_ACCESS_KEY", "x"}}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(AwsCredentialsTest, SecretsAreNotPrinted) {
  std::ostringstream out;
  out << Secret("hush") << Secret();
  EXPECT_EQ(out.str(), "(secret)(none)");
  Secret first("hush");
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is what is tested
  EXPECT_EQ(second.Reveal(), "hush");
}

TEST_F(AwsCredentialsTest, ProfilesOfBothFiles) {
  home_.Write(
      ".aws/credentials",
      "[default]\naws_access_key_id=D\naws_secret_access_key=ds\n[work]\naws_access_key_id=W\n"
      "aws_secret_access_key=ws\naws_session_token=wt\n");
  const std::string config =
      home_.Write("settings",
                  "[profile work]\nregion=eu-north-1\nendpoint_url=http://127.0.0.1:9000/\n"
                  "[profile keys]\naws_access_key_id=K\naws_secret_access_key=ks\n");
  EXPECT_EQ(Get({})->access_key_id, "D");
  const Result<AwsCredentials> work = Get({{"AWS_PROFILE", "work"}});
  EXPECT_EQ(work->access_key_id, "W");
  EXPECT_EQ(work->session_token.Reveal(), "wt");
  EXPECT_EQ(Get({{"AWS_PROFILE", "keys"}, {"AWS_CONFIG_FILE", config}})->access_key_id, "K");
  const Result<S3Location> location =
      Source({{"AWS_PROFILE", "work"}, {"AWS_CONFIG_FILE", config}}).Location();
  EXPECT_EQ(location->region, "eu-north-1");
  EXPECT_EQ(location->endpoint, "http://127.0.0.1:9000");
  const Status none = Get({{"AWS_PROFILE", "wrok"}}).status();
  EXPECT_EQ(none.code(), StatusCode::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("'wrok'"));
}

TEST_F(AwsCredentialsTest, HalfAKeyAndOtherWaysAreTold) {
  const std::string path =
      home_.Write("keys", "[default]\naws_secret_access_key=hush\n[sso]\nsso_session=x\n");
  const Status half = Get({{"AWS_SHARED_CREDENTIALS_FILE", path}}).status();
  EXPECT_EQ(half.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(half.ToString(), Not(HasSubstr("hush")));
  const Status sso = Get({{"AWS_SHARED_CREDENTIALS_FILE", path}, {"AWS_PROFILE", "sso"}}).status();
  EXPECT_EQ(sso.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(sso.message(), HasSubstr("sso_session"));
}

TEST_F(AwsCredentialsTest, WhereTheBucketsAre) {
  EXPECT_EQ(Source({}).Location()->region, "us-east-1");
  EXPECT_EQ(Source({}).Location()->endpoint, "");
  EXPECT_EQ(Source({{"AWS_DEFAULT_REGION", "a-1"}}).Location()->region, "a-1");
  EXPECT_EQ(Source({{"AWS_REGION", "b-2"}, {"AWS_DEFAULT_REGION", "a-1"}}).Location()->region,
            "b-2");
  EXPECT_EQ(Source({{"AWS_ENDPOINT_URL", "http://h:1"}}).Location()->endpoint, "http://h:1");
  EXPECT_EQ(Source({{"AWS_ENDPOINT_URL", "http://h:1"}, {"AWS_ENDPOINT_URL_S3", "https://s:2/"}})
                .Location()
                ->endpoint,
            "https://s:2");
  EXPECT_EQ(
      Source({{"AWS_ENDPOINT_URL", "http://h:1"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}})
          .Location()
          ->endpoint,
      "");
  EXPECT_FALSE(Source({{"AWS_REGION", "eu west"}}).Location().ok());
  for (const char* bad : {"h:9000", "ftp://h", "https://", "https://user:hush@h",
                          "https://h?x=hush", "https://h#x"}) {
    const Status status = Source({{"AWS_ENDPOINT_URL", bad}}).Location().status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("hush"))) << bad;
  }
}

TEST_F(AwsCredentialsTest, OfAContainer) {
  script_.Answer("GET http://169.254.170.2/v2/keys", 200, kKeys);
  EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/keys"}})->access_key_id, "ASIA1");
  const std::string token = home_.Write("token", "from-file\n");
  script_.Answer("GET http://127.0.0.1:8080/keys?a=b", 200, kKeys);
  EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:8080/keys?a=b"},
                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "from-variable"},
                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token}})
                ->session_token.Reveal(),
            "t1");
  EXPECT_TRUE(script_.LastHas("Authorization: from-file"));
  EXPECT_FALSE(script_.requests.back().through_proxy);
  script_.Answer("GET http://169.254.170.2/v2/keys", 403, "no");
  EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/keys"}}).status().code(),
            StatusCode::kPermissionDenied);
}

TEST_F(AwsCredentialsTest, AContainersTokenGoesToNobodyElse) {
  for (const char* url : {"http://evil.example/keys", "http://127.0.0.1.evil.example/",
                          "http://169.254.169.254/", "ftp://127.0.0.1/", "http://a@127.0.0.1/"}) {
    EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}).status().code(),
              StatusCode::kInvalidArgument)
        << url;
  }
  EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/"}}).status().code(),
            StatusCode::kInvalidArgument);
  const auto with = [&](const char* name, const std::string& value) {
    return Get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[::1]:80/k"}, {name, value}})
        .status()
        .code();
  };
  EXPECT_EQ(with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nHost: b"),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_ / "none"), StatusCode::kNotFound);
}

TEST_F(AwsCredentialsTest, OfAnInstanceAndRenewedBeforeTheyExpire) {
  AwsCredentialSource source = Source({});
  script_.Answer(kToken, 200, "metadata-token")
      .Answer(kRoles, 200, "my-role\n")
      .Answer(std::string(kRoles) + "my-role", 200, kKeys);
  EXPECT_EQ(source.Get()->access_key_id, "ASIA1");
  EXPECT_TRUE(script_.LastHas("X-aws-ec2-metadata-token: metadata-token"));
  now_ += std::chrono::minutes(14);
  EXPECT_EQ(source.Get()->access_key_id, "ASIA1");  // without asking
  now_ += std::chrono::minutes(42);                 // four minutes are left
  script_.Answer(kToken, Status(StatusCode::kUnavailable, "down")).Answer(kToken, 200, "token");
  script_.Answer(kRoles, 200, "my-role").Answer(std::string(kRoles) + "my-role", 200, kLaterKeys);
  EXPECT_TRUE(source.Get()->anonymous());  // as on a machine that lost its role
  source.Forget();
  EXPECT_EQ(source.Get()->access_key_id, "ASIA2");
}

TEST_F(AwsCredentialsTest, AFailedRenewalLeavesWhatIsStillGood) {
  AwsCredentialSource source = Source({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/k"}});
  const std::string asked = "GET http://169.254.170.2/k";
  script_.Answer(asked, 200, kKeys).Answer(asked, 500, "").Answer(asked, 500, "");
  EXPECT_TRUE(source.Get().ok());
  now_ += std::chrono::minutes(57);
  EXPECT_EQ(source.Get()->access_key_id, "ASIA1");
  now_ += std::chrono::minutes(4);
  EXPECT_EQ(source.Get().status().code(), StatusCode::kUnavailable);
}

TEST_F(AwsCredentialsTest, NobodyIsAnonymous) {
  NoInstance();
  AwsCredentialSource source = Source({});
  EXPECT_TRUE(source.Get()->anonymous());
  EXPECT_TRUE(source.Get()->anonymous());  // without asking
  now_ += std::chrono::minutes(2);
  script_.Answer(kToken, 200, "t").Answer(kRoles, 404, "");
  EXPECT_TRUE(source.Get()->anonymous());
  EXPECT_TRUE(Get({{"AWS_EC2_METADATA_DISABLED", "TRUE"}})->anonymous());
  script_.Answer("PUT http://127.0.0.1:1/latest/api/token", 403, "");
  EXPECT_TRUE(Get({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1/"}})->anonymous());
}

TEST_F(AwsCredentialsTest, ServicesThatAnswerNonsenseAreTold) {
  for (const char* body :
       {"", "[]", "{}", "x", R"({"AccessKeyId":1})", R"({"AccessKeyId":"a","SecretAccessKey":""})",
        R"({"AccessKeyId":"a\nb","SecretAccessKey":"s"})",
        R"({"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"soon"})"}) {
    EXPECT_EQ(ParseAwsCredentials(body, "the service").status().code(),
              StatusCode::kInvalidArgument)
        << body;
  }
  script_.Answer(kToken, 200, "t").Answer(kRoles, 200, "../../user-data");
  EXPECT_EQ(Get({}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(AwsCredentialsTest, TimesInUtc) {
  EXPECT_EQ(*ParseUtcTime("1970-01-01T00:00:01Z"), WallTime(std::chrono::seconds(1)));
  EXPECT_EQ(*ParseUtcTime("2024-02-29T23:59:59.123Z") - *ParseUtcTime("2024-02-29T00:00:00Z"),
            std::chrono::seconds(86399));
  for (const char* bad :
       {"", "Z", "2026-01-01", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00+01:00",
        "2026-01-01T00:00:00.Z", "-026-01-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseUtcTime(bad).ok()) << bad;
  }
}

TEST_F(AwsCredentialsTest, Loopback) {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"})
    EXPECT_TRUE(IsLoopback(host)) << host;
  for (const char* host :
       {"", "127.0.0.1.evil.example", "127.1", "128.0.0.1", "localhost.evil.example"}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

}  // namespace
}  // namespace trims

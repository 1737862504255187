// Who may ask: tokens, hosts, origins.
#include "admin/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "support/scratch_folder.h"

namespace trims::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "0123456789abcdef0123";

class GateTest : public ::testing::Test {
 protected:
  std::string Written(const std::string& text, mode_t mode = 0600) {
    const std::string path = folder_.path() + "/token";
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  Token ThatToken() { return *Token::FromFile(Written(std::string(kSecret) + "\n")); }

  static HttpRequest Asking(const std::string& path, const std::string& method = "GET") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.host = "localhost:9090";
    return request;
  }
  static int StatusOf(const Gate& gate, const HttpRequest& request) {
    const std::optional<HttpResponse> refused = gate.Refuse(request);
    return refused ? refused->status : 200;
  }

  test::ScratchFolder folder_;
};

TEST_F(GateTest, ATokenIsItsFilesFirstLineAndOnlyItsOwners) {
  EXPECT_TRUE(Token::FromFile(Written(std::string(kSecret) + "\r\nmore")).ok());
  EXPECT_EQ(Token::FromFile(Written(kSecret, 0640)).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Token::FromFile(Written("short", 0600)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Token::FromFile(Written(std::string(600, 'a'))).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Token::FromFile(Written("0123456789 abcdef0123")).status().code(),
            StatusCode::kInvalidArgument);
  const Status missing = Token::FromFile(folder_.path() + "/none").status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.hint(), HasSubstr("openssl rand"));
  EXPECT_THAT(Token::FromFile(Written("a token?")).status().ToString(), Not(HasSubstr("a token?")));
}

TEST_F(GateTest, OnlyTheWholeTokenMatches) {
  const Token token = ThatToken();
  EXPECT_TRUE(token.Matches("Bearer " + std::string(kSecret)));
  EXPECT_TRUE(token.Matches("bearer " + std::string(kSecret)));
  EXPECT_FALSE(token.Matches(std::nullopt));
  for (const std::string& wrong :
       {std::string(), std::string("Bearer "), std::string("Bearer"),
        "Basic " + std::string(kSecret), std::string(kSecret),
        "Bearer " + std::string(kSecret).substr(1), "Bearer " + std::string(kSecret) + "x",
        "Bearer x" + std::string(kSecret).substr(1)}) {
    EXPECT_FALSE(token.Matches(wrong)) << wrong;
  }
}

TEST_F(GateTest, AsksForTheTokenButForWhatSaysNothing) {
  const Gate gate({.token = ThatToken(), .hosts = {}});
  for (const char* open : {"/", "/dashboard.js", "/dashboard.css", "/icon.svg", "/healthz"})
    EXPECT_EQ(StatusOf(gate, Asking(open)), 200) << open;
  for (const char* closed : {"/v1/status", "/metrics", "/readyz", "/v1/openapi.json", "/nothing"})
    EXPECT_EQ(StatusOf(gate, Asking(closed)), 401) << closed;
  EXPECT_EQ(StatusOf(gate, Asking("/", "POST")), 401);
  HttpRequest with_token = Asking("/v1/status");
  with_token.authorization = "Bearer " + std::string(kSecret);
  EXPECT_EQ(StatusOf(gate, with_token), 200);
}

TEST_F(GateTest, KnowsItsHostsAlone) {
  const Gate gate({.token = std::nullopt, .hosts = {"gpu-7.example", "gpu-8.example:99"}});
  HttpRequest request = Asking("/v1/status");
  for (const char* known : {"localhost", "LOCALHOST:1", "127.0.0.1:9090", "[::1]:9090", "[::1]",
                            "gpu-7.example", "gpu-7.example:80", "gpu-8.example:99"}) {
    request.host = known;
    EXPECT_EQ(StatusOf(gate, request), 200) << known;
  }
  for (const char* unknown :
       {"evil.example", "localhost.evil.example", "evil-localhost", "", "127.0.0.1.evil",
        "gpu-8.example:98", "localhost:80:80", "localhost:port", "gpu-8.example"}) {
    request.host = unknown;
    EXPECT_EQ(StatusOf(gate, request), 421) << unknown;
  }
  request.host = std::nullopt;
  EXPECT_EQ(StatusOf(gate, request), 421);
}

TEST_F(GateTest, RefusesPagesOfOthers) {
  const Gate gate({.token = std::nullopt, .hosts = {}});
  HttpRequest request = Asking("/v1/status");
  for (const char* own : {"http://localhost:9090", "https://localhost:9090"}) {
    request.origin = own;
    EXPECT_EQ(StatusOf(gate, request), 200) << own;
  }
  for (const char* foreign : {"http://evil.example", "null", "http://localhost:9091", "",
                              "http://localhost:9090.evil.example"}) {
    request.origin = foreign;
    EXPECT_EQ(StatusOf(gate, request), 403) << foreign;
  }
}

TEST_F(GateTest, ReadOnlyRefusesWhatChangesSomething) {
  const Gate gate({.token = std::nullopt, .hosts = {}, .read_only = true});
  EXPECT_EQ(StatusOf(gate, Asking("/v1/models/a")), 200);
  EXPECT_EQ(StatusOf(gate, Asking("/v2/repository/index", "POST")), 200);
  EXPECT_EQ(StatusOf(gate, Asking("/v1/models/a", "DELETE")), 403);
  EXPECT_EQ(StatusOf(gate, Asking("/v1/policy", "PUT")), 403);
  EXPECT_EQ(StatusOf(gate, Asking("/v2/repository/models/a/load", "POST")), 403);
}

TEST_F(GateTest, ABodyHasToBeWhatNoFormSends) {
  HttpRequest request = Asking("/v1/policy", "PUT");
  EXPECT_FALSE(RefuseBody(request).has_value());
  request.body = "{}";
  EXPECT_EQ(RefuseBody(request)->status, 415);
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "application/jsonp"}) {
    request.content_type = type;
    EXPECT_EQ(RefuseBody(request)->status, 415) << type;
  }
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8"}) {
    request.content_type = type;
    EXPECT_FALSE(RefuseBody(request).has_value()) << type;
  }
}

}  // namespace
}  // namespace trims::admin

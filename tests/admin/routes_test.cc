// What is answered to which request.
#include "admin/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <nlohmann/json.hpp>

#include "admin/fake_link.h"

namespace trims::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class RoutesTest : public ::testing::Test {
 protected:
  HttpResponse Ask(const std::string& method, const std::string& path, const std::string& body = "",
                   std::vector<std::pair<std::string, std::string>> query = {}) {
    HttpRequest request;
    request.query = std::move(query);
    request.method = method;
    request.path = path;
    request.body = body;
    const Route route = FindRoute(request);
    pace_ = route.pace;
    return route.answer ? *route.answer : route.ask(link_);
  }
  static std::string CodeOf(const HttpResponse& answer) {
    return Json::parse(answer.body)["error"]["code"];
  }

  test::FakeLink link_;
  Pace pace_ = Pace::kQuick;
};

TEST_F(RoutesTest, DocumentsAreTheDaemonsOwn) {
  link_.answer = std::string(R"({"models":[]})");
  for (const char* path : {"/v1/status", "/v1/models", "/v1/models/ns/name:1", "/v1/policy"}) {
    const HttpResponse answer = Ask("GET", path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "{\"models\":[]}\n") << path;
    EXPECT_EQ(answer.content_type, "application/json") << path;
  }
  EXPECT_THAT(link_.asked, ElementsAre("status", "list", "show ns/name:1", "policy ,,,"));
}

TEST_F(RoutesTest, WhatChangesSomethingIsAskedForByItsMethod) {
  Ask("DELETE", "/v1/models/ns/name:1");
  Ask("PUT", "/v1/policy", R"({"eviction_policy":"lru","reclaim":"eager","tier":"host"})");
  Ask("PUT", "/v1/policy", R"({"budget":"50%","tier":"disk"})");
  EXPECT_THAT(link_.asked,
              ElementsAre("remove ns/name:1", "policy host,lru,,eager", "policy disk,,,,50%"));
}

TEST_F(RoutesTest, AnExplanationIsAskedForByTheQuery) {
  using Query = std::vector<std::pair<std::string, std::string>>;
  const auto ask = [&](const Query& query) {
    HttpRequest request{.method = "GET", .path = "/v1/explain", .query = query};
    const Route route = FindRoute(request);
    return route.answer ? *route.answer : route.ask(link_);
  };
  EXPECT_EQ(ask({{"reference", "ns/ocr:1"}}).status, 200);
  EXPECT_EQ(ask({{"reference", "ocr"}, {"tier", "sim:0"}, {"variant", "ort"}}).status, 200);
  for (const Query& bad :
       {Query{}, Query{{"reference", ""}}, Query{{"reference", "a%20"}},
        Query{{"reference", "a"}, {"variant", "all"}}, Query{{"reference", "a"}, {"more", "b"}}}) {
    EXPECT_EQ(CodeOf(ask(bad)), "INVALID_ARGUMENT");
  }
  EXPECT_EQ(Ask("POST", "/v1/explain").status, 405);
  EXPECT_THAT(link_.asked, ElementsAre("explain ns/ocr:1 ", "explain ocr sim:0 ort"));
}

TEST_F(RoutesTest, AMistypedPolicyIsAnErrorAndNotIgnored) {
  for (const char* body : {"", "[]", "{}", "{\"eviction\":\"lru\"}", "{\"reclaim\":1}",
                           "{\"reclaim\":\"\"}", "{\"tier\":\"host\"}", "{\"reclaim\":\"lazy\""}) {
    const HttpResponse answer = Ask("PUT", "/v1/policy", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(CodeOf(answer), "INVALID_ARGUMENT") << body;
  }
  EXPECT_EQ(Ask("PUT", "/v1/policy", std::string(60'000, '[')).status, 400);
  EXPECT_THAT(link_.asked, IsEmpty());
}

TEST_F(RoutesTest, APathThatThereIsNotIsATypedError) {
  for (const char* path : {"/v3", "/v1", "/v1/statuses", "/dashboard.html"}) {
    const HttpResponse answer = Ask("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(CodeOf(answer), "NOT_FOUND") << path;
  }
}

TEST_F(RoutesTest, AMethodThatAPathDoesNotTakeNamesThoseThatItDoes) {
  const HttpResponse answer = Ask("POST", "/v1/policy");
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(answer.headers,
              ElementsAre(std::pair<std::string, std::string>("Allow", "GET, PUT")));
  for (const char* path : {"/", "/healthz", "/v1/status", "/metrics"})
    EXPECT_EQ(Ask("DELETE", path).status, 405) << path;
  EXPECT_EQ(Ask("PATCH", "/v1/models/a").status, 405);
  EXPECT_THAT(link_.asked, IsEmpty());
}

TEST_F(RoutesTest, ADaemonThatDrainsIsNotReady) {
  link_.answer = std::string(R"({"draining":true})");
  EXPECT_EQ(Ask("GET", "/readyz").status, 503);
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  link_.answer = std::string(R"({"draining":false})");
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
}

TEST_F(RoutesTest, ThePolicyOfATierIsAskedForByTheQuery) {
  EXPECT_EQ(Ask("GET", "/v1/policy", "", {{"tier", "disk"}}).status, 200);
  EXPECT_THAT(link_.asked, ElementsAre("policy disk,,,"));
  EXPECT_EQ(Ask("GET", "/v1/policy", "", {{"teir", "disk"}}).status, 400);
  EXPECT_EQ(Ask("GET", "/v1/policy", "", {{"tier", "a"}, {"tier", "b"}}).status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/policy", R"({"budget":"1GiB"})", {{"tier", "disk"}}).status, 400);
}

TEST_F(RoutesTest, ADaemonThatIsAwayLeavesTheServerAlive) {
  link_.answer = Status(StatusCode::kUnavailable, "nobody listens", "start one: trimsd &");
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(Ask("GET", "/").status, 200);
  const HttpResponse not_ready = Ask("GET", "/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(Json::parse(not_ready.body)["error"]["hint"], "start one: trimsd &");
  EXPECT_EQ(Ask("GET", "/v1/status").status, 503);
  const HttpResponse metrics = Ask("GET", "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("\ntrims_up 0\n"));
  link_.answer = Status(StatusCode::kDeadlineExceeded, "it hangs");
  EXPECT_EQ(Ask("GET", "/readyz").status, 504);
}

TEST_F(RoutesTest, PagesArePartOfTheProgram) {
  EXPECT_THAT(Ask("GET", "/").body, HasSubstr("<title>TrIMS</title>"));
  EXPECT_THAT(Ask("GET", "/dashboard.css").content_type, HasSubstr("text/css"));
  EXPECT_THAT(Ask("GET", "/dashboard.js").content_type, HasSubstr("text/javascript"));
}

TEST_F(RoutesTest, TheOpenApiDocumentNamesEveryPath) {
  const Json document = Json::parse(Ask("GET", "/v1/openapi.json").body);
  EXPECT_EQ(document["openapi"], "3.1.0");
  for (const char* path :
       {"/healthz", "/readyz", "/metrics", "/v1/status", "/v1/events", "/v1/explain", "/v1/models",
        "/v1/models/{reference}", "/v1/policy", "/v1/openapi.json", "/v2/repository/index",
        "/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"}) {
    EXPECT_TRUE(document["paths"].contains(path)) << path;
  }
  EXPECT_EQ(document["paths"].size(), 13u);
}

constexpr char kModels[] = R"({"models":[
  {"name":"default/a","version":"1","variants":[{"kind":"files","state":"absent"},{"kind":"ort","state":"resident"}]},
  {"name":"default/b","version":"2","variants":[{"kind":"files","state":"loading"}]},
  {"name":"default/c","version":"3","variants":[{"kind":"files","state":"absent"}]}, 7]})";

TEST_F(RoutesTest, TritonsIndexSaysWhatIsResident) {
  link_.answer = std::string(kModels);
  const Json index = Json::parse(Ask("POST", "/v2/repository/index").body);
  ASSERT_EQ(index.size(), 4u);
  EXPECT_EQ(index[0],
            Json::parse(R"({"name":"default/a","version":"1","state":"READY","reason":""})"));
  EXPECT_EQ(index[1]["state"], "LOADING");
  EXPECT_EQ(index[2]["state"], "UNAVAILABLE");
  EXPECT_EQ(Json::parse(Ask("POST", "/v2/repository/index", R"({"ready":true})").body).size(), 1u);
}

TEST_F(RoutesTest, TritonsLoadOpensTheMostPreparedVariant) {
  link_.answer =
      std::string(R"({"variants":[{"kind":"files"},{"kind":"ort"},{"kind":"tensors"}]})");
  EXPECT_EQ(Ask("POST", "/v2/repository/models/ns/a:1/load").status, 200);
  EXPECT_EQ(pace_, Pace::kSlow);
  Ask("POST", "/v2/repository/models/a/load",
      R"({"parameters":{"variant":"files","tier":"host"}})");
  EXPECT_THAT(link_.asked, ElementsAre("show ns/a:1", "load ns/a:1 ort ", "load a files host"));
  EXPECT_EQ(Ask("POST", "/v2/repository/models/a/load", R"({"parameters":{"config":"{}"}})").status,
            400);
}

TEST_F(RoutesTest, TritonsUnloadEvictsAndRemovesNothing) {
  const HttpResponse answer =
      Ask("POST", "/v2/repository/models/a/unload", R"({"parameters":{"unload_dependents":true}})");
  EXPECT_EQ(answer.status, 200);
  Ask("POST", "/v2/repository/models/a/unload", R"({"parameters":{"variant":"files"}})");
  EXPECT_THAT(link_.asked, ElementsAre("evict a  idle", "evict a  idle files"));
  EXPECT_EQ(
      Ask("POST", "/v2/repository/models/a/unload", R"({"parameters":{"variant":"x"}})").status,
      400);
}

TEST_F(RoutesTest, TritonsErrorsHaveTritonsForm) {
  link_.answer = Status(StatusCode::kNotFound, "no model 'a'");
  const HttpResponse answer = Ask("POST", "/v2/repository/models/a/load");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(Json::parse(answer.body)["error"], "no model 'a'");
  for (const char* path : {"/v2/models/a/infer", "/v2/repository/models/load",
                           "/v2/repository/models/a/evict", "/v2/x"}) {
    EXPECT_EQ(Ask("POST", path).status, 404) << path;
  }
  EXPECT_EQ(Ask("GET", "/v2/repository/index").status, 405);
  EXPECT_EQ(Ask("POST", "/v2/repository/index", "[]").status, 400);
}

}  // namespace
}  // namespace trims::admin

// What is asked for the readers of /v1/events, and what they are sent.
#include "admin/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "admin/fake_link.h"

namespace trims::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kBatch =
    R"({"events":[{"sequence":17,"kind":"model.added","model":"default/a\nb"},)"
    R"({"sequence":3,"kind":"open.hit"}],"next":17,"opens_next":3,"lost":2,"opens_lost":0})";

TEST(EventStream, TheQuerySaysWhatIsWanted) {
  HttpRequest request;
  request.query = {{"since", "7"},
                   {"kind", "segment"},
                   {"kind", "alias"},
                   {"model", "team/a:1"},
                   {"opens", "true"}};
  test::FakeLink link;
  link.answer = std::string(R"({"events":[],"next":9,"opens_next":4})");
  const HttpResponse answer = AnswerEvents(EventsOptionsOf(request).value(), link);
  ASSERT_TRUE(answer.more);
  answer.more(link);
  EXPECT_THAT(link.asked,
              ElementsAre("events since 7 segment alias of team/a:1 and opens for 0 ms",
                          "events since 9 segment alias of team/a:1 and opens for 1000 ms"));
  request.last_event_id = "8";
  EXPECT_EQ(EventsOptionsOf(request)->since, 8U) << "whoever connects anew goes on";
}

TEST(EventStream, AMistakeIsSaid) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"since", ""},
                                                        {"since", "-1"},
                                                        {"since", "1x"},
                                                        {"opens", "yes"},
                                                        {"other", "1"},
                                                        {"model", "a%2Fb"}}) {
    HttpRequest request;
    request.query = {{name, value}};
    EXPECT_EQ(EventsOptionsOf(request).status().code(), StatusCode::kInvalidArgument) << name;
  }
}

TEST(EventStream, EachEventIsAMessageAndWhatIsLostIsToldFirst) {
  test::FakeLink link;
  link.answer = std::string(kBatch);
  const std::string body = AnswerEvents({}, link).body;
  EXPECT_THAT(
      body,
      HasSubstr(
          "\n\nevent: lost\ndata: {\"lost\":2,\"opens_lost\":0}\n\nid: 17\nevent: model.added\n"));
  EXPECT_THAT(body, HasSubstr("a\\nb")) << "no line of a message is a name's";
  EXPECT_THAT(body, HasSubstr("\n\nevent: open.hit\n"))
      << "without an id: it has numbers of its own";
}

TEST(EventStream, QuietOnesAreKeptOpenAndADaemonThatIsAwayEndsThem) {
  test::FakeLink link;
  link.answer = std::string(R"({"events":[],"next":9,"opens_next":4})");
  const HttpResponse answer = AnswerEvents({}, link);
  std::string said;
  for (int i = 0; i < 30; ++i) said += answer.more(link).value();
  EXPECT_EQ(said, ": nothing new\n\n: nothing new\n\n");
  link.answer = Status(StatusCode::kUnavailable, "away");
  EXPECT_EQ(answer.more(link), std::nullopt);
  EXPECT_EQ(AnswerEvents({}, link).status, 503);
}

}  // namespace
}  // namespace trims::admin

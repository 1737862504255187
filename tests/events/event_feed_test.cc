// The feed with timers that a test drives: who waits is told, who is slow loses, and nobody costs the daemon what grows.
#include "events/event_feed.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_timers.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EventFeedTest : public ::testing::Test {
 protected:
  static EventFilter Filter(std::string_view model = "", bool opens = false) {
    return MakeEventFilter(model, {}, opens).value();
  }
  void Add(const std::string& model) {
    feed_.Record({.kind = EventKind::kModelAdded, .model = "default/" + model});
  }
  void Open() { feed_.Record({.kind = EventKind::kOpenHit, .model = "default/ocr"}); }
  EventWait Await(EventQuery query, Duration patience = seconds(60)) {
    return feed_.Await(std::move(query), patience,
                       [this](EventBatch batch) { answers_.push_back(std::move(batch)); });
  }

  ManualClock clock_;
  test::FakeTimers timers_{&clock_};
  EventFeed feed_{&timers_, 1000};
  std::vector<EventBatch> answers_;
};

TEST_F(EventFeedTest, WhatIsKeptIsReadFromANumberOn) {
  Add("a");
  Add("b");
  const EventBatch all = feed_.Read({.filter = Filter(), .since = 0});
  ASSERT_EQ(all.events.size(), 2U);
  EXPECT_EQ(all.events[0].sequence, 1001U);
  EXPECT_GT(all.events[0].unix_us, 0);
  EXPECT_EQ(all.next, 1002U);
  EXPECT_EQ(feed_.Read({.filter = Filter(), .since = 1001}).events.at(0).model, "default/b");
  EXPECT_TRUE(feed_.Read({.filter = Filter()}).events.empty()) << "from now on";
}

TEST_F(EventFeedTest, WhoWaitsIsToldTogetherWhatCameInAMoment) {
  const EventWait wait = Await({.filter = Filter()});
  Add("a");
  Add("b");
  EXPECT_TRUE(answers_.empty()) << "called back inside Record";
  timers_.Advance(EventFeed::kTellAfter);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].events.size(), 2U);
  Add("c");
  timers_.Advance(EventFeed::kTellAfter);
  EXPECT_EQ(answers_.size(), 1U) << "one answer to one wait";
}

TEST_F(EventFeedTest, WhoReadsOnMissesNothingBetween) {
  const EventWait first = Await({.filter = Filter()});
  Add("a");
  timers_.Advance(EventFeed::kTellAfter);
  Add("b");  // nobody waits now
  const EventWait second =
      Await({.filter = Filter(), .since = answers_.at(0).next, .opens_since = 0});
  timers_.Advance(EventFeed::kTellAfter);
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[1].events.at(0).model, "default/b");
}

TEST_F(EventFeedTest, PatienceEndsWithNothing) {
  const EventWait wait = Await({.filter = Filter("ocr")}, seconds(5));
  Add("other");
  timers_.Advance(seconds(5));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(answers_[0].events.empty());
  EXPECT_EQ(answers_[0].next, 1001U) << "what was not wanted is behind";
}

TEST_F(EventFeedTest, WhatIsNotWantedIsNotLost) {
  const EventWait wait = Await({.filter = Filter("ocr")});
  for (size_t i = 0; i < 2 * EventFeed::kKept; ++i) Add("other");
  Add("ocr");
  timers_.Advance(EventFeed::kTellAfter);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].lost, 0U);
  ASSERT_EQ(answers_[0].events.size(), 1U);
}

TEST_F(EventFeedTest, WhoIsSlowIsToldHowManyAreGone) {
  Add("first");
  const uint64_t since = feed_.Read({.filter = Filter(), .since = 0}).next;
  for (size_t i = 0; i < EventFeed::kKept + 7; ++i) Add("other");
  EventBatch batch = feed_.Read({.filter = Filter(), .since = since});
  EXPECT_EQ(batch.lost, 7U);
  size_t read = batch.events.size();
  EXPECT_EQ(read, EventFeed::kMostInBatch);
  while (!batch.events.empty()) {
    batch = feed_.Read({.filter = Filter(), .since = batch.next});
    EXPECT_EQ(batch.lost, 0U) << "told once";
    read += batch.events.size();
  }
  EXPECT_EQ(read, EventFeed::kKept);
}

TEST_F(EventFeedTest, OpensAreRecordedOnlyForWhoWantsThemAndAWhileAfter) {
  Open();
  EXPECT_FALSE(feed_.wants_opens());
  {
    const EventWait others = Await({.filter = Filter()});
    EXPECT_FALSE(feed_.wants_opens());
    const EventWait wait = Await({.filter = Filter("", true)});
    EXPECT_TRUE(feed_.wants_opens());
    timers_.Advance(2 * EventFeed::kOpensLinger);
    EXPECT_TRUE(feed_.wants_opens()) << "it still waits";
    Open();
    timers_.Advance(EventFeed::kTellAfter);
    ASSERT_EQ(answers_.size(), 1U);
    EXPECT_EQ(answers_[0].events.size(), 1U);
    EXPECT_EQ(answers_[0].opens_next, 1001U);
    EXPECT_EQ(answers_[0].next, 1000U);
  }
  EXPECT_TRUE(feed_.wants_opens()) << "it may ask on";
  timers_.Advance(EventFeed::kOpensLinger);
  EXPECT_FALSE(feed_.wants_opens());
  Open();
  EXPECT_EQ(feed_.Read({.filter = Filter("", true), .opens_since = 0}).events.size(), 1U);
}

TEST_F(EventFeedTest, OpensPushNothingElseOut) {
  const EventWait wait = Await({.filter = Filter("", true)});
  Add("a");
  for (size_t i = 0; i < EventFeed::kKept + 5; ++i) Open();
  const EventBatch batch =
      feed_.Read({.filter = Filter("", true), .since = 0, .opens_since = 1000});
  EXPECT_EQ(batch.events.at(0).model, "default/a");
  EXPECT_EQ(batch.lost, 0U);
  EXPECT_EQ(batch.opens_lost, 5U);
}

TEST_F(EventFeedTest, AWaitThatIsDroppedIsNotAnsweredAndLeavesNothingBehind) {
  { const EventWait wait = Await({.filter = Filter()}); }
  EXPECT_EQ(timers_.pending(), 0U);
  Add("a");
  timers_.Advance(seconds(60));
  EXPECT_TRUE(answers_.empty());
  std::optional<EventWait> wait = Await({.filter = Filter()});
  Add("b");
  wait.reset();  // due, not told yet
  timers_.Advance(seconds(60));
  EXPECT_TRUE(answers_.empty());
}

TEST_F(EventFeedTest, AFewAreAnsweredInATurn) {
  std::vector<EventWait> waits;
  for (size_t i = 0; i < 2 * EventFeed::kAnswersInTurn + 1; ++i) {
    waits.push_back(Await({.filter = Filter()}));
  }
  EXPECT_EQ(feed_.waits(), waits.size());
  Add("a");
  const size_t timers = timers_.pending();
  timers_.Advance(EventFeed::kTellAfter);
  EXPECT_EQ(answers_.size(), waits.size()) << "all in the end";
  EXPECT_EQ(feed_.waits(), 0u);
  EXPECT_LT(timers_.pending(), timers);
}

TEST_F(EventFeedTest, WhatClientsSayIsKeptShortAndHarmless) {
  const EventWait wait = Await({.filter = Filter("", /*opens=*/true)});
  const std::string long_reference = "default/" + std::string(200, 'a');
  feed_.Record({.kind = EventKind::kOpenHit, .model = long_reference});
  feed_.Record({.kind = EventKind::kOpenFailed,
                .model = std::string(512, '\x01'),
                .client = std::string(60'000, 'x')});
  timers_.Advance(EventFeed::kTellAfter);
  ASSERT_EQ(answers_.size(), 1u);
  ASSERT_EQ(answers_[0].events.size(), 2u);
  EXPECT_EQ(answers_[0].events[0].model, long_reference);
  const Event& failed = answers_[0].events[1];
  EXPECT_LT(failed.model.size(), 300u);
  EXPECT_LT(failed.client.size(), 300u);
  EXPECT_EQ(failed.model.find('\x01'), std::string::npos);
}

TEST_F(EventFeedTest, ABatchIsBoundedByItsBytesToo) {
  const std::string text(1024, 'e');
  for (int i = 0; i < 1000; ++i) {
    feed_.Record({.kind = EventKind::kModelAddFailed,
                  .model = "default/ocr",
                  .error = Status(StatusCode::kInternal, text)});
  }
  EventBatch batch = feed_.Read({.filter = Filter(), .since = 0});
  EXPECT_LT(batch.events.size(), 300u);
  size_t seen = 0;
  while (!batch.events.empty()) {
    seen += batch.events.size();
    batch = feed_.Read({.filter = Filter(), .since = batch.next});
  }
  EXPECT_EQ(seen, 1000u) << "the rest comes with the next";
}

TEST_F(EventFeedTest, AnAnswerMayWaitAgainOrEndOthers) {
  std::optional<EventWait> second;
  std::optional<EventWait> third;
  const EventWait first = feed_.Await({.filter = Filter()}, seconds(60), [&](EventBatch batch) {
    second.reset();
    third = Await({.filter = Filter(), .since = batch.next});
  });
  second = Await({.filter = Filter()});
  Add("a");
  timers_.Advance(EventFeed::kTellAfter);
  EXPECT_TRUE(answers_.empty()) << "it was ended by the first's answer";
  Add("b");
  timers_.Advance(EventFeed::kTellAfter);
  EXPECT_EQ(answers_.size(), 1U);
}

}  // namespace
}  // namespace trims

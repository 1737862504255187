// Which versions go when there are more than are to be kept.
#include "ingest/retirer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "ingest/ingest_fixture.h"

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RetirerTest : public test::IngestTest {
 protected:
  void SetUp() override {
    for (int i = 1; i <= 5; ++i) {
      const std::string digit = std::to_string(i);
      ASSERT_TRUE(AddWhole("a:v" + digit, digit[0]).ok());
    }
    ASSERT_TRUE(AddWhole("b:v1", '1').ok());
  }
  using Answer = std::shared_ptr<std::optional<Result<std::vector<RemovedModel>>>>;
  Answer Retire(const Retention& keep) {
    auto answer = std::make_shared<std::optional<Result<std::vector<RemovedModel>>>>();
    registrar_->Retire(
        "default/a", keep,
        [this](const CatalogEntry& entry) { return in_use_.contains(entry.version); },
        [answer](Result<std::vector<RemovedModel>> retired) { *answer = std::move(retired); });
    return answer;
  }
  // In the order in which they went.
  std::vector<std::string> Retired(const Retention& keep) {
    const Answer answer = Retire(keep);
    while (!*answer) catalog_.Finish(catalog_.next());
    std::vector<std::string> versions;
    for (const RemovedModel& model : (*answer)->value()) {
      versions.push_back(model.reference.substr(model.reference.find(':') + 1));
    }
    return versions;
  }

  void AddedDaysAgo(const std::string& version, int days) {
    for (CatalogEntry& entry : catalog_.content.entries) {
      const bool meant = entry.name == "default/a" && entry.version == version;
      if (meant) entry.added_unix_seconds = UnixSecondsNow() - int64_t{days} * 24 * 3600;
    }
  }

  std::set<std::string> in_use_;
};

TEST_F(RetirerTest, TheOldestGoFirstAndOnlyOfThatName) {
  EXPECT_THAT(Retired({.versions = 3}), ElementsAre("v1", "v2"));
  EXPECT_THAT(Retired({.versions = 3}), IsEmpty());
  EXPECT_TRUE(catalog_.Find({"default/b", "v1", ""}).ok());
  EXPECT_EQ(registrar_->counters().removes, 2u);
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(RetirerTest, TheNewestAlwaysStays) {
  EXPECT_THAT(Retired({}), ElementsAre("v1", "v2", "v3", "v4"));
}

TEST_F(RetirerTest, WhatIsAliasedPinnedOrHeldStays) {
  catalog_.content.aliases.Put(
      MovedTo({{"default/prod", ""}, {}}, {"default/a", "v1", test::Digest('1'), 1}));
  catalog_.content.pins.insert({"default/a", "v2", Variant::kFiles, "host"});
  in_use_.insert("v3");
  EXPECT_THAT(Retired({.versions = 1}), ElementsAre("v4"));
}

TEST_F(RetirerTest, WhatIsOlderGoesAndWhatEitherRuleKeepsStays) {
  AddedDaysAgo("v1", 40);
  AddedDaysAgo("v2", 35);
  AddedDaysAgo("v3", 20);
  AddedDaysAgo("v5", 50);  // the newest all the same
  const Retention a_month{.versions = 0, .for_at_least = std::chrono::hours(30 * 24)};
  EXPECT_THAT(Retired({.versions = 4, .for_at_least = a_month.for_at_least}), ElementsAre("v1"));
  EXPECT_THAT(Retired(a_month), ElementsAre("v2"));
  EXPECT_THAT(Retired(a_month), IsEmpty());
}

TEST_F(RetirerTest, WhatIsOldAndAliasedPinnedOrHeldStays) {
  for (const char* version : {"v1", "v2", "v3"}) AddedDaysAgo(version, 400);
  catalog_.content.aliases.Put(
      MovedTo({{"default/prod", ""}, {}}, {"default/a", "v1", test::Digest('1'), 1}));
  catalog_.content.pins.insert({"default/a", "v2", Variant::kFiles, "host"});
  in_use_.insert("v3");
  EXPECT_THAT(Retired({.versions = 0, .for_at_least = std::chrono::hours(24)}), IsEmpty());
}

TEST_F(RetirerTest, WhatIsOpenedMeanwhileStays) {
  const Answer answer = Retire({.versions = 2});
  in_use_.insert("v2");
  catalog_.Finish("erase default/a:v1");
  catalog_.Finish("erase default/a:v3");
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->value().size(), 2u);
}

TEST_F(RetirerTest, AFailureEndsItAndIsTold) {
  const Answer answer = Retire({.versions = 2});
  catalog_.Finish("erase default/a:v1", Status(StatusCode::kDataLoss, "the disk"));
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(registrar_->in_flight(), 0u);
  EXPECT_TRUE(catalog_.Find({"default/a", "v2", ""}).ok());
}

}  // namespace
}  // namespace trims

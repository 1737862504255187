// Aliases and pins: what a catalog keeps beside the models, and what a catalog of before becomes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/fault.h"
#include "catalog/alias.h"
#include "catalog/catalog_fixture.h"

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class CatalogAliasesTest : public test::CatalogFixture {
 protected:
  void Begin() {
    ASSERT_TRUE(Open().ok());
    ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
    ASSERT_TRUE(Put(Entry("default/a", "v2", 'b')).ok());
  }
  Status Move(const std::string& alias, const std::string& version, char digit) {
    const AliasName name = ParseAliasName(alias).value();
    const Alias* before = catalog_->Aliases().Find(name);
    Alias moved = MovedTo(before == nullptr ? Alias{.name = name, .targets = {}} : *before,
                          {"default/a", version, test::Digest(digit), 7});
    return Changed([&](auto done) { catalog_->PutAlias(std::move(moved), done); });
  }
  Status PinOne(const PinnedVariant& pin) {
    return Changed([&](auto done) { catalog_->Pin({pin}, done); });
  }
  std::vector<std::string> Meant(const std::string& alias) {
    std::vector<std::string> versions;
    const Alias* found = catalog_->Aliases().Find(ParseAliasName(alias).value());
    if (found == nullptr) return versions;
    for (const AliasTarget& target : found->targets) versions.push_back(target.version);
    return versions;
  }

  const PinnedVariant pin_{"default/a", "v1", Variant::kTensors, "host"};
};

TEST_F(CatalogAliasesTest, AnAliasResolvesWhereverAReferenceDoes) {
  Begin();
  ASSERT_TRUE(Move("prod", "v1", 'a').ok());
  ASSERT_TRUE(Move("a:stable", "v1", 'a').ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Find("prod"), "v1");
    EXPECT_EQ(Find("a:stable"), "v1");
    EXPECT_EQ(Find("a"), "v2") << "a model's own name means its newest";
    EXPECT_EQ(Find("prod@sha256:" + test::Digest('b')), "v2");
    EXPECT_EQ(Find("prod:other"), "NOT_FOUND");
    EXPECT_EQ(Find("team/prod"), "NOT_FOUND");
    ASSERT_TRUE(Open().ok());
  }
  EXPECT_THAT(catalog_->Find(ParseModelReference("prodd").value()).status().message(),
              HasSubstr("did you mean 'prod'?"));
}

TEST_F(CatalogAliasesTest, ItRemembersWhatItMeantAndForgetsTheOldest) {
  Begin();
  for (const char* version : {"v1", "v2", "v1"}) ASSERT_TRUE(Move("prod", version, 'a').ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(Meant("prod"), ElementsAre("v1", "v2", "v1"));
  for (size_t i = 0; i < kMaxAliasTargets; ++i) ASSERT_TRUE(Move("prod", "v2", 'b').ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Meant("prod").size(), kMaxAliasTargets);
  EXPECT_EQ(Meant("prod").back(), "v2");
  const AliasName prod = ParseAliasName("prod").value();
  ASSERT_TRUE(Changed([&](auto done) { catalog_->EraseAlias(prod, done); }).ok());
  EXPECT_EQ(Find("prod"), "NOT_FOUND");
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Find("prod"), "NOT_FOUND");
}

TEST_F(CatalogAliasesTest, AMoveThatFailsLeavesItWhereItWas) {
  Begin();
  ASSERT_TRUE(Move("prod", "v1", 'a').ok());
  for (int nth = 1;; ++nth) {
    fault::ScopedPlan plan({.op = fault::Op::kDatabase, .nth = nth, .error = ENOSPC});
    const Status status = Move("prod", "v2", 'b');
    if (!plan.fired()) break;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(Find("prod"), "v1");
  }
  EXPECT_EQ(Find("prod"), "v2");
}

TEST_F(CatalogAliasesTest, PinsLastUntilTheyOrTheirModelGo) {
  Begin();
  ASSERT_TRUE(PinOne(pin_).ok());
  ASSERT_TRUE(PinOne(pin_).ok()) << "twice is as good as once";
  ASSERT_TRUE(PinOne({"default/a", "v2", Variant::kFiles, "device:0"}).ok());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok()) << "added again";
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(catalog_->Pins().size(), 2u);
  EXPECT_TRUE(catalog_->Pins().contains(pin_));
  ASSERT_TRUE(Erase("default/a", "v2").ok());
  EXPECT_THAT(catalog_->Pins(), ElementsAre(pin_));
  ASSERT_TRUE(Changed([&](auto done) { catalog_->Unpin({pin_}, done); }).ok());
  EXPECT_TRUE(catalog_->Pins().empty());
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(catalog_->Pins().empty());
}

TEST_F(CatalogAliasesTest, HowLongANameIsKeptLastsUntilItsLastVersionGoes) {
  using std::chrono::minutes;
  Begin();
  const auto keep = [&](const std::string& name, KeepAlive time) {
    return Changed([&](auto done) { catalog_->SetKeepAlive(name, time, done); });
  };
  ASSERT_TRUE(keep("default/a", std::nullopt).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(catalog_->KeepAlives(), ElementsAre(Pair("default/a", KeepAlive())));
  ASSERT_TRUE(keep("default/a", minutes(10)).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(catalog_->KeepAlives(), ElementsAre(Pair("default/a", KeepAlive(minutes(10)))));
  EXPECT_EQ(keep("default/gone", minutes(1)).code(), StatusCode::kNotFound);
  ASSERT_TRUE(Erase("default/a", "v2").ok());
  EXPECT_EQ(catalog_->KeepAlives().size(), 1u);
  ASSERT_TRUE(Erase("default/a", "v1").ok());
  EXPECT_TRUE(catalog_->KeepAlives().empty());
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(catalog_->KeepAlives().empty());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
  ASSERT_TRUE(keep("default/a", minutes(1)).ok());
  ASSERT_TRUE(Changed([&](auto done) { catalog_->ClearKeepAlive("default/a", done); }).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(catalog_->KeepAlives().empty());
  catalog_.reset();
  test::RunSql(path_, "INSERT INTO keep_alives VALUES ('default/a', -7)");
  EXPECT_EQ(Open().code(), StatusCode::kDataLoss);
}

TEST_F(CatalogAliasesTest, OfSeveralPinsAllAreKeptOrNone) {
  Begin();
  const Status status = Changed([&](auto done) {
    catalog_->Pin({pin_, {"default/gone", "v1", Variant::kFiles, "host"}}, done);
  });
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_TRUE(catalog_->Pins().empty());
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(catalog_->Pins().empty());
}

// What the release before wrote: no such tables, and its number.
TEST_F(CatalogAliasesTest, ACatalogOfBeforeIsTakenOverOrStaysAsItIs) {
  Begin();
  catalog_.reset();
  test::RunSql(
      path_, "DROP TABLE aliases; DROP TABLE pins; DROP TABLE keep_alives; PRAGMA user_version=4");
  int failed = 0;
  for (int nth = 1;; ++nth) {
    fault::ScopedPlan plan({.op = fault::Op::kDatabase, .nth = nth, .error = ENOSPC});
    const Status status = Open();
    if (!plan.fired()) break;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    ++failed;
  }
  EXPECT_GE(failed, 3);
  ASSERT_NE(catalog_, nullptr);
  EXPECT_EQ(Find("a"), "v2");
  EXPECT_EQ(catalog_->All().size(), 2u);
  ASSERT_TRUE(Move("prod", "v1", 'a').ok());
  ASSERT_TRUE(PinOne(pin_).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Find("prod"), "v1");
}

TEST(AliasNameTest, IsAReferenceWithoutADigestAndNotLatest) {
  EXPECT_EQ(ParseAliasName("prod")->ToString(), "default/prod");
  EXPECT_EQ(ParseAliasName("team/ocr:stable")->ToString(), "team/ocr:stable");
  for (const std::string& text :
       {std::string("latest"), std::string("ocr:latest"), std::string("team/latest"), std::string(),
        std::string("a b"), "ocr@sha256:" + test::Digest('a')}) {
    EXPECT_EQ(ParseAliasName(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace trims

// Aliases, made, moved and forgotten, among adds and removals.
#include "ingest/aliaser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "ingest/ingest_fixture.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

class AliaserTest : public test::IngestTest {
 protected:
  using Answer = std::shared_ptr<std::optional<Result<Alias>>>;

  void SetUp() override {
    for (const char* version : {"v1", "v2"}) {
      ASSERT_TRUE(AddWhole(std::string("a:") + version, version[1]).ok());
    }
  }
  Answer Set(const std::string& alias, const std::string& reference, uid_t uid = 0) {
    return Ask([&](auto done) {
      registrar_->aliaser().Set(wire::Principal{.uid = uid}, alias, reference, done);
    });
  }
  Answer Rollback(const std::string& alias) {
    return Ask([&](auto done) { registrar_->aliaser().Rollback({}, alias, done); });
  }
  Answer Delete(const std::string& alias) {
    return Ask([&](auto done) { registrar_->aliaser().Delete({}, alias, done); });
  }
  void SetWhole(const std::string& alias, const std::string& reference) {
    const Answer answer = Set(alias, reference);
    if (!*answer) catalog_.Finish(catalog_.next());
    ASSERT_TRUE((*answer)->ok()) << (*answer)->status().ToString();
  }
  std::string Meaning(const std::string& alias) {
    const Result<const CatalogEntry*> found = catalog_.Find(ParseModelReference(alias).value());
    return found.ok() ? (*found)->version : "";
  }
  static Status StatusOf(const Answer& answer) {
    return *answer ? (*answer)->status() : Status(StatusCode::kInternal, "not answered");
  }

 private:
  template <typename Begin>
  Answer Ask(Begin begin) {
    auto answer = std::make_shared<std::optional<Result<Alias>>>();
    begin([answer](Result<Alias> alias) {
      EXPECT_FALSE(*answer) << "answered twice";
      *answer = std::move(alias);
    });
    return answer;
  }
};

TEST_F(AliaserTest, ItIsAnsweredWhenTheChangeIsDurableAndHoldsFromThen) {
  const Answer set = Set("prod", "a:v1");
  EXPECT_FALSE(*set);
  EXPECT_EQ(Meaning("prod"), "");
  catalog_.Finish("alias default/prod=default/a:v1");
  EXPECT_TRUE(StatusOf(set).ok());
  EXPECT_EQ(Meaning("prod"), "v1");
  const Answer failed = Set("prod", "a:v2");
  catalog_.Finish("alias default/prod=default/a:v2", Status(StatusCode::kDataLoss, "the disk"));
  EXPECT_EQ(StatusOf(failed).code(), StatusCode::kDataLoss);
  EXPECT_EQ(Meaning("prod"), "v1");
}

TEST_F(AliaserTest, ItMeansAVersionAlsoWhereAnotherAliasOrTheNewestWasNamed) {
  SetWhole("prod", "a:v1");
  SetWhole("copy", "prod");
  SetWhole("newest", "a");
  SetWhole("prod", "a:v2");
  EXPECT_EQ(Meaning("copy"), "v1");
  EXPECT_EQ(Meaning("newest"), "v2");
}

TEST_F(AliaserTest, WhatItMeansAlreadyIsNoMove) {
  SetWhole("prod", "a:v1");
  EXPECT_TRUE(StatusOf(Set("prod", "a:v1")).ok());
  EXPECT_EQ(catalog_.next(), "");
  EXPECT_EQ(StatusOf(Rollback("prod")).code(), StatusCode::kFailedPrecondition);
}

TEST_F(AliaserTest, RollbackGoesBackStepByStep) {
  for (const char* version : {"a:v1", "a:v2"}) SetWhole("prod", version);
  const Answer back = Rollback("prod");
  catalog_.Finish("alias default/prod=default/a:v1");
  EXPECT_TRUE(StatusOf(back).ok());
  EXPECT_EQ(Meaning("prod"), "v1");
  EXPECT_EQ(StatusOf(Rollback("prod")).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(StatusOf(Rollback("prd")).code(), StatusCode::kNotFound);
  EXPECT_THAT(StatusOf(Rollback("prd")).message(), HasSubstr("default/prod"));
}

TEST_F(AliaserTest, RollbackToWhatIsGoneOrHasOtherContentIsRefused) {
  for (const char* version : {"a:v1", "a:v2"}) SetWhole("prod", version);
  const Removed removed = Remove("a:v1");
  catalog_.Finish("erase default/a:v1");
  worker_.RunAll();
  EXPECT_EQ(StatusOf(Rollback("prod")).code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(AddWhole("a:v1", '7').ok());
  const Status other = StatusOf(Rollback("prod"));
  EXPECT_EQ(other.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(other.message(), HasSubstr("no longer there"));
}

TEST_F(AliaserTest, WhatAnAliasMeansIsNotRemoved) {
  SetWhole("prod", "a:v1");
  for (const char* reference : {"a:v1", "a", "prod"}) {
    const Removed refused = Remove(reference);
    ASSERT_TRUE(*refused) << reference;
    EXPECT_EQ((*refused)->status().code(), StatusCode::kFailedPrecondition) << reference;
    EXPECT_THAT((*refused)->status().ToString(), HasSubstr("prod")) << reference;
  }
  EXPECT_EQ(catalog_.All().size(), 2u);
  const Answer deleted = Delete("prod");
  catalog_.Finish("erase alias default/prod");
  EXPECT_EQ((*deleted)->value().target().version, "v1");
  const Removed removed = Remove("a:v1");
  catalog_.Finish("erase default/a:v1");
  EXPECT_TRUE((*removed)->ok());
}

// The removal was asked for first: the alias finds nothing any more.
TEST_F(AliaserTest, AMoveWaitsForItsTurn) {
  const Removed removed = Remove("a:v1");
  const Answer set = Set("prod", "a:v1");
  EXPECT_FALSE(*set);
  catalog_.Finish("erase default/a:v1");
  EXPECT_TRUE((*removed)->ok());
  EXPECT_EQ(StatusOf(set).code(), StatusCode::kNotFound);
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(AliaserTest, AModelAndAnAliasDontShareAName) {
  EXPECT_EQ(StatusOf(Set("a", "a:v1")).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(StatusOf(Set("a:v2", "a:v1")).code(), StatusCode::kAlreadyExists);
  SetWhole("a:stable", "a:v1");
  SetWhole("prod", "a:v1");
  for (const char* taken : {"a:stable", "prod", "prod:v1"}) {
    const Added added = Add(taken);
    ASSERT_TRUE(*added) << taken;
    EXPECT_EQ((*added)->status().code(), StatusCode::kAlreadyExists) << taken;
  }
}

// It came to be while the model was prepared.
TEST_F(AliaserTest, AnAddFindsItsNameTakenWhenItsTurnComes) {
  const Added added = Add("b:v1");
  worker_.RunAll();
  SetWhole("b", "a:v1");
  FinishPreparing('5');
  worker_.RunAll();
  EXPECT_EQ(test::CodeOf(added), StatusCode::kAlreadyExists);
}

TEST_F(AliaserTest, MistakesSaySo) {
  EXPECT_EQ(StatusOf(Set("latest", "a:v1")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(StatusOf(Set("prod", "a:v9")).code(), StatusCode::kNotFound);
  EXPECT_EQ(StatusOf(Set("prod", "a:v1", ::geteuid() + 1)).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(StatusOf(Delete("prod")).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace trims

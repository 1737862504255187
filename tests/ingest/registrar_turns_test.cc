// Adding and removing at once: what waits for what, what a failure in the middle leaves, and what the
// end of the daemon does.
#include <gmock/gmock.h>

#include <cerrno>

#include "base/fault.h"
#include "ingest/ingest_fixture.h"
#include "ingest/turns.h"

namespace trims::test {
namespace {

using ::testing::IsEmpty;

using RegistrarTurnsTest = IngestTest;

TEST_F(RegistrarTurnsTest, OfTwoAddsOfOneVersionTheSecondSeesTheFirst) {
  const Added first = Add("ocr:v1");
  const Added second = Add("ocr:v1");
  worker_.RunAll();
  FinishPreparing('a');
  FinishPreparing('b');
  worker_.RunAll();
  catalog_.Finish("put default/ocr:v1");
  EXPECT_TRUE((**first).ok());
  EXPECT_EQ(catalog_.next(), "") << "the second was about to overwrite the first";
  worker_.RunAll();
  EXPECT_EQ(CodeOf(second), StatusCode::kAlreadyExists);
  EXPECT_EQ(catalog_.All().size(), 1u);
  EXPECT_EQ(Folders(), NamedFolders());
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(RegistrarTurnsTest, TwoAddsOfOneContentKeepTheVariantsOfBoth) {
  Add("ocr");
  Add("ocr");
  worker_.RunAll();
  FinishPreparing('a', Variant::kFiles);
  FinishPreparing('a', Variant::kTensors);
  worker_.RunAll();
  catalog_.Finish("put default/ocr:aaaaaaaaaaaa");
  worker_.RunAll();
  catalog_.Finish("put default/ocr:aaaaaaaaaaaa");
  worker_.RunAll();
  ASSERT_EQ(catalog_.All().size(), 1u);
  EXPECT_EQ(catalog_.All().front()->images.size(), 2u);
  EXPECT_EQ(Folders(), NamedFolders());
}

TEST_F(RegistrarTurnsTest, ARemoveWaitsForTheAddThatIsPublishing) {
  const Added added = Add("ocr:v1");
  worker_.RunAll();
  FinishPreparing('a');
  const Removed removed = Remove("ocr");
  EXPECT_FALSE(*removed);
  worker_.RunAll();
  catalog_.Finish("put default/ocr:v1");
  EXPECT_TRUE((**added).ok());
  catalog_.Finish("erase default/ocr:v1");
  ASSERT_TRUE(*removed);
  EXPECT_EQ((**removed)->size(), 1u);
  worker_.RunAll();
  EXPECT_THAT(Folders(), IsEmpty());
}

TEST_F(RegistrarTurnsTest, AnAddThatComesBehindARemoveStays) {
  EXPECT_TRUE(AddWhole("ocr:v1", 'a').ok());
  const Added added = Add("ocr:v1");
  worker_.RunAll();
  const Removed removed = Remove("ocr");
  FinishPreparing('a');
  EXPECT_EQ(worker_.size(), 0u) << "publishing before its turn";
  catalog_.Finish("erase default/ocr:v1");
  worker_.RunAll();
  catalog_.Finish("put default/ocr:v1");
  worker_.RunAll();
  EXPECT_TRUE((**removed).ok());
  EXPECT_TRUE((**added).ok());
  EXPECT_EQ(catalog_.All().size(), 1u);
  EXPECT_EQ(Folders(), NamedFolders());
}

TEST_F(RegistrarTurnsTest, APublishThatFailsInTheMiddleHarmsNoneBeforeOrAfter) {
  const Added first = Add("one:v1");
  const Added second = Add("two:v1");
  const Added third = Add("three:v1");
  worker_.RunAll();
  FinishPreparing('a');
  FinishPreparing('b');
  FinishPreparing('c');
  worker_.RunAll();
  catalog_.Finish("put default/one:v1");
  {
    const fault::ScopedPlan plan({.op = fault::Op::kRename, .nth = 1, .error = ENOSPC});
    while (!plan.fired() && worker_.size() > 0) worker_.RunNext();
    EXPECT_TRUE(plan.fired());
  }
  worker_.RunAll();
  catalog_.Finish("put default/three:v1");
  worker_.RunAll();
  EXPECT_TRUE((**first).ok());
  EXPECT_EQ(CodeOf(second), StatusCode::kResourceExhausted);
  EXPECT_TRUE((**third).ok());
  EXPECT_EQ(Folders(), NamedFolders());
  EXPECT_EQ(registrar_->in_flight(), 0u);
  EXPECT_EQ(registrar_->counters().add_failures, 1u);
}

TEST_F(RegistrarTurnsTest, ACatalogThatFailsLeavesNothingAndTheNextHasItsTurn) {
  const Added first = Add("ocr:v1");
  const Added second = Add("ocr:v1");
  worker_.RunAll();
  FinishPreparing('a');
  FinishPreparing('a');
  worker_.RunAll();
  catalog_.Finish("put default/ocr:v1", Status(StatusCode::kResourceExhausted, "disk full"));
  EXPECT_FALSE(*first) << "answered before its folder was gone";
  worker_.RunAll();
  EXPECT_EQ(CodeOf(first), StatusCode::kResourceExhausted);
  catalog_.Finish("put default/ocr:v1");
  worker_.RunAll();
  EXPECT_TRUE((**second).ok());
  EXPECT_EQ(Folders(), NamedFolders());
}

TEST_F(RegistrarTurnsTest, ACatalogThatMayHaveBeenWrittenFindsTheFiles) {
  const Added added = Add("ocr:v1");
  worker_.RunAll();
  FinishPreparing('a');
  worker_.RunAll();
  catalog_.Finish("put default/ocr:v1", Status(StatusCode::kDataLoss, "not synced"));
  worker_.RunAll();
  EXPECT_EQ(CodeOf(added), StatusCode::kDataLoss);
  EXPECT_EQ(Folders().size(), 1u) << "the next start knows whether the catalog names it";
}

TEST_F(RegistrarTurnsTest, AFailedEraseEndsTheRemoveAndItsTurn) {
  EXPECT_TRUE(AddWhole("ocr:v1", 'a').ok());
  const Removed first = Remove("ocr");
  const Removed second = Remove("ocr");
  catalog_.Finish("erase default/ocr:v1", Status(StatusCode::kDataLoss, "disk"));
  EXPECT_EQ((**first).status().code(), StatusCode::kDataLoss);
  catalog_.Finish("erase default/ocr:v1");
  EXPECT_TRUE((**second).ok());
}

TEST_F(RegistrarTurnsTest, NoMoreAddsAtOnceThanAllowed) {
  options_.max_adds = 2;
  Start();
  worker_.RunAll();
  Add("a");
  Add("b");
  EXPECT_EQ(CodeOf(Add("c")), StatusCode::kResourceExhausted);
}

// The end of the daemon after so many steps of two adds and a remove that wait for one another.
class EndOfTheDaemonTest : public IngestTest, public ::testing::WithParamInterface<int> {
 protected:
  // False where there is nothing left to do.
  bool Step() {
    if (worker_.size() > 0) {
      worker_.RunNext();
    } else if (!preparer_.requests.empty()) {
      FinishPreparing('a', Variant::kTensors);
    } else if (!catalog_.next().empty()) {
      catalog_.Finish(catalog_.next());
    } else {
      return false;
    }
    return true;
  }
};

TEST_P(EndOfTheDaemonTest, LeavesWhatTheCatalogNamesAndNothingElse) {
  EXPECT_TRUE(AddWhole("ocr", 'a').ok());
  const std::vector<Added> adds = {Add("ocr"), Add("ocr")};
  const Removed removed = Remove("other");
  for (int step = 0; step < GetParam(); ++step) Step();
  const size_t answered = static_cast<size_t>(
      std::count_if(adds.begin(), adds.end(), [](const Added& add) { return add->has_value(); }));

  registrar_.reset();
  preparer_.requests.clear();
  catalog_.Drop();
  worker_.RunAll();
  EXPECT_EQ(Folders(), NamedFolders());
  EXPECT_EQ(answered,
            static_cast<size_t>(std::count_if(adds.begin(), adds.end(),
                                              [](const Added& add) { return add->has_value(); })))
      << "answered after its end";
}

TEST_F(EndOfTheDaemonTest, IsTriedAtEachStep) {
  Add("ocr");
  Add("ocr");
  int steps = 0;
  while (Step()) ++steps;
  EXPECT_GT(steps, 10);
  EXPECT_LT(steps, 24);
}
INSTANTIATE_TEST_SUITE_P(AtEachStep, EndOfTheDaemonTest, ::testing::Range(0, 24));

TEST(Turns, AreTakenInOrderWithoutNesting) {
  Turns turns;
  std::vector<int> order;
  int depth = 0;
  turns.Take([&](const Turns::Turn&) {
    for (int i = 0; i < 1000; ++i) {
      turns.Take([&, i](const Turns::Turn&) {
        EXPECT_EQ(++depth, 1);
        order.push_back(i);
        --depth;
      });
    }
    EXPECT_THAT(order, IsEmpty());
  });
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Turns, OneMayOutliveThem) {
  auto turns = std::make_unique<Turns>();
  std::optional<Turns::Turn> kept;
  bool called = false;
  turns->Take([&](Turns::Turn turn) { kept.emplace(std::move(turn)); });
  turns->Take([&](const Turns::Turn&) { called = true; });
  turns.reset();
  kept.reset();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace trims::test

// After any sequence of operations a node is what they should have made of it (node.h).
// TRIMS_PROPERTY_ROUNDS=20000 makes it long; TRIMS_PROPERTY_SEED repeats a failure.
#include <gtest/gtest.h>

#include "base/log.h"
#include "manager/properties/node.h"
#include "support/operations.h"
#include "support/properties.h"

namespace trims::test {
namespace {

// Mostly opens and loads.
const Weights kAnything{
    {4, Act::kAdd},         {4, Act::kFinishAdd},     {40, Act::kOpen},    {18, Act::kClose},
    {2, Act::kDie},         {4, Act::kPin},           {4, Act::kUnpin},    {4, Act::kPrefetch},
    {5, Act::kEvict},       {1, Act::kDrain},         {4, Act::kSetAlias}, {1, Act::kDeleteAlias},
    {2, Act::kRollback},    {2, Act::kRemove},        {2, Act::kPolicy},   {3, Act::kKeepAlive},
    {30, Act::kFinishFill}, {8, Act::kFinishRelease}, {5, Act::kAdvance},  {1, Act::kRestart}};

void ExpectNodeIsAsItShould(const std::vector<Operation>& operations) {
  Node node;
  for (const Operation& operation : operations) {
    node.Do(operation);
    if (node.wrong().empty()) continue;
    RC_LOG() << "at: " << operation << '\n';
    RC_FAIL(node.wrong());
  }
  node.Settle();
  if (!node.wrong().empty()) RC_FAIL("in the end: " + node.wrong());
}

TEST(ManagerProperties, AfterAnyOperationsTheNodeIsAsItShouldBe) {
  constexpr int kLongest = 150;
  EXPECT_TRUE(HoldsForAll("a node is what was made of it", {.rounds = 200}, [] {
    const std::vector<Operation> operations = *AnyOperations(kAnything, kLongest);
    ExpectNodeIsAsItShould(operations);
  }));
}

}  // namespace
}  // namespace trims::test

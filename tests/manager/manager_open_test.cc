#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include <nlohmann/json.hpp>

#include "manager/manager.h"
#include "store/eviction_policy.h"
#include "support/manager_fakes.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr uint64_t kPage = 4096;

// What one open came to.
struct Outcome {
  bool called = false;
  Status status;
  std::optional<Lease> lease;
};

class ManagerOpen : public ::testing::Test {
 protected:
  void Start(uint64_t budget_pages, Reclaim reclaim = Reclaim::kLazy, const char* policy = "lru") {
    eviction_ = MakeEvictionPolicy(policy).value();
    ManagerOptions options;
    options.residency.host_budget = budget_pages * kPage;
    options.residency.reclaim = reclaim;
    options.residency.max_back_off = milliseconds(400);
    manager_ = std::make_unique<Manager>(options, ManagerDependencies{.clock = &clock_,
                                                                      .timers = &timers_,
                                                                      .catalog = &catalog_,
                                                                      .loader = &loader_,
                                                                      .preparer = &preparer_,
                                                                      .eviction = eviction_.get(),
                                                                      .worker = &worker_});
  }

  // A model whose files take `pages` of budget.
  void Know(const std::string& name, char digit, uint64_t pages) {
    catalog_.entries.push_front(
        MakeCatalogEntry("default/" + name, "v1",
                         testing::MakeManifest(testing::Digest(digit),
                                               {testing::MakeVariant(Variant::kFiles, pages - 1)}),
                         "/prepared/" + name, 1));
  }

  std::shared_ptr<Outcome> Open(const std::string& reference, milliseconds deadline = {}) {
    auto outcome = std::make_shared<Outcome>();
    last_waiter_ = manager_->Open({.principal = {},
                                   .reference = reference,
                                   .variant = Variant::kFiles,
                                   .variant_key = {},
                                   .deadline = deadline},
                                  [outcome](Result<Lease> lease) {
                                    EXPECT_FALSE(outcome->called);
                                    outcome->called = true;
                                    outcome->status = lease.status();
                                    if (lease.ok()) outcome->lease = *std::move(lease);
                                  });
    return outcome;
  }

  std::shared_ptr<Outcome> OpenResident(const std::string& reference) {
    auto outcome = Open(reference);
    if (!outcome->called) loader_.Finish();
    EXPECT_TRUE(outcome->lease.has_value()) << outcome->status.ToString();
    return outcome;
  }

  nlohmann::json StatusJson() { return nlohmann::json::parse(manager_->StatusDocument()); }
  uint64_t Used() { return StatusJson()["host"]["used_bytes"].get<uint64_t>() / kPage; }
  uint64_t Counter(const char* name) { return StatusJson()["counters"][name]; }
  std::string StateOf(const std::string& reference) {
    const auto model = nlohmann::json::parse(manager_->ShowDocument(reference).value());
    return model["variants"][0]["state"];
  }

  ManualClock clock_;
  testing::FakeTimers timers_{&clock_};
  testing::FakeCatalog catalog_;
  testing::FakeLoader loader_;
  testing::FakePreparer preparer_;
  testing::InlineWorker worker_;
  std::unique_ptr<EvictionPolicy> eviction_;
  std::unique_ptr<Manager> manager_;
  WaiterId last_waiter_ = 0;
};

TEST_F(ManagerOpen, MissLoadsOnceAndServesAllWhoWait) {
  Know("a", 'a', 4);
  Start(10);
  auto first = Open("a");
  clock_.Advance(milliseconds(5));
  auto second = Open("a:v1");
  EXPECT_NE(last_waiter_, 0u);
  EXPECT_EQ(loader_.started, 1);
  EXPECT_FALSE(first->called);
  clock_.Advance(milliseconds(2));
  loader_.Finish();
  ASSERT_TRUE(first->lease && second->lease);
  EXPECT_FALSE(first->lease->info().hit);
  EXPECT_EQ(first->lease->info().waited, milliseconds(7));
  EXPECT_EQ(second->lease->info().waited, milliseconds(2));
  EXPECT_EQ(second->lease->info().reference, "default/a:v1");
  EXPECT_EQ(timers_.pending(), 0u);
  auto third = Open("a");
  EXPECT_EQ(last_waiter_, 0u);
  EXPECT_TRUE(third->lease->info().hit);
  EXPECT_EQ(Counter("misses"), 1u);
  EXPECT_EQ(Counter("joined"), 1u);
  EXPECT_EQ(Counter("hits"), 1u);
  EXPECT_EQ(Counter("opens"), 3u);
}

TEST_F(ManagerOpen, EqualContentUnderTwoNamesIsOneSegment) {
  Know("a", 'a', 4);
  Know("b", 'a', 4);
  Start(4);
  auto a = OpenResident("a");
  auto b = OpenResident("b");
  EXPECT_EQ(loader_.started, 1);
  EXPECT_TRUE(b->lease->info().hit);
  EXPECT_EQ(b->lease->info().reference, "default/b:v1");
}

TEST_F(ManagerOpen, RefusesWhatCanNeverFitWithBothNumbers) {
  Know("a", 'a', 11);
  Start(10);
  auto open = Open("a");
  EXPECT_EQ(open->status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(open->status.message(), HasSubstr(std::to_string(11 * kPage)));
  EXPECT_THAT(open->status.message(), HasSubstr(std::to_string(10 * kPage)));
  EXPECT_EQ(loader_.started, 0);
}

TEST_F(ManagerOpen, NamesThePreparedVariantsAndBothKeys) {
  Know("a", 'a', 4);
  CatalogEntry& entry = catalog_.entries.front();
  entry.manifest.variants.push_back(testing::MakeVariant(Variant::kOrt, 1, "ort-1"));
  entry.images = MakeImages(entry.manifest, entry.name, entry.version);
  Start(10);
  Status status;
  const auto done = [&](Result<Lease> lease) { status = lease.status(); };
  manager_->Open({.principal = {},
                  .reference = "a",
                  .variant = Variant::kTensors,
                  .variant_key = {},
                  .deadline = {}},
                 done);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("files, ort (ort-1)"));
  EXPECT_THAT(status.hint(), HasSubstr("trims add default/a:v1"));
  manager_->Open({.principal = {},
                  .reference = "a",
                  .variant = Variant::kOrt,
                  .variant_key = "ort-2",
                  .deadline = {}},
                 done);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("'ort-1'"));
  EXPECT_THAT(status.message(), HasSubstr("'ort-2'"));
}

TEST_F(ManagerOpen, EvictsTheLeastRecentlyUsedAndWaitsUntilItIsGone) {
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}})
    Know(name, digit, 4);
  Start(8);
  OpenResident("a");
  clock_.Advance(milliseconds(1));
  OpenResident("b");
  clock_.Advance(milliseconds(1));
  OpenResident("a");  // now b is the older one
  auto c = Open("c");
  EXPECT_EQ(StateOf("b"), "draining");
  EXPECT_EQ(StateOf("c"), "reserved");
  EXPECT_EQ(loader_.loads.size(), 0u) << "loads before the memory is gone";
  EXPECT_EQ(Used(), 8u);
  loader_.FinishFree();
  EXPECT_EQ(StateOf("c"), "loading");
  loader_.Finish();
  EXPECT_TRUE(c->lease);
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(StateOf("b"), "absent");
  EXPECT_EQ(Counter("evictions"), 1u);
}

TEST_F(ManagerOpen, NeverEvictsWhatIsInUse) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8);
  auto a = OpenResident("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(b->status.message(), HasSubstr(std::to_string(5 * kPage) + " bytes are in use by 1"));
  EXPECT_EQ(StateOf("b"), "absent");
  a->lease.reset();
  b = Open("b");
  loader_.FinishFree();
  loader_.Finish();
  EXPECT_TRUE(b->lease);
}

TEST_F(ManagerOpen, LoadsOnTheirWayHoldTheirRoom) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8);
  auto a = Open("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  loader_.Finish();
  EXPECT_TRUE(a->lease);
}

TEST_F(ManagerOpen, PolicyNeverKeepsIdleSegments) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8, Reclaim::kLazy, "never");
  OpenResident("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(b->status.message(), HasSubstr("policy 'never'"));
}

TEST_F(ManagerOpen, EagerReclaimFreesWithTheLastLease) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  auto first = OpenResident("a");
  auto second = OpenResident("a");
  first->lease.reset();
  EXPECT_EQ(StateOf("a"), "resident");
  second->lease.reset();
  EXPECT_EQ(StateOf("a"), "draining");
  loader_.FinishFree();
  EXPECT_EQ(StateOf("a"), "absent");
  EXPECT_EQ(Used(), 0u);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, EagerReclaimWithinACallbackLeavesTheOthersTheirs) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  bool first = false;
  manager_->Open({.principal = {}, .reference = "a", .variant_key = {}},
                 [&](Result<Lease> lease) { first = lease.ok(); });  // ends it at once
  auto second = Open("a");
  loader_.Finish();
  EXPECT_TRUE(first);
  ASSERT_TRUE(second->lease);
  EXPECT_EQ(second->lease->bytes().extents.size(), 1u);
  EXPECT_EQ(StateOf("a"), "resident");
}

TEST_F(ManagerOpen, OpenedWhileItIsFreedItComesBack) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  OpenResident("a")->lease.reset();
  auto again = Open("a");
  EXPECT_EQ(loader_.loads.size(), 0u);
  loader_.FinishFree();
  loader_.Finish();
  EXPECT_TRUE(again->lease);
  EXPECT_EQ(Used(), 4u);
}

TEST_F(ManagerOpen, DeadlineEndsTheWaitAndNotTheLoad) {
  Know("a", 'a', 4);
  Start(8);
  auto hasty = Open("a", milliseconds(10));
  auto patient = Open("a", milliseconds(100));
  timers_.Advance(milliseconds(10));
  EXPECT_EQ(hasty->status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(hasty->status.message(), HasSubstr("10 ms"));
  EXPECT_FALSE(patient->called);
  timers_.Advance(milliseconds(90));
  EXPECT_EQ(patient->status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(loader_.loads.front().cancel->cancelled());
  loader_.Finish();
  EXPECT_TRUE(Open("a")->lease->info().hit);
  EXPECT_EQ(Counter("deadline_exceeded"), 2u);
}

TEST_F(ManagerOpen, CancelledWaiterIsNotCalledBack) {
  Know("a", 'a', 4);
  Start(8);
  auto gone = Open("a");
  manager_->CancelOpen(last_waiter_);
  EXPECT_EQ(timers_.pending(), 0u);
  loader_.Finish();
  EXPECT_FALSE(gone->called);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, CancelledWithinAnotherCallbackItsLeaseEnds) {
  Know("a", 'a', 4);
  Start(8);
  WaiterId second_id = 0;
  manager_->Open({.principal = {}, .reference = "a", .variant_key = {}},
                 [&](Result<Lease>) { manager_->CancelOpen(second_id); });
  auto second = Open("a");
  second_id = last_waiter_;
  loader_.Finish();
  EXPECT_FALSE(second->called);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, FailuresAreRememberedLongerEachTime) {
  Know("a", 'a', 4);
  Start(8);
  const auto fail = [&] {
    auto open = Open("a");
    loader_.Fail(StatusCode::kDataLoss);
    EXPECT_EQ(open->status.code(), StatusCode::kDataLoss);
    EXPECT_EQ(Used(), 0u);
  };
  fail();
  fail();  // the first failure is tried again at once
  for (const int wait : {100, 200, 400, 400}) {
    auto refused = Open("a");
    EXPECT_TRUE(refused->called);
    EXPECT_EQ(refused->status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(refused->status.message(), HasSubstr(std::to_string(wait) + " ms"));
    clock_.Advance(milliseconds(wait));
    fail();
  }
  clock_.Advance(milliseconds(400));
  EXPECT_EQ(OpenResident("a")->status.code(), StatusCode::kOk);
  EXPECT_EQ(StatusJson()["segments"][0]["failures"], 0);
}

TEST_F(ManagerOpen, RemovedWhileLeasedGoesWithTheLastLease) {
  Know("a", 'a', 4);
  Start(8);
  auto open = OpenResident("a");
  Result<std::string> document = Status(StatusCode::kInternal, "not called");
  manager_->Remove({}, "a", [&](Result<std::string> result) { document = std::move(result); });
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(nlohmann::json::parse(*document)["removed"][0]["reference"], "default/a:v1");
  EXPECT_EQ(Open("a")->status.code(), StatusCode::kNotFound);
  EXPECT_EQ(open->lease->bytes().extents.size(), 1u);
  EXPECT_EQ(loader_.frees.size(), 0u);
  open->lease.reset();
  loader_.FinishFree();
  EXPECT_EQ(Used(), 0u);
}

TEST_F(ManagerOpen, RemovedWhileLoadingForNobodyIsCancelled) {
  Know("a", 'a', 4);
  Start(8);
  Open("a");
  manager_->CancelOpen(last_waiter_);
  manager_->Remove({}, "a", [](Result<std::string> result) { EXPECT_TRUE(result.ok()); });
  EXPECT_TRUE(loader_.loads.front().cancel->cancelled());
  Know("a", 'a', 4);
  auto again = Open("a");  // before the loader noticed
  loader_.Fail(StatusCode::kCancelled);
  EXPECT_FALSE(again->called);
  loader_.Finish();
  EXPECT_TRUE(again->lease);
}

TEST_F(ManagerOpen, OtherUsersMayNotRemove) {
  Know("a", 'a', 4);
  Start(8);
  Status status;
  manager_->Remove({.uid = 54321, .gid = 0, .pid = 0}, "a",
                   [&](Result<std::string> result) { status = result.status(); });
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(catalog_.entries.size(), 1u);
}

// Random opens, ends, failures and deadlines: the parts always make the whole, and at the end
// nothing is missing.
TEST_F(ManagerOpen, BudgetComesBackAfterAnything) {
  for (int i = 0; i < 6; ++i)
    Know(std::string(1, static_cast<char>('p' + i)), static_cast<char>('a' + i), 2 + i);
  Start(12);
  std::mt19937 random(7);
  std::vector<std::shared_ptr<Outcome>> opens;
  for (int step = 0; step < 3000; ++step) {
    const auto choice = random() % 6;
    if (choice <= 1)
      opens.push_back(
          Open(std::string(1, static_cast<char>('p' + random() % 6)), milliseconds(50)));
    if (choice == 2 && !loader_.loads.empty()) loader_.Finish();
    if (choice == 3 && !loader_.frees.empty()) loader_.FinishFree();
    if ((choice == 4 || opens.size() > 3) && !opens.empty())
      opens.erase(opens.begin() + random() % opens.size());
    if (choice == 5 && random() % 4 == 0 && !loader_.loads.empty())
      loader_.Fail(StatusCode::kDataLoss);
    if (choice == 5) timers_.Advance(milliseconds(random() % 30));
    const auto host = StatusJson()["host"];
    EXPECT_EQ(host["used_bytes"].get<uint64_t>(),
              host["leased_bytes"].get<uint64_t>() + host["idle_bytes"].get<uint64_t>() +
                  host["loading_bytes"].get<uint64_t>() + host["draining_bytes"].get<uint64_t>());
    ASSERT_LE(host["used_bytes"], 12 * kPage);
  }
  EXPECT_GT(Counter("evictions"), 10u);
  for (bool busy = true; busy;) {
    busy = false;
    if (!loader_.loads.empty()) loader_.Finish(), busy = true;
    if (!loader_.frees.empty()) loader_.FinishFree(), busy = true;
  }
  opens.clear();
  EXPECT_TRUE(manager_->Idle());
  EXPECT_EQ(timers_.pending(), 0u);
  for (char name = 'p'; name < 'p' + 6; ++name) {
    manager_->Remove({}, std::string(1, name),
                     [](Result<std::string> done) { EXPECT_TRUE(done.ok()); });
  }
  while (!loader_.frees.empty()) loader_.FinishFree();
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(StatusJson()["segments"].size(), 0u);
}

}  // namespace
}  // namespace trims

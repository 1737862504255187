#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <optional>
#include <random>

#include "manager/manager.h"
#include "store/eviction_policy.h"
#include "store/prepared_store.h"
#include "support/manager_fakes.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr uint64_t kPage = 4096;

// What one open came to.
struct Outcome {
  bool called = false;  // back, or answered at once
  bool at_once = false;
  Status status;
  std::optional<Lease> lease;
  std::optional<OpenWait> wait;
};

class ManagerOpen : public ::testing::Test {
 protected:
  void Start(uint64_t budget_pages, Reclaim reclaim = Reclaim::kLazy,
             const EvictionPolicy* policy = DefaultEvictionPolicy()) {
    tier_ = std::make_unique<testing::FakeTier>(budget_pages * kPage);
    ManagerOptions options;
    options.residency.reclaim = reclaim;
    options.residency.max_back_off = milliseconds(400);
    manager_ = std::make_unique<Manager>(options, ManagerDependencies{.clock = &clock_,
                                                                      .timers = &timers_,
                                                                      .catalog = &catalog_,
                                                                      .tiers = {tier_.get()},
                                                                      .preparer = &preparer_,
                                                                      .eviction = policy,
                                                                      .prepared = prepared_.get(),
                                                                      .worker = &worker_});
  }

  // A model whose files take `pages` of budget.
  void Know(const std::string& name, char digit, uint64_t pages) {
    catalog_.entries.push_front(
        MakeCatalogEntry("default/" + name, "v1",
                         testing::MakeManifest(testing::Digest(digit),
                                               {testing::MakeVariant(Variant::kFiles, pages - 1)}),
                         1));
  }

  static void Answer(Outcome* outcome, Result<Lease> lease) {
    EXPECT_FALSE(outcome->called);
    outcome->called = true;
    outcome->status = lease.status();
    if (lease.ok()) outcome->lease = *std::move(lease);
  }

  std::shared_ptr<Outcome> Open(const OpenParams& params) {
    auto outcome = std::make_shared<Outcome>();
    Result<OpenOutcome> now =
        manager_->Open(params, [weak = std::weak_ptr(outcome)](Result<Lease> lease) {
          if (const auto waiting = weak.lock()) Answer(waiting.get(), std::move(lease));
        });
    EXPECT_FALSE(outcome->called) << "called back inside the call";
    outcome->at_once = !now.ok() || std::holds_alternative<Lease>(*now);
    if (!now.ok()) {
      Answer(outcome.get(), now.status());
    } else if (outcome->at_once) {
      Answer(outcome.get(), std::get<Lease>(*std::move(now)));
    } else {
      outcome->wait = std::get<OpenWait>(*std::move(now));
    }
    return outcome;
  }
  std::shared_ptr<Outcome> Open(const std::string& reference, milliseconds deadline = {}) {
    return Open({.principal = {},
                 .reference = reference,
                 .variant_key = {},
                 .tier = {},
                 .deadline = deadline});
  }

  std::shared_ptr<Outcome> OpenResident(const std::string& reference) {
    auto outcome = Open(reference);
    if (!outcome->called) tier_->Finish();
    EXPECT_TRUE(outcome->lease.has_value()) << outcome->status.ToString();
    return outcome;
  }

  TierSnapshot Host() { return manager_->Snapshot().tiers.at(0); }
  uint64_t Used() { return Host().used_bytes / kPage; }
  Counters Count() { return manager_->Snapshot().counters; }
  std::string_view StateOf(const std::string& reference) {
    return SegmentStateName(manager_->Model(reference).value().model.variants.at(0).state);
  }
  void Remove(const std::string& reference) {
    manager_->Remove({}, reference, [](const Result<std::vector<RemovedModel>>& removed) {
      EXPECT_TRUE(removed.ok());
    });
  }

  ManualClock clock_;
  testing::FakeTimers timers_{&clock_};
  testing::FakeCatalog catalog_;
  testing::FakePreparer preparer_;
  testing::InlineWorker worker_;
  std::unique_ptr<PreparedStore> prepared_;  // where a test has one
  std::unique_ptr<testing::FakeTier> tier_;
  std::unique_ptr<Manager> manager_;
};

TEST_F(ManagerOpen, MissLoadsOnceAndServesAllWhoWait) {
  Know("a", 'a', 4);
  Start(10);
  auto first = Open("a");
  clock_.Advance(milliseconds(5));
  auto second = Open("a:v1");
  EXPECT_FALSE(second->at_once);
  EXPECT_EQ(tier_->started, 1);
  EXPECT_FALSE(first->called);
  clock_.Advance(milliseconds(2));
  tier_->Finish();
  ASSERT_TRUE(first->lease && second->lease);
  EXPECT_FALSE(first->lease->info().hit);
  EXPECT_EQ(first->lease->info().waited, milliseconds(7));
  EXPECT_EQ(second->lease->info().waited, milliseconds(2));
  EXPECT_EQ(second->lease->info().reference, "default/a:v1");
  EXPECT_EQ(timers_.pending(), 0u);
  auto third = Open("a");
  EXPECT_TRUE(third->at_once);
  EXPECT_TRUE(third->lease->info().hit);
  EXPECT_EQ(Count().misses, 1u);
  EXPECT_EQ(Count().joined, 1u);
  EXPECT_EQ(Count().hits, 1u);
  EXPECT_EQ(Count().opens, 3u);
}

TEST_F(ManagerOpen, EqualContentUnderTwoNamesIsOneSegment) {
  Know("a", 'a', 4);
  Know("b", 'a', 4);
  Start(4);
  auto a = OpenResident("a");
  auto b = OpenResident("b");
  EXPECT_EQ(tier_->started, 1);
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
  EXPECT_EQ(tier_->started, 0);
}

TEST_F(ManagerOpen, NamesThePreparedVariantsAndBothKeys) {
  Know("a", 'a', 4);
  CatalogEntry& entry = catalog_.entries.front();
  entry.manifest.variants.push_back(testing::MakeVariant(Variant::kOrt, 1, "ort-1"));
  entry.images = MakeImages(entry.manifest, entry.name, entry.version);
  Start(10);
  const auto open = [&](Variant variant, const char* key) {
    return Open({.principal = {},
                 .reference = "a",
                 .variant = variant,
                 .variant_key = key,
                 .tier = {},
                 .deadline = {}})
        ->status;
  };
  Status status = open(Variant::kTensors, "");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("files, ort (ort-1)"));
  EXPECT_THAT(status.hint(), HasSubstr("trims add default/a:v1"));
  status = open(Variant::kOrt, "ort-2");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("'ort-1'"));
  EXPECT_THAT(status.message(), HasSubstr("'ort-2'"));
}

TEST_F(ManagerOpen, ATierThatIsNotThereIsRefusedAndTheOthersAreNamed) {
  Know("a", 'a', 4);
  Start(10);
  const auto open = Open(
      {.principal = {}, .reference = "a", .variant_key = {}, .tier = "device:0", .deadline = {}});
  EXPECT_EQ(open->status.code(), StatusCode::kNotFound);
  EXPECT_THAT(open->status.message(), HasSubstr("'device:0'"));
  EXPECT_THAT(open->status.message(), HasSubstr("host"));
  EXPECT_EQ(Count().refused, 1u);
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
  EXPECT_EQ(tier_->fills.size(), 0u) << "loads before the memory is gone";
  EXPECT_EQ(Used(), 8u);
  tier_->FinishRelease();
  EXPECT_EQ(StateOf("c"), "loading");
  tier_->Finish();
  EXPECT_TRUE(c->lease);
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(StateOf("b"), "absent");
  EXPECT_EQ(Count().evictions, 1u);
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
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(b->lease);
}

TEST_F(ManagerOpen, LoadsOnTheirWayHoldTheirRoom) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8);
  auto a = Open("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  tier_->Finish();
  EXPECT_TRUE(a->lease);
}

TEST_F(ManagerOpen, PolicyNeverKeepsIdleSegments) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8, Reclaim::kLazy, FindEvictionPolicy("never").value());
  OpenResident("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(b->status.message(), HasSubstr("policy 'never'"));
}

// Its order is nonsense, what it gives up is not: whoever is admitted gets room.
TEST_F(ManagerOpen, APolicyThatMisbehavesLeavesNobodyWaitingForRoom) {
  constexpr EvictionPolicy kNonsense{"nonsense", "",
                                     [](const EvictionCandidate&, const EvictionContext&) {
                                       return std::numeric_limits<double>::quiet_NaN();
                                     }};
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}, {"d", 'd'}})
    Know(name, digit, 4);
  Start(8, Reclaim::kLazy, &kNonsense);
  auto a = OpenResident("a");
  OpenResident("b");
  auto c = Open("c");
  EXPECT_EQ(StateOf("b"), "draining");
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(c->lease);
  EXPECT_EQ(Open("d")->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(StateOf("d"), "absent");
}

TEST_F(ManagerOpen, APolicySeesWhatASegmentWasUsedForBeforeItWasEvicted) {
  static UseHistory seen_of_a;
  constexpr EvictionPolicy kWatching{
      "watching", "", [](const EvictionCandidate& candidate, const EvictionContext& context) {
        EXPECT_EQ(context.age, candidate.history.evictions > 0 ? 1 : 0);
        if (candidate.history.evictions > 0) seen_of_a = candidate.history;
        EXPECT_EQ(candidate.load_time, milliseconds(3));
        return 1.0;
      }};
  Know("a", 'a', 4);
  Know("b", 'b', 8);
  Start(8, Reclaim::kLazy, &kWatching);
  const auto load = [&](const std::string& name) {
    auto opened = Open(name);
    if (!tier_->releases.empty()) tier_->FinishRelease();
    clock_.Advance(milliseconds(3));
    tier_->Finish();
    EXPECT_TRUE(opened->lease);
  };
  load("a");
  load("b");  // evicts a
  Remove("b");
  tier_->FinishRelease();
  load("a");
  Know("c", 'c', 8);
  Open("c");
  EXPECT_EQ(seen_of_a.opens, 1u);
  EXPECT_EQ(seen_of_a.evictions, 1u);
}

TEST_F(ManagerOpen, AddedAgainWhileLeasedItIsNotRemovedAnyMore) {
  Know("a", 'a', 4);
  Start(8);
  auto open = OpenResident("a");
  Remove("a");
  EXPECT_TRUE(manager_->Snapshot().segments.at(0).removed);
  Know("a", 'a', 4);
  Know("b", 'b', 1);
  Remove("b");  // whatever changes the catalog next
  EXPECT_FALSE(manager_->Snapshot().segments.at(0).removed);
  open->lease.reset();
  EXPECT_EQ(StateOf("a"), "resident") << "reclaim is lazy, and the catalog has it";
}

TEST_F(ManagerOpen, SeveralWhoOpenItWhileItIsFreedAreOneMiss) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  OpenResident("a")->lease.reset();
  auto first = Open("a");
  auto second = Open("a");
  EXPECT_EQ(Count().misses, 2u) << "the first load of all, and this one";
  EXPECT_EQ(Count().joined, 1u);
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(first->lease && second->lease);
  EXPECT_EQ(Count().loads, 2u);
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
  tier_->FinishRelease();
  EXPECT_EQ(StateOf("a"), "absent");
  EXPECT_EQ(Used(), 0u);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, EagerReclaimWithinACallbackLeavesTheOthersTheirs) {
  Know("a", 'a', 4);
  Start(8, Reclaim::kEager);
  bool first = false;
  const Result<OpenOutcome> wait =
      manager_->Open({.principal = {}, .reference = "a", .variant_key = {}, .tier = {}},
                     [&](Result<Lease> lease) { first = lease.ok(); });  // ends it at once
  auto second = Open("a");
  tier_->Finish();
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
  EXPECT_EQ(tier_->fills.size(), 0u);
  tier_->FinishRelease();
  tier_->Finish();
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
  EXPECT_FALSE(tier_->fills.front().request.control->cancelled());
  tier_->Finish();
  EXPECT_TRUE(Open("a")->lease->info().hit);
  EXPECT_EQ(Count().deadline_exceeded, 2u);
}

TEST_F(ManagerOpen, CancelledWaiterIsNotCalledBack) {
  Know("a", 'a', 4);
  Start(8);
  auto gone = Open("a");
  gone->wait.reset();
  EXPECT_EQ(timers_.pending(), 0u);
  tier_->Finish();
  EXPECT_FALSE(gone->called);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, CancelledWithinAnotherCallbackItsLeaseEnds) {
  Know("a", 'a', 4);
  Start(8);
  std::shared_ptr<Outcome> second;
  const Result<OpenOutcome> wait =
      manager_->Open({.principal = {}, .reference = "a", .variant_key = {}, .tier = {}},
                     [&](Result<Lease>) { second->wait.reset(); });
  second = Open("a");
  tier_->Finish();
  EXPECT_FALSE(second->called);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, FailuresAreRememberedLongerEachTime) {
  Know("a", 'a', 4);
  Start(8);
  const auto fail = [&] {
    auto open = Open("a");
    tier_->Fail(StatusCode::kDataLoss);
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
  EXPECT_EQ(manager_->Snapshot().segments.at(0).failures, 0);
}

TEST_F(ManagerOpen, RemovedWhileLeasedGoesWithTheLastLease) {
  Know("a", 'a', 4);
  Start(8);
  auto open = OpenResident("a");
  Result<std::vector<RemovedModel>> removed = Status(StatusCode::kInternal, "not called");
  manager_->Remove({}, "a",
                   [&](Result<std::vector<RemovedModel>> result) { removed = std::move(result); });
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->at(0).reference, "default/a:v1");
  EXPECT_EQ(Open("a")->status.code(), StatusCode::kNotFound);
  EXPECT_EQ(open->lease->bytes().extents.size(), 1u);
  EXPECT_EQ(tier_->releases.size(), 0u);
  open->lease.reset();
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
}

TEST_F(ManagerOpen, RemovedWhileLoadingForNobodyIsCancelled) {
  Know("a", 'a', 4);
  Start(8);
  Open("a")->wait.reset();
  Remove("a");
  EXPECT_TRUE(tier_->fills.front().request.control->cancelled());
  Know("a", 'a', 4);
  auto again = Open("a");  // before the loader noticed
  tier_->Fail(StatusCode::kCancelled);
  EXPECT_FALSE(again->called);
  tier_->Finish();
  EXPECT_TRUE(again->lease);
}

TEST_F(ManagerOpen, OtherUsersMayNotRemove) {
  Know("a", 'a', 4);
  Start(8);
  Status status;
  manager_->Remove(
      {.uid = 54321, .gid = 0, .pid = 0}, "a",
      [&](const Result<std::vector<RemovedModel>>& result) { status = result.status(); });
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
    if (choice == 2 && !tier_->fills.empty()) tier_->Finish();
    if (choice == 3 && !tier_->releases.empty()) tier_->FinishRelease();
    if ((choice == 4 || opens.size() > 3) && !opens.empty())
      opens.erase(opens.begin() + random() % opens.size());
    if (choice == 5 && random() % 4 == 0 && !tier_->fills.empty())
      tier_->Fail(StatusCode::kDataLoss);
    if (choice == 5) timers_.Advance(milliseconds(random() % 30));
    const TierSnapshot host = Host();
    EXPECT_EQ(host.used_bytes,
              host.use.leased + host.use.idle + host.use.loading + host.use.draining);
    ASSERT_LE(host.used_bytes, 12 * kPage);
  }
  EXPECT_GT(Count().evictions, 10u);
  for (bool busy = true; busy;) {
    busy = false;
    if (!tier_->fills.empty()) tier_->Finish(), busy = true;
    if (!tier_->releases.empty()) tier_->FinishRelease(), busy = true;
  }
  opens.clear();
  EXPECT_TRUE(manager_->Idle());
  EXPECT_EQ(timers_.pending(), 0u);
  for (char name = 'p'; name < 'p' + 6; ++name) {
    Remove(std::string(1, name));
  }
  while (!tier_->releases.empty()) tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(manager_->Snapshot().segments.size(), 0u);
}

TEST_F(ManagerOpen, PreparedFilesStayUntilNoLoadWillReadThem) {
  const testing::ScratchFolder root;
  const std::string folder = testing::Digest('a').substr(0, 16) + "-files-0";
  prepared_ = std::make_unique<PreparedStore>(root.path(), &worker_);
  Start(4, Reclaim::kEager);
  ManifestVariant variant = testing::MakeVariant(Variant::kFiles, 1);
  variant.folder = folder;
  catalog_.entries.push_front(MakeCatalogEntry(
      "default/a", "v1", testing::MakeManifest(testing::Digest('a'), {variant}), 1));
  const auto prepare = [&] {
    std::filesystem::create_directory(root / folder);
    prepared_->Retain({folder});
  };
  const auto exists = [&] { return std::filesystem::exists(root / folder); };

  prepare();
  auto first = Open("a");
  prepared_->Retain({});
  EXPECT_TRUE(exists()) << "a load reads it";
  tier_->Finish();
  EXPECT_FALSE(exists());

  prepare();
  first.reset();  // the last lease: it is being freed
  auto waiting = Open("a");
  prepared_->Retain({});
  EXPECT_TRUE(exists()) << "a load will read it";
  waiting.reset();  // given up: no load comes whose end could be waited for
  tier_->FinishRelease();
  EXPECT_FALSE(exists());
  manager_.reset();
}

}  // namespace
}  // namespace trims

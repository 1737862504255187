// ManagerFixture: a manager over fakes; loads, timers and preparations end when the test says so.
#ifndef TRIMS_TESTS_MANAGER_MANAGER_FIXTURE_H_
#define TRIMS_TESTS_MANAGER_MANAGER_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manager/manager.h"
#include "store/eviction_policy.h"
#include "store/prepared_store.h"
#include "support/manager_fakes.h"

namespace trims::test {

inline constexpr uint64_t kPage = 4096;

// What one open came to.
struct Outcome {
  bool called = false;  // back, or answered at once
  bool at_once = false;
  Status status;
  std::optional<Lease> lease;
  std::optional<OpenWait> wait;
};

class ManagerFixture : public ::testing::Test {
 protected:
  void Start(uint64_t budget_pages, Reclaim reclaim = Reclaim::kLazy,
             const EvictionPolicy* policy = DefaultEvictionPolicy()) {
    manager_.reset();  // of an earlier start
    tier_ = std::make_unique<FakeTier>(budget_pages * kPage);
    ManagerOptions options;
    options.residency = residency_;
    options.residency.policy = {.reclaim = reclaim, .eviction = policy};
    options.residency.max_back_off = std::chrono::milliseconds(400);
    manager_ = std::make_unique<Manager>(options, ManagerDependencies{.clock = &clock_,
                                                                      .timers = &timers_,
                                                                      .catalog = &catalog_,
                                                                      .tiers = {tier_.get()},
                                                                      .preparer = &preparer_,
                                                                      .prepared = prepared_.get(),
                                                                      .worker = &worker_});
  }

  // A model whose files take `pages` of budget.
  void Know(const std::string& name, char digit, uint64_t pages) {
    catalog_.entries.push_front(MakeCatalogEntry(
        "default/" + name, "v1",
        MakeManifest(Digest(digit), {MakeVariant(Variant::kFiles, pages - 1)}), 1));
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
  std::shared_ptr<Outcome> Open(const std::string& reference,
                                std::chrono::milliseconds deadline = {}) {
    return Open({.reference = reference, .variant_key = {}, .tier = {}, .deadline = deadline});
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

  ResidencyOptions residency_;  // but for the policy and the back-off
  ManualClock clock_;
  FakeTimers timers_{&clock_};
  FakeCatalog catalog_;
  FakePreparer preparer_;
  InlineWorker worker_;
  std::unique_ptr<PreparedStore> prepared_;  // where a test has one
  std::unique_ptr<FakeTier> tier_;
  std::unique_ptr<Manager> manager_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_MANAGER_MANAGER_FIXTURE_H_

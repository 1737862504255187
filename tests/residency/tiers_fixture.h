// TiersFixture: two tables over fakes, the upper one filled from the lower.
#ifndef TRIMS_TESTS_RESIDENCY_TIERS_FIXTURE_H_
#define TRIMS_TESTS_RESIDENCY_TIERS_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "residency/segment_table.h"
#include "support/manager_fakes.h"

namespace trims::test {

inline constexpr uint64_t kPage = 4096;

class TiersFixture : public ::testing::Test {
 protected:
  void Start(uint64_t host_pages, uint64_t device_pages) {
    device_.reset();  // of an earlier start
    host_.reset();
    host_tier_.emplace(host_pages * kPage, "host");
    device_tier_.emplace(device_pages * kPage, "device:0");
    host_.emplace(host_options_, Dependencies(&*host_tier_, nullptr), &counters_);
    device_.emplace(device_options_, Dependencies(&*device_tier_, &*host_), &counters_);
  }
  ResidencyDependencies Dependencies(Tier* tier, SegmentTable* beneath) {
    return {
        .clock = &clock_, .timers = &timers_, .tier = tier, .beneath = beneath, .events = events_};
  }

  static ImagePtr MakeImage(char digit, uint64_t pages) {
    const Manifest manifest =
        MakeManifest(Digest(digit), {MakeVariant(Variant::kFiles, pages - 1)});
    return MakeImages(manifest, std::string("default/") + digit, "v1").front();
  }

  struct Opened {
    Status status;
    std::optional<Lease> lease;
    std::optional<OpenWait> wait;
  };
  std::unique_ptr<Opened> Open(SegmentTable& table, const ImagePtr& image) {
    auto opened = std::make_unique<Opened>();
    const auto answer = [target = opened.get()](Result<Lease> lease) {
      target->status = lease.status();
      if (lease.ok()) target->lease = *std::move(lease);
    };
    Result<OpenOutcome> outcome = table.Open(image, {}, answer);
    if (!outcome.ok()) {
      opened->status = outcome.status();
    } else if (Lease* lease = std::get_if<Lease>(&*outcome)) {
      opened->lease = std::move(*lease);
    } else {
      opened->wait = std::get<OpenWait>(*std::move(outcome));
    }
    return opened;
  }
  SegmentState StateIn(const SegmentTable& table, const ImagePtr& image) {
    const Segment* segment = table.FindByKey(image->key);
    return segment == nullptr ? SegmentState::kAbsent : segment->state();
  }

  ResidencyOptions host_options_;
  ResidencyOptions device_options_;
  EventSink* events_ = nullptr;  // before Start
  ManualClock clock_;
  FakeTimers timers_{&clock_};
  Counters counters_;
  std::optional<FakeTier> host_tier_;
  std::optional<FakeTier> device_tier_;
  std::optional<SegmentTable> host_;
  std::optional<SegmentTable> device_;  // before the one that it fills from
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_RESIDENCY_TIERS_FIXTURE_H_

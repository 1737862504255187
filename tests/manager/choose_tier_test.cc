#include "manager/choose_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/manager_fakes.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kPageBytes = 4096;

class ChooseTierTest : public ::testing::Test {
 protected:
  // `beneath`: the index of the tier that it is filled from, if there is one.
  void Add(const std::string& name, const std::string& device, uint64_t pages,
           std::optional<size_t> beneath = {}) {
    fakes_.push_back(std::make_unique<test::FakeTier>(pages * kPageBytes, name, device));
    tiers_.push_back(std::make_unique<SegmentTable>(
        ResidencyOptions{},
        ResidencyDependencies{.clock = &clock_,
                              .timers = &timers_,
                              .tier = fakes_.back().get(),
                              .beneath = beneath ? tiers_[*beneath].get() : nullptr},
        &counters_));
  }
  std::string Choose(const std::string& wanted) {
    const Result<SegmentTable*> tier = ChooseTier(wanted, image_, tiers_);
    return tier.ok() ? std::string((*tier)->tier_name()) : tier.status().ToString();
  }
  void Open(size_t tier, const ImagePtr& image) {
    waits_.push_back(tiers_[tier]->Open(image, {}, [](const Result<Lease>&) {}).value());
  }
  ImagePtr MakeImage(char digit) const {
    const Manifest manifest =
        test::MakeManifest(test::Digest(digit), {test::MakeVariant(Variant::kFiles, 1)});
    return MakeImages(manifest, "default/a", "v1").front();
  }

  ManualClock clock_;
  test::FakeTimers timers_{&clock_};
  Counters counters_;
  std::vector<std::unique_ptr<test::FakeTier>> fakes_;
  Tiers tiers_;
  std::vector<OpenOutcome> waits_;
  ImagePtr image_ = MakeImage('a');
};

TEST_F(ChooseTierTest, ATierHasItsNameAndItsDevices) {
  Add("host", "", 8);
  Add("device:0", "sim:3", 8);
  EXPECT_EQ(Choose(""), "host");
  EXPECT_EQ(Choose("host"), "host");
  EXPECT_EQ(Choose("device:0"), "device:0");
  EXPECT_EQ(Choose("sim:3"), "device:0");
  EXPECT_THAT(Choose("sim:0"), HasSubstr("no tier 'sim:0'; there is host, device:0 (sim:3)"));
}

TEST_F(ChooseTierTest, AnyIsTheOneWithTheMostRoom) {
  Add("host", "", 80);
  Add("device:0", "sim:0", 8);
  Add("device:1", "sim:1", 9);
  Add("device:2", "sim:2", 9);
  EXPECT_EQ(Choose("any"), "device:1");
  Open(1, MakeImage('b'));
  EXPECT_EQ(Choose("any"), "device:1") << "of which two pages are taken, as of the third";
}

TEST_F(ChooseTierTest, AnyIsBeforeThatTheOneThatHasItOrIsGettingIt) {
  Add("host", "", 80);
  Add("device:0", "sim:0", 8);
  Add("device:1", "sim:1", 90);
  Open(1, image_);
  EXPECT_EQ(Choose("any"), "device:0");
  fakes_[1]->Finish();
  EXPECT_EQ(Choose("any"), "device:0");
  Open(2, image_);
  EXPECT_EQ(Choose("any"), "device:0") << "there it is already";
}

TEST_F(ChooseTierTest, AnyIsNoneThatCouldNeverHoldIt) {
  Add("host", "", 80);
  Add("device:0", "sim:0", 1);
  Add("device:1", "sim:1", 2);
  Open(2, MakeImage('b'));
  EXPECT_EQ(Choose("any"), "device:1") << "it is full, but of what may go";
}

TEST_F(ChooseTierTest, AnyIsNoneThatCanNotPutItTogether) {
  Add("host", "", 80);
  Add("device:0", "cuda:0", 90, /*beneath=*/0);
  Add("device:1", "sim:1", 8);
  Image whole = *image_;
  whole.parts = {image_, MakeImage('b')};
  image_ = std::make_shared<const Image>(std::move(whole));
  EXPECT_EQ(Choose("any"), "device:1");
}

TEST_F(ChooseTierTest, WithoutADeviceAnyIsNone) {
  Add("host", "", 80);
  EXPECT_THAT(Choose("any"), HasSubstr("there is no device"));
}

}  // namespace
}  // namespace trims

#include "residency/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "support/manager_fakes.h"

namespace trims {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kBytes = 5 * 4096;

TimePoint At(int ms) { return TimePoint(milliseconds(ms)); }

class SegmentTest : public ::testing::Test {
 protected:
  SegmentTest() {
    const Manifest manifest =
        test::MakeManifest(test::Digest('a'), {test::MakeVariant(Variant::kFiles, 4)});
    image_ = MakeImages(manifest, "default/a", "v1").front();
    segment_.emplace(1, image_, image_->footprint);
  }
  Reservation Room() { return budget_.Reserve(kBytes).value(); }
  void Reserve() { segment_->Reserve(image_, {}, {}); }
  void MakeResident() {
    Reserve();
    segment_->BeginFill(Room(), At(10));
    segment_->Became(test::SmallBytes(), At(30));
  }

  Budget budget_{"host", 10 * kBytes};
  ImagePtr image_;
  std::optional<Segment> segment_;
};

TEST_F(SegmentTest, FromAbsentToAbsentItHoldsRoomExactlyWhileItHasBytesOrTheyMove) {
  EXPECT_EQ(segment_->state(), SegmentState::kAbsent);
  Reserve();
  EXPECT_EQ(budget_.used(), 0u);
  const std::shared_ptr<FillControl> control = segment_->BeginFill(Room(), At(10));
  EXPECT_EQ(control->bytes_done(), 0u);
  EXPECT_EQ(budget_.used(), kBytes);
  segment_->Became(test::SmallBytes(), At(30));
  EXPECT_EQ(segment_->control(), nullptr);
  EXPECT_EQ(segment_->load_time(), milliseconds(20));
  const ResidentBytes bytes = segment_->BeginDrain();
  EXPECT_EQ(bytes.extents.size(), 1u);
  EXPECT_FALSE(segment_->has_bytes());
  EXPECT_EQ(budget_.used(), kBytes) << "the memory is not gone yet";
  segment_->EndDrain().Release();
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_EQ(segment_->state(), SegmentState::kAbsent);
}

TEST_F(SegmentTest, AFailureGivesTheRoomBackAndIsRemembered) {
  Reserve();
  segment_->BeginFill(Room(), At(0));
  segment_->Fail();
  EXPECT_EQ(budget_.used(), 0u);
  const Status why(StatusCode::kDataLoss, "damaged");
  segment_->RememberFailure(why, At(5), milliseconds(300));
  EXPECT_EQ(segment_->failure().retry_at, At(5)) << "a chance failure costs nothing";
  segment_->RememberFailure(why, At(5), milliseconds(300));
  EXPECT_EQ(segment_->failure().retry_at, At(105));
  for (int i = 0; i < 100; ++i) segment_->RememberFailure(why, At(5), milliseconds(300));
  EXPECT_EQ(segment_->failure().retry_at, At(305));
  MakeResident();
  EXPECT_EQ(segment_->failure().in_a_row, 0);
}

TEST_F(SegmentTest, LeasesAreCountedAndRememberWhen) {
  MakeResident();
  segment_->AddLease();
  segment_->AddLease();
  EXPECT_EQ(segment_->leases(), 2u);
  EXPECT_EQ(segment_->EndLease(At(40)), 1u);
  EXPECT_EQ(segment_->EndLease(At(50)), 0u);
  EXPECT_EQ(segment_->last_used(), At(50));
}

TEST_F(SegmentTest, ACancelledFillKnowsIt) {
  segment_->CancelFill();  // nothing to cancel
  Reserve();
  const std::shared_ptr<FillControl> control = segment_->BeginFill(Room(), At(0));
  EXPECT_FALSE(control->cancelled());
  segment_->CancelFill();
  EXPECT_TRUE(control->cancelled());
}

using SegmentDeathTest = SegmentTest;

TEST_F(SegmentDeathTest, AStepThatTheTableForbidsEndsTheProcessAndNamesIt) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(segment_->BeginFill(Room(), At(0)), "from=absent to=loading");
  EXPECT_DEATH(segment_->EndDrain().Release(), "from=absent to=absent");
  EXPECT_DEATH(segment_->BeginDrain(), "resident");
}

TEST_F(SegmentDeathTest, AStateWithoutWhatItIsAboutEndsTheProcess) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  Reserve();
  EXPECT_DEATH(segment_->BeginFill(Reservation(), At(0)), "room in loading");
  segment_->BeginFill(Room(), At(0));
  segment_->Became(test::SmallBytes(), At(1));
  segment_->AddLease();
  EXPECT_DEATH(segment_->BeginDrain(), "no lease");
}

}  // namespace
}  // namespace trims

#include "load/host_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/fault.h"
#include "loader_fixture.h"
#include "manual_loop.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;
using test::HeldFds;
using test::ManualLoop;

class HostTierTest : public test::LoaderFixture {
 protected:
  HostTierTest() {
    AddFile("model", Bytes(9'000'000));
    WriteIndex();
  }
  HostTierOptions Options(int threads) const {
    return {.budget = 1000, .threads = threads, .prepared_root = prepared_.path()};
  }
  std::unique_ptr<Tier> Make(int threads) {
    Result<std::unique_ptr<Tier>> tier = MakeHostTier(Options(threads), loop_.Post());
    EXPECT_TRUE(tier.ok()) << tier.status().ToString();
    return *std::move(tier);
  }
  FillRequest Request() {
    control_ = std::make_shared<FillControl>();
    return {.image = MakeImage(), .control = control_};
  }
  // Turns the loop until the fill has ended.
  Status Fill(Tier* tier, FillRequest request) {
    std::optional<Status> status;
    tier->Fill(std::move(request), [&](const Result<ResidentBytes>& r) { status = r.status(); });
    loop_.RunOne();
    return status.value();
  }
  ManualLoop loop_;
};

TEST_F(HostTierTest, IsTheHostWithItsBudget) {
  const std::unique_ptr<Tier> tier = Make(1);
  EXPECT_EQ(tier->name(), "host");
  EXPECT_EQ(tier->budget().limit(), 1000u);
}

TEST_F(HostTierTest, FillsAndReleasesAndLeavesNothing) {
  const size_t fds = HeldFds();
  const std::unique_ptr<Tier> tier = Make(1);
  std::optional<Result<ResidentBytes>> filled;
  tier->Fill(Request(), [&](Result<ResidentBytes> r) { filled.emplace(std::move(r)); });
  EXPECT_FALSE(filled) << "done before the loop ran";
  loop_.RunOne();
  ASSERT_TRUE(filled && filled->ok());
  EXPECT_TRUE(Content((*filled)->extents[0]) == contents_[0]);
  EXPECT_EQ(control_->bytes_done(), 9'000'000u);
  EXPECT_EQ(HeldFds(), fds + 2);
  bool released = false;
  tier->Release(**std::move(filled), {.freed = [&] { released = true; }});
  EXPECT_FALSE(released);
  loop_.RunOne();
  EXPECT_TRUE(released);
  EXPECT_EQ(HeldFds(), fds);
}

TEST_F(HostTierTest, ManyFillsOnFewThreadsAllEnd) {
  const std::unique_ptr<Tier> tier = Make(2);
  int ok = 0;
  for (int i = 0; i < 20; ++i) {
    tier->Fill(Request(), [&](const Result<ResidentBytes>& r) { ok += r.ok(); });
  }
  for (int i = 0; i < 20; ++i) loop_.RunOne();
  EXPECT_EQ(ok, 20);
}

TEST_F(HostTierTest, OneThreadKeepsTheOrder) {
  const std::unique_ptr<Tier> tier = Make(1);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    tier->Fill(Request(), [&, i](const Result<ResidentBytes>&) { order.push_back(i); });
  }
  for (int i = 0; i < 10; ++i) loop_.RunOne();
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(HostTierTest, ACancelledFillSaysSo) {
  const std::unique_ptr<Tier> tier = Make(1);
  FillRequest request = Request();
  request.control->Cancel();
  EXPECT_EQ(Fill(tier.get(), std::move(request)).code(), StatusCode::kCancelled);
  EXPECT_EQ(control_->bytes_done(), 0u);
}

TEST_F(HostTierTest, AFailedFillIsReported) {
  image_.variant.extents[0].sha256 = std::string(64, '0');
  image_.variant.extents[0].xxh3[0] ^= 1;
  const std::unique_ptr<Tier> tier = Make(1);
  EXPECT_EQ(Fill(tier.get(), Request()).code(), StatusCode::kDataLoss);
}

TEST_F(HostTierTest, ASourceThatIsNoFileIsNotRead) {
  image_.source = "https://models.example/net";
  const std::unique_ptr<Tier> tier = Make(1);
  EXPECT_FALSE(Fill(tier.get(), Request()).ok());
}

TEST_F(HostTierTest, DestroyedItStillPostsEveryCompletion) {
  const size_t fds = HeldFds();
  int done = 0;
  {
    const std::unique_ptr<Tier> tier = Make(1);
    for (int i = 0; i < 5; ++i) {
      tier->Fill(Request(), [&](const Result<ResidentBytes>&) { ++done; });
    }
  }
  EXPECT_EQ(loop_.Pending(), 5u);
  for (int i = 0; i < 5; ++i) loop_.RunOne();
  EXPECT_EQ(done, 5);
  EXPECT_EQ(HeldFds(), fds);
}

TEST_F(HostTierTest, WithoutThreadsThereIsNone) {
  EXPECT_EQ(MakeHostTier(Options(0), loop_.Post()).status().code(), StatusCode::kInvalidArgument);
  for (int nth = 1; nth <= 4; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = nth, .error = EAGAIN});
    EXPECT_EQ(MakeHostTier(Options(3), loop_.Post()).status().code(),
              StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired());
  }
}

}  // namespace
}  // namespace trims

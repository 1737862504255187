#include "load/device_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "cuda/cuda_ipc.h"
#include "device/cuda_device.h"
#include "device/sim_device.h"
#include "load/host_tier.h"
#include "loader_fixture.h"
#include "manual_loop.h"
#include "support/cuda_standin.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;
using test::HeldFds;
using test::ManualLoop;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class DeviceTierTest : public test::LoaderFixture {
 protected:
  DeviceTierTest() {
    AddFile("large", Bytes(20'000'000));
    AddFile("small", Bytes(5000, 2));
    WriteIndex();
    options_.feeds = true;
  }
  std::unique_ptr<Tier> Make() {
    return MakeDeviceTier({.number = 1, .budget = 100 * kMiB}, device_.get(), loop_.Post()).value();
  }
  // Turns the loop until the fill has ended.
  Result<ResidentBytes> Fill(Tier* tier, FillRequest request) {
    std::optional<Result<ResidentBytes>> filled;
    tier->Fill(std::move(request), [&](Result<ResidentBytes> r) { filled.emplace(std::move(r)); });
    loop_.RunOne();
    return *std::move(filled);
  }
  FillRequest From(const ResidentBytes& beneath) {
    // The test's own, which outlives it.
    const std::shared_ptr<const ResidentBytes> borrowed(std::shared_ptr<void>(), &beneath);
    return {.image = MakeImage(), .beneath = borrowed, .control = own_};
  }
  // Copying goes on on a thread of the tier's, and nothing tells its end but this.
  void WaitForCopied(uint64_t bytes) const {
    while (own_->bytes_done() < bytes) std::this_thread::yield();
  }
  FillRequest Following() { return {.image = MakeImage(), .follow = control_, .control = own_}; }

  ManualLoop loop_;
  std::unique_ptr<Device> device_ = MakeSimDevice({.number = 0, .capacity = 128 * kMiB}).value();
  std::shared_ptr<FillControl> own_ = std::make_shared<FillControl>();  // of the device's fill
};

TEST_F(DeviceTierTest, IsItsDeviceWithAFootprintInGranules) {
  const std::unique_ptr<Tier> tier = Make();
  EXPECT_EQ(tier->name(), "device:1");
  EXPECT_EQ(tier->device(), "sim:0");
  EXPECT_EQ(tier->budget().limit(), 100 * kMiB);
  EXPECT_EQ(tier->FootprintOf(image_), 22 * kMiB) << "20'000'000 and 5000 bytes";
  EXPECT_FALSE(tier->feeds());
}

TEST_F(DeviceTierTest, FillsFromWhatIsResidentBeneath) {
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> beneath = Load();
  ASSERT_TRUE(beneath.ok()) << beneath.status().ToString();
  const size_t fds = HeldFds();
  Result<ResidentBytes> filled = Fill(tier.get(), From(*beneath));
  ASSERT_TRUE(filled.ok()) << filled.status().ToString();
  ASSERT_EQ(filled->extents.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(filled->extents[i].kind, HandleKind::kSimulatedDevice);
    EXPECT_EQ(filled->extents[i].length, contents_[i].size());
    EXPECT_TRUE(Content(filled->extents[i]) == contents_[i]);
  }
  EXPECT_EQ(Content(filled->index), Content(beneath->index));
  EXPECT_EQ(own_->bytes_done(), 20'005'000u);
  EXPECT_EQ(HeldFds(), fds + 3);
  bool released = false;
  tier->Release(*std::move(filled), {.freed = [&] { released = true; }});
  loop_.RunOne();
  EXPECT_TRUE(released);
  EXPECT_EQ(HeldFds(), fds);
  EXPECT_TRUE(device_->Allocate("all of it", 128 * kMiB).ok());
}

// The fill beneath runs on this thread, after the device's has begun.
TEST_F(DeviceTierTest, FollowsAFillBeneath) {
  const std::unique_ptr<Tier> tier = Make();
  std::optional<Result<ResidentBytes>> filled;
  tier->Fill(Following(), [&](Result<ResidentBytes> r) { filled.emplace(std::move(r)); });
  const Result<ResidentBytes> beneath = Load();
  ASSERT_TRUE(beneath.ok());
  WaitForCopied(20'005'000);
  EXPECT_EQ(loop_.Pending(), 0u) << "shared before the bytes were known to be right";
  control_->feed()->End(Status());
  loop_.RunOne();
  ASSERT_TRUE(filled->ok()) << filled->status().ToString();
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(Content((*filled)->extents[i]) == contents_[i]);
  EXPECT_EQ(Content((*filled)->index), Content(beneath->index));
}

// By legacy CUDA IPC the extents are one allocation, and each has its own descriptor of its handle.
TEST_F(DeviceTierTest, WhatIsInOnePieceIsAllocatedOnceForAllExtents) {
  const test::CudaStandin standin;
  device_ = MakeCudaDevice({.driver = test::CudaStandin::Path(), .way = CudaExport::kIpc}).value();
  const std::unique_ptr<Tier> tier = Make();
  EXPECT_EQ(tier->FootprintOf(image_), 22 * kMiB);
  EXPECT_FALSE(tier->TakesFrom(*Make())) << "nothing comes from peers";
  EXPECT_EQ(tier->granule(), 0u) << "nothing is put together of pieces";
  const Result<ResidentBytes> beneath = Load();
  ASSERT_TRUE(beneath.ok()) << beneath.status().ToString();
  const int live = standin.Live();
  Result<ResidentBytes> filled = Fill(tier.get(), From(*beneath));
  ASSERT_TRUE(filled.ok()) << filled.status().ToString();
  EXPECT_EQ(standin.Live(), live + 1);
  ASSERT_EQ(filled->extents.size(), 2u);
  std::vector<std::string> handles;
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(filled->extents[i].kind, HandleKind::kCudaIpc);
    EXPECT_EQ(filled->extents[i].length, contents_[i].size());
    const cuda::IpcMemHandle handle = cuda::ReadIpcHandle(filled->extents[i].fd.get()).value();
    handles.emplace_back(handle.reserved, sizeof handle.reserved);
  }
  EXPECT_EQ(handles[0], handles[1]);
  EXPECT_NE(filled->extents[0].fd.get(), filled->extents[1].fd.get());
  bool released = false;
  tier->Release(*std::move(filled), {.freed = [&] { released = true; }});
  loop_.RunOne();
  EXPECT_TRUE(released);
  EXPECT_EQ(standin.Live(), live);
}

TEST_F(DeviceTierTest, WhatIsWrongBeneathIsNotSharedHere) {
  image_.variant.extents[1].sha256 = std::string(64, '0');
  image_.variant.extents[1].xxh3[0] ^= 1;
  const std::unique_ptr<Tier> tier = Make();
  std::optional<Status> status;
  tier->Fill(Following(), [&](const Result<ResidentBytes>& r) { status = r.status(); });
  control_->feed()->End(Load().status());
  loop_.RunOne();
  EXPECT_EQ(status.value().code(), StatusCode::kDataLoss);
  EXPECT_TRUE(device_->Allocate("all of it", 128 * kMiB).ok());
}

TEST_F(DeviceTierTest, ASecondAttemptBeneathIsFollowedFromItsBeginning) {
  const std::unique_ptr<Tier> tier = Make();
  std::optional<Result<ResidentBytes>> filled;
  tier->Fill(Following(), [&](Result<ResidentBytes> r) { filled.emplace(std::move(r)); });
  const std::string right = contents_[1];
  image_.variant.extents[1].xxh3[0] ^= 1;
  image_.variant.extents[1].sha256[0] ^= 1;
  EXPECT_FALSE(Load().ok());
  WaitForCopied(20'005'000);
  image_.variant.extents[1].xxh3[0] ^= 1;
  image_.variant.extents[1].sha256[0] ^= 1;
  const Result<ResidentBytes> beneath = Load();
  control_->feed()->End(beneath.status());
  loop_.RunOne();
  ASSERT_TRUE(filled->ok()) << filled->status().ToString();
  EXPECT_TRUE(Content((*filled)->extents[1]) == right);
}

TEST_F(DeviceTierTest, GivenUpWhileItWaitsItEnds) {
  const std::unique_ptr<Tier> tier = Make();
  std::optional<Status> status;
  tier->Fill(Following(), [&](const Result<ResidentBytes>& r) { status = r.status(); });
  own_->Cancel();
  loop_.RunOne();
  EXPECT_EQ(status.value().code(), StatusCode::kCancelled);
}

TEST_F(DeviceTierTest, AFeedThatToldNothingIsNoCrash) {
  const std::unique_ptr<Tier> tier = Make();
  control_->feed()->End(Status());
  EXPECT_EQ(Fill(tier.get(), Following()).status().code(), StatusCode::kInternal);
}

TEST_F(DeviceTierTest, EachDeviceCallThatFailsIsReportedAndLeavesNothing) {
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> beneath = Load();
  const size_t fds = HeldFds();
  for (const fault::Op op :
       {fault::Op::kDeviceAllocate, fault::Op::kDeviceCopy, fault::Op::kDeviceExport}) {
    for (int nth = 1;; ++nth) {
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOMEM});
      own_ = std::make_shared<FillControl>();
      const Status status = Fill(tier.get(), From(*beneath)).status();
      if (!plan.fired()) break;
      // By the time of an export all memory is there: it is descriptors that are wanting.
      EXPECT_EQ(own_->out_of_memory(), op != fault::Op::kDeviceExport) << fault::OpName(op) << nth;
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << fault::OpName(op) << nth;
      EXPECT_EQ(HeldFds(), fds) << fault::OpName(op) << nth;
    }
  }
  EXPECT_TRUE(device_->Allocate("all of it", 128 * kMiB).ok());
}

class DevicePieceTest : public DeviceTierTest {
 protected:
  // The end of the first extent and, of a second part, the whole of the other.
  FillRequest FromParts(const ResidentBytes& first, const ResidentBytes& second) {
    const auto borrowed = [](const ResidentBytes& bytes) {
      return std::shared_ptr<const ResidentBytes>(std::shared_ptr<void>(), &bytes);
    };
    Image whole = image_;
    whole.parts = {MakeImage(), MakeImage()};
    auto piece = std::make_shared<Image>();
    piece->reference = image_.reference;
    piece->from = std::make_shared<const Image>(std::move(whole));
    piece->slices = {{.part = 0, .extent = 0, .offset = 4096, .length = 9'000'000},
                     {.part = 1, .extent = 1, .offset = 0, .length = 5000},
                     {.part = 0, .extent = 0, .offset = 0, .length = 4096}};
    piece->variant.extents.push_back({.length = 9'009'096, .pieces = {}});
    return {
        .image = piece, .beneath = borrowed(first), .others = {borrowed(second)}, .control = own_};
  }
  // Of the first extent alone, which the fill beneath brings first.
  FillRequest FollowingPiece() {
    auto piece = std::make_shared<Image>(image_);
    piece->from = MakeImage();
    piece->slices = {{.part = 0, .extent = 0, .offset = 8'192'000, .length = 4'096'000},
                     {.part = 0, .extent = 0, .offset = 0, .length = 4096}};
    piece->variant.extents.clear();
    piece->variant.extents.push_back({.length = 4'100'096, .pieces = {}});
    return {.image = piece, .follow = control_, .control = own_};
  }
};

TEST_F(DevicePieceTest, HasTheBytesOfItsSlicesInOneAllocation) {
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> first = Load();
  const Result<ResidentBytes> second = Load();
  const size_t fds = HeldFds();
  Result<ResidentBytes> filled = Fill(tier.get(), FromParts(*first, *second));
  ASSERT_TRUE(filled.ok()) << filled.status().ToString();
  ASSERT_EQ(filled->extents.size(), 1u);
  EXPECT_FALSE(filled->index.fd);
  EXPECT_EQ(filled->extents[0].length, 9'009'096u);
  const std::string content = Content(filled->extents[0]);
  EXPECT_TRUE(content.substr(0, 9'000'000) == contents_[0].substr(4096, 9'000'000));
  EXPECT_TRUE(content.substr(9'000'000, 5000) == contents_[1]);
  EXPECT_TRUE(content.substr(9'005'000, 4096) == contents_[0].substr(0, 4096));
  EXPECT_EQ(HeldFds(), fds + 1);
  EXPECT_EQ(own_->bytes_done(), 9'009'096u);
}

// A GPU's registering of an extent takes as long as all of it, whatever a piece has.
TEST_F(DevicePieceTest, WithLittleOfAnExtentItDoesNotRegisterIt) {
  const test::CudaStandin standin;
  device_ = MakeCudaDevice({.driver = test::CudaStandin::Path()}).value();
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> first = Load();
  const Result<ResidentBytes> second = Load();
  const uint64_t before = standin.DirectBytes();
  EXPECT_TRUE(Fill(tier.get(), FromParts(*first, *second)).ok());
  EXPECT_EQ(standin.DirectBytes() - before, 5000u) << "of the second part, the whole of one";
}

TEST_F(DevicePieceTest, NorWhereItFollowsWhatIsSealedAlready) {
  const test::CudaStandin standin;
  device_ = MakeCudaDevice({.driver = test::CudaStandin::Path()}).value();
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> beneath = Load();
  ASSERT_TRUE(beneath.ok());
  control_->feed()->End(Status());
  const uint64_t before = standin.DirectBytes();
  const Result<ResidentBytes> filled = Fill(tier.get(), FollowingPiece());
  ASSERT_TRUE(filled.ok()) << filled.status().ToString();
  EXPECT_EQ(own_->bytes_done(), 4'100'096u);
  EXPECT_EQ(standin.DirectBytes(), before);
}

TEST_F(DevicePieceTest, FollowsAFillBeneath) {
  const std::unique_ptr<Tier> tier = Make();
  std::optional<Result<ResidentBytes>> filled;
  tier->Fill(FollowingPiece(), [&](Result<ResidentBytes> r) { filled.emplace(std::move(r)); });
  const Result<ResidentBytes> beneath = Load();
  ASSERT_TRUE(beneath.ok());
  WaitForCopied(4'100'096);
  EXPECT_EQ(loop_.Pending(), 0u) << "shared before the bytes were known to be right";
  control_->feed()->End(Status());
  loop_.RunOne();
  ASSERT_TRUE(filled->ok()) << filled->status().ToString();
  const std::string content = Content((*filled)->extents.at(0));
  EXPECT_TRUE(content.substr(0, 4'096'000) == contents_[0].substr(8'192'000, 4'096'000));
  EXPECT_TRUE(content.substr(4'096'000, 4096) == contents_[0].substr(0, 4096));
}

TEST_F(DevicePieceTest, AnIndexTakesNoMemoryOfTheDevice) {
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> part = Load();
  FillRequest request = FromParts(*part, *part);
  auto piece = std::make_shared<Image>(*request.image);
  piece->slices.clear();
  piece->variant.extents.clear();
  piece->footprint = 4096;
  request.image = piece;
  EXPECT_EQ(tier->FootprintOf(*piece), 4096u);
  const Result<ResidentBytes> filled = Fill(tier.get(), std::move(request));
  ASSERT_TRUE(filled.ok());
  EXPECT_TRUE(filled->extents.empty());
  EXPECT_EQ(Content(filled->index), Content(part->index));
  EXPECT_TRUE(device_->Allocate("all of it", 128 * kMiB).ok());
}

TEST_F(DevicePieceTest, WhatIsNotThereIsNoCrash) {
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> part = Load();
  FillRequest without = FromParts(*part, *part);
  without.others.clear();
  EXPECT_EQ(Fill(tier.get(), std::move(without)).status().code(), StatusCode::kInternal);
  FillRequest beyond = FromParts(*part, *part);
  auto piece = std::make_shared<Image>(*beyond.image);
  piece->slices[1].extent = 2;
  beyond.image = piece;
  EXPECT_EQ(Fill(tier.get(), beyond).status().code(), StatusCode::kInternal);
  piece->slices[1] = {.part = 1, .extent = 1, .offset = 4096, .length = 5000};
  EXPECT_EQ(Fill(tier.get(), std::move(beyond)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(device_->Allocate("all of it", 128 * kMiB).ok());
}

TEST_F(DevicePieceTest, EachDeviceCallThatFailsIsReportedAndLeavesNothing) {
  const std::unique_ptr<Tier> tier = Make();
  const Result<ResidentBytes> part = Load();
  const size_t fds = HeldFds();
  for (const fault::Op op :
       {fault::Op::kDeviceAllocate, fault::Op::kDeviceCopy, fault::Op::kDeviceExport}) {
    int nth = 1;
    for (;; ++nth) {
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOMEM});
      own_ = std::make_shared<FillControl>();
      const Status status = Fill(tier.get(), FromParts(*part, *part)).status();
      if (!plan.fired()) break;
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << fault::OpName(op) << nth;
      EXPECT_EQ(HeldFds(), fds) << fault::OpName(op) << nth;
    }
    EXPECT_GT(nth, 1) << fault::OpName(op);
  }
  EXPECT_TRUE(device_->Allocate("all of it", 128 * kMiB).ok());
}

TEST_F(DeviceTierTest, AHostTierFeedsWhoeverFollows) {
  HostTierOptions options{
      .budget = 100 * kMiB, .threads = 1, .prepared_root = prepared_.path(), .feeds = true};
  const std::unique_ptr<Tier> host = MakeHostTier(options, loop_.Post()).value();
  EXPECT_TRUE(host->feeds());
  const std::unique_ptr<Tier> tier = Make();
  int done = 0;
  const auto count = [&](const Result<ResidentBytes>& r) { done += r.ok(); };
  tier->Fill(Following(), count);
  host->Fill({.image = MakeImage(), .control = control_}, count);
  loop_.RunOne();
  loop_.RunOne();
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace trims

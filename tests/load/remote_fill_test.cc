// Filling from a network: the same bytes, a copy on this disk, and no wrong byte whatever the source does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/fault.h"
#include "load/verify_image.h"
#include "loader_fixture.h"
#include "support/content.h"
#include "support/held_resources.h"
#include "support/http_origin.h"

namespace trims {
namespace {

namespace fs = std::filesystem;
using test::Bytes;
using test::HttpOrigin;
using test::OriginReply;
using test::OriginRequest;
using ::testing::HasSubstr;

// The image's files lie at an origin, beneath /m/far/; of them the index is here as well.
class RemoteFillTest : public test::LoaderFixture {
 protected:
  void Serve() {
    origin_.emplace([this](const OriginRequest& request) { return Answer(request); });
    image_.variant.remote = ManifestRemote{origin_->url() + "/m/trims.json", "far"};
    served_["/m/trims.json"] = "{}";
    served_["/m/far/index"] = test::TextOf(prepared_.path() + "/files/index");
    options_.network.patience = {.attempts = 2, .first_pause = std::chrono::milliseconds(1)};
    options_.keep.copy = &copy_;
  }

  OriginReply Answer(const OriginRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.method == "GET") ++gets_[request.target];
    if (spoil_) {
      if (const std::optional<OriginReply> reply = spoil_(request)) return *reply;
    }
    const auto found = served_.find(request.target);
    return found == served_.end() ? OriginReply{.status = 404}
                                  : ServeObject(request, found->second, "\"v\"");
  }

  // One extent that is one file.
  void AddRemote(const std::string& name, const std::string& bytes) {
    AddExtent(bytes, {{PieceOrigin::kPrepared, name, 0, bytes.size(), 0}});
    served_["/m/far/" + name] = bytes;
  }

  void ExpectLoads() {
    const Result<ResidentBytes> loaded = Load();
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    ASSERT_EQ(loaded->extents.size(), contents_.size());
    for (size_t i = 0; i < contents_.size(); ++i) {
      EXPECT_TRUE(Content(loaded->extents[i]) == contents_[i]) << i;
    }
  }
  void ExpectKept() {
    ASSERT_NE(copy_, nullptr);
    const Status status = copy_->Finish();
    EXPECT_TRUE(status.ok()) << status.ToString();
    copy_.reset();
    Pacer pacer(0);
    FillControl control;
    const Status verified = VerifyImage(image_, prepared_.path(), &control, &pacer);
    EXPECT_TRUE(verified.ok()) << verified.ToString();
  }
  void ExpectNothingUnfinished() {
    for (const auto& entry : fs::directory_iterator(prepared_.path() + "/files")) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::string> served_;
  std::map<std::string, int> gets_;
  std::function<std::optional<OriginReply>(const OriginRequest&)> spoil_;
  std::optional<HttpOrigin> origin_;
  std::unique_ptr<KeptCopy> copy_;
};

TEST_F(RemoteFillTest, BytesComeFromTheNetworkOnceAndAreKept) {
  AddRemote("extent0", Bytes((20 << 20) + 4321));
  AddRemote("deep/extent1", Bytes(100, 2));
  WriteIndex();
  Serve();
  ExpectLoads();
  ExpectKept();
  ExpectNothingUnfinished();
  EXPECT_EQ(gets_["/m/far/extent0"], 3);  // ranges of 8 MiB
  EXPECT_EQ(gets_["/m/far/index"], 0);
  origin_.reset();  // from here on it is not needed any more
  ExpectLoads();
  EXPECT_EQ(copy_, nullptr);
}

// A re-laid model: pieces of one file with gaps between them in the extent.
TEST_F(RemoteFillTest, ManySmallPiecesCostFewRequests) {
  constexpr size_t kPieces = 3000;
  constexpr size_t kPiece = 700;
  const std::string file = Bytes(kPieces * kPiece);
  std::string extent(kPieces * 768, '\0');
  std::vector<ManifestPiece> pieces;
  for (size_t i = 0; i < kPieces; ++i) {
    pieces.push_back({PieceOrigin::kPrepared, "source/w", i * kPiece, kPiece, i * 768});
    extent.replace(i * 768, kPiece, file, i * kPiece, kPiece);
  }
  AddExtent(extent, std::move(pieces));
  served_["/m/far/source/w"] = file;
  WriteIndex();
  Serve();
  ExpectLoads();
  ExpectKept();
  EXPECT_EQ(gets_["/m/far/source/w"], 1);
  origin_.reset();
  ExpectLoads();
}

TEST_F(RemoteFillTest, WithoutACopyNothingIsWritten) {
  AddRemote("extent0", Bytes(5 << 20));
  WriteIndex();
  Serve();
  options_.keep.copy = nullptr;
  ExpectLoads();
  EXPECT_FALSE(fs::exists(prepared_.path() + "/files/extent0"));
  ExpectNothingUnfinished();
}

// Of both digests: what the copy will be checked by has to be right, too.
TEST_F(RemoteFillTest, WrongBytesAreNeverServedNorKept) {
  AddRemote("extent0", Bytes(9 << 20));
  WriteIndex();
  Serve();
  served_["/m/far/extent0"][5 << 20] ^= 1;
  const Status status = Load().status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("from 4194304 to 8388608"));
  EXPECT_THAT(status.message(), HasSubstr("/m/trims.json"));
  EXPECT_EQ(copy_, nullptr);
  EXPECT_FALSE(fs::exists(prepared_.path() + "/files/extent0"));
  ExpectNothingUnfinished();
}

TEST_F(RemoteFillTest, AManifestWhoseQuickDigestsLieIsRefused) {
  AddRemote("extent0", Bytes(5 << 20));
  WriteIndex();
  Serve();
  image_.variant.extents[0].xxh3[0] ^= 1;
  EXPECT_EQ(Load().status().code(), StatusCode::kDataLoss);
}

// What changed on its way comes right the second time.
TEST_F(RemoteFillTest, ABitFlippedOnceIsFetchedAgain) {
  AddRemote("extent0", Bytes(9 << 20));
  WriteIndex();
  Serve();
  spoil_ = [this,
            first = true](const OriginRequest& request) mutable -> std::optional<OriginReply> {
    if (request.method != "GET" || request.target != "/m/far/extent0") return {};
    if (!std::exchange(first, false)) return {};
    OriginReply reply = ServeObject(request, served_[request.target], "\"v\"");
    reply.body[1000] ^= 4;
    return reply;
  };
  ExpectLoads();
  ExpectKept();
}

TEST_F(RemoteFillTest, ADamagedCopyIsReplacedByWhatLiesElsewhere) {
  AddRemote("extent0", Bytes(5 << 20));
  WriteIndex();
  Serve();
  for (const std::string name : {"extent0", "index"}) {
    SCOPED_TRACE(name);
    ExpectLoads();
    if (copy_ != nullptr) ExpectKept();
    const std::string file = prepared_.path() + "/files/" + name;
    const size_t size = fs::file_size(file);
    std::ofstream(file) << std::string(size, 'x');
    ExpectLoads();
    ExpectKept();
    std::ofstream(file) << "short";
    ExpectLoads();
    ExpectKept();
  }
  EXPECT_EQ(gets_["/m/far/index"], 4);
}

// Where no copy may be kept, what is here may be another model's only one.
TEST_F(RemoteFillTest, WithoutACopyNothingIsDiscarded) {
  AddRemote("extent0", Bytes(5 << 20));
  WriteIndex();
  Serve();
  ExpectLoads();
  ExpectKept();
  image_.variant.extents[0].xxh3[0] ^= 1;
  options_.keep.copy = nullptr;
  EXPECT_EQ(Load().status().code(), StatusCode::kDataLoss);
  EXPECT_TRUE(fs::exists(prepared_.path() + "/files/extent0"));
}

TEST_F(RemoteFillTest, ASourceThatIsGoneIsSaid) {
  AddRemote("extent0", Bytes(100));
  WriteIndex();
  Serve();
  served_.erase("/m/far/extent0");
  Status status = Load().status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("/m/far/extent0"));
  origin_.reset();
  status = Load().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.ToString();
}

TEST_F(RemoteFillTest, WhatIsShorterThanTheManifestSaysIsDataLoss) {
  AddRemote("extent0", Bytes(5 << 20));
  WriteIndex();
  Serve();
  served_["/m/far/extent0"].resize(100);
  const Status status = Load().status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("is 100 bytes, expected at least 5242880"));
}

class RemoteFillCancelTest : public RemoteFillTest,
                             public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Files, RemoteFillCancelTest, ::testing::Values("extent0", "index"));

TEST_P(RemoteFillCancelTest, ACancelWakesWhatWaitsForTheNetwork) {
  AddRemote("extent0", Bytes(9 << 20));
  WriteIndex();
  Serve();
  fs::remove(prepared_.path() + "/files/index");
  const std::string target = std::string("/m/far/") + GetParam();
  std::promise<void> asked;
  bool first = true;
  spoil_ = [&](const OriginRequest& request) -> std::optional<OriginReply> {
    if (request.method != "GET" || request.target != target) return {};
    if (std::exchange(first, false)) asked.set_value();
    OriginReply reply = ServeObject(request, served_[target], "\"v\"");
    reply.stall_after = 10;
    return reply;
  };
  std::thread canceller([&] {
    asked.get_future().wait();
    control_->Cancel();
  });
  EXPECT_EQ(Load().status().code(), StatusCode::kCancelled);
  canceller.join();
  origin_.reset();  // what it calls stands here
  ExpectNothingUnfinished();
}

class RemoteFillResumeTest : public RemoteFillTest {
 protected:
  static constexpr size_t kRange = size_t{8} << 20;

  void Prepare() {
    AddRemote("extent0", Bytes(kRange + 4321));
    AddRemote("deep/extent1", Bytes(4 * kRange, 2));
    WriteIndex();
    Serve();
    options_.network.concurrency = 1;
  }
  // The load is given up while the third range of the second file is on its way, and all before it is noted.
  void CutOff() {
    std::promise<void> asked;
    bool first = true;
    spoil_ = [&](const OriginRequest& request) -> std::optional<OriginReply> {
      if (!request.Header("range").starts_with("bytes=16777216-")) return {};
      OriginReply reply = ServeObject(request, served_[request.target], "\"v\"");
      reply.stall_after = 10;
      if (std::exchange(first, false)) asked.set_value();
      return reply;
    };
    std::thread canceller([&] {
      asked.get_future().wait();
      WaitForJournal("1 16777216\n");
      control_->Cancel();
    });
    EXPECT_EQ(Load().status().code(), StatusCode::kCancelled);
    canceller.join();
    origin_.reset();  // what it calls stands here
    spoil_ = nullptr;
    control_ = std::make_shared<FillControl>();
    Serve();
    gets_.clear();
  }
  void WaitForJournal(const std::string& end) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!test::TextOf(Unfinished("journal")).ends_with(end)) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  std::string Unfinished(const std::string& what) const {
    return prepared_.path() + "/files/.unfinished-" + what;
  }
  int Gets() { return gets_["/m/far/extent0"] + gets_["/m/far/deep/extent1"]; }
};

TEST_F(RemoteFillResumeTest, ALoadGoesOnWhereTheLastWasCutOff) {
  Prepare();
  CutOff();
  ExpectLoads();
  EXPECT_EQ(gets_["/m/far/extent0"], 0);
  EXPECT_EQ(gets_["/m/far/deep/extent1"], 2);
  ExpectKept();
  ExpectNothingUnfinished();
}

TEST_F(RemoteFillResumeTest, BytesThatACrashToreAreFetchedAgain) {
  Prepare();
  CutOff();
  std::fstream(Unfinished("1"), std::ios::in | std::ios::out | std::ios::binary).seekp(7).put('!');
  ExpectLoads();
  ExpectKept();
  ExpectNothingUnfinished();
}

TEST_F(RemoteFillResumeTest, WithoutOneOfItsFilesItStartsAnew) {
  Prepare();
  CutOff();
  fs::remove(Unfinished("0"));
  ExpectLoads();
  EXPECT_EQ(Gets(), 6);
  ExpectKept();
  ExpectNothingUnfinished();
}

TEST_F(RemoteFillResumeTest, AJournalOfAnotherReleaseStartsAnew) {
  Prepare();
  CutOff();
  std::ofstream(Unfinished("journal")) << "trims-copy 2\n1 16777216\n";
  ExpectLoads();
  EXPECT_EQ(Gets(), 6);
  ExpectKept();
}

// Its bytes are those of the manifest, whatever the source has become.
TEST_F(RemoteFillResumeTest, OfASourceThatWasReplacedNothingIsTaken) {
  Prepare();
  CutOff();
  served_["/m/far/deep/extent1"] = Bytes(4 * kRange, 9);
  EXPECT_EQ(Load().status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(fs::exists(prepared_.path() + "/files/extent0"));
  ExpectNothingUnfinished();
}

// A disk that takes nothing costs the copy and not the load; and nothing is held or left.
TEST_F(RemoteFillTest, EachFailureOfTheDiskCostsTheCopyAlone) {
  AddRemote("extent0", Bytes(5 << 20));
  WriteIndex();
  Serve();
  const size_t mapped = test::MappedMemfds();
  for (const fault::Op op : {fault::Op::kWrite, fault::Op::kSync, fault::Op::kRename}) {
    for (int nth = op == fault::Op::kWrite ? 2 : 1;;
         ++nth) {  // the first write is the index's memory
      SCOPED_TRACE(std::string(fault::OpName(op)) + " " + std::to_string(nth));
      fs::remove(prepared_.path() + "/files/extent0");
      fault::ScopedPlan plan({.op = op, .nth = nth, .error = ENOSPC});
      ExpectLoads();
      const bool kept = copy_ != nullptr && copy_->Finish().ok();
      copy_.reset();
      ExpectNothingUnfinished();
      EXPECT_EQ(test::MappedMemfds(), mapped);
      EXPECT_TRUE(!kept || fs::exists(prepared_.path() + "/files/extent0"));
      EXPECT_TRUE(kept || plan.fired());
      if (!plan.fired()) break;
      ASSERT_LT(nth, 100);
    }
  }
}

}  // namespace
}  // namespace trims

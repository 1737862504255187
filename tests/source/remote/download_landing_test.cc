// Download into memory and from there to the disk: both have the same bytes, whatever an earlier attempt has
// left, and what fails leaves the next attempt what was written.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/mapping.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "source/download.h"
#include "source/download_journal.h"
#include "support/content.h"
#include "support/held_resources.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLandedRange = kDownloadRangeBytes;

// Memory that must not be written to beyond what was reached, nor said to be ready beyond that.
class MemoryLanding final : public DownloadLanding {
 public:
  explicit MemoryLanding(size_t length)
      : map_(Mapping::Reserve(length, kPageSize).value()),
        file_(sys::MemfdCreate("landing", 0)),
        length_(length) {
    EXPECT_EQ(sys::Ftruncate(file_.get(), static_cast<off_t>(length)), 0);
    EXPECT_TRUE(map_.MapInto(0, length, file_.get(), PROT_READ | PROT_WRITE).ok());
  }

  Result<std::span<std::byte>> Reach(uint64_t end) override {
    EXPECT_LE(end, length_);
    if (end > most) return Status(StatusCode::kResourceExhausted, "no memory");
    reached_ = std::max(reached_, end);
    return std::span(map_.data(), length_);
  }
  void Ready(uint64_t end) override {
    EXPECT_GE(end, ready);
    EXPECT_LE(end, reached_);
    ready = end;
  }
  std::string Sha256() override {
    EXPECT_EQ(ready, length_);
    return Sha256Hex({map_.data(), length_});
  }
  std::string text() const { return {reinterpret_cast<const char*>(map_.data()), length_}; }

  uint64_t ready = 0;
  uint64_t most = UINT64_MAX;

 private:
  Mapping map_;
  const UniqueFd file_;
  const size_t length_;
  uint64_t reached_ = 0;
};

class OriginStore final : public RemoteStore {
 public:
  explicit OriginStore(std::string url) : url_(std::move(url)) {}
  Result<std::vector<RemoteFile>> List() override { return std::vector<RemoteFile>(); }
  Result<RemoteRequest> RequestFor(const RemoteFile& file) override {
    return RemoteRequest{.url = url_ + "/" + file.name};
  }
  void Refused() override {}

 private:
  const std::string url_;
};

class DownloadLandingTest : public ::testing::Test {
 protected:
  DownloadLandingTest() {
    for (const std::string& folder : {place_.files, place_.partial}) fs::create_directories(folder);
    options_.patience = {.attempts = 1, .first_pause = std::chrono::milliseconds(1)};
  }

  void Make(size_t length, bool with_digest = true) {
    content_ = Content(length, static_cast<uint32_t>(length));
    file_ = {.name = "a", .length = length, .etag = "\"v1\""};
    if (with_digest) file_.sha256 = Sha256Hex(std::as_bytes(std::span(content_)));
  }
  OriginReply Serve(const OriginRequest& request) const {
    return ServeObject(request, content_, file_.etag);
  }
  Status Run(const HttpOrigin& origin, MemoryLanding* landing) {
    OriginStore store(origin.url());
    options_.landing = landing;
    return Download(&store, {file_}, place_, options_);
  }
  // With a landing of its own; how many requests that took.
  size_t ExpectLands() {
    HttpOrigin origin([this](const OriginRequest& request) { return Serve(request); });
    MemoryLanding landing(content_.size());
    const Status status = Run(origin, &landing);
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(landing.ready, content_.size());
    EXPECT_TRUE(landing.text() == content_);
    EXPECT_TRUE(TextOf(place_.files + "/a") == content_);
    return origin.requests().size();
  }
  // Only the first `ranges` come.
  void StopAfter(size_t ranges) {
    options_.concurrency = 1;
    HttpOrigin origin([&](const OriginRequest& request) {
      return request.number < static_cast<int>(ranges) ? Serve(request)
                                                       : OriginReply{.status = 404};
    });
    MemoryLanding landing(content_.size());
    EXPECT_EQ(Run(origin, &landing).code(), StatusCode::kNotFound);
  }

  ScratchFolder scratch_;
  DownloadPlace place_{.files = scratch_ / "files", .partial = scratch_ / "partial"};
  std::string content_;
  RemoteFile file_;
  DownloadOptions options_;
};

TEST_F(DownloadLandingTest, BytesAreInMemoryAndOnTheDisk) {
  for (const size_t length :
       {size_t{1}, size_t{4096}, kLandedRange - 1, kLandedRange, 3 * kLandedRange + 5}) {
    SCOPED_TRACE(length);
    for (const std::string& folder : {place_.files, place_.partial}) {
      fs::remove_all(folder);
      fs::create_directories(folder);
    }
    Make(length, length % 2 == 0);
    const size_t fds = HeldFds();
    EXPECT_EQ(ExpectLands(), DownloadRanges(length));
    EXPECT_EQ(HeldFds(), fds);
  }
}

TEST_F(DownloadLandingTest, WhatAnEarlierAttemptHasLeftComesFromTheDisk) {
  Make(5 * kLandedRange + 100);
  StopAfter(3);
  EXPECT_FALSE(fs::exists(place_.files + "/a"));
  const size_t requests = ExpectLands();
  EXPECT_GE(requests, 3u);  // those that hadn't come
  EXPECT_LT(requests, 6u) << "nothing was kept";
  EXPECT_EQ(ExpectLands(), 0u) << "all of it is on the disk";
}

TEST_F(DownloadLandingTest, AnotherObjectStartsAnew) {
  Make(3 * kLandedRange, false);
  StopAfter(2);
  content_ = Content(3 * kLandedRange, 77);
  file_.etag = "\"v2\"";
  EXPECT_EQ(ExpectLands(), 3u);
}

TEST_F(DownloadLandingTest, WhatWasDamagedOnTheDiskIsFetchedAgain) {
  Make(4 * kLandedRange);
  StopAfter(3);
  for (const auto& entry : fs::directory_iterator(place_.partial)) {
    if (entry.path().extension() != ".part") continue;
    std::fstream part(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    part.seekp(7).put('!');
  }
  ExpectLands();
}

TEST_F(DownloadLandingTest, OtherBytesThanTheSourceSaysAreThrownAway) {
  Make(2 * kLandedRange);
  HttpOrigin origin([this](const OriginRequest& request) {
    OriginReply reply = Serve(request);
    if (request.number == 1) reply.body[1000] = static_cast<char>(reply.body[1000] ^ 4);
    return reply;
  });
  MemoryLanding landing(content_.size());
  EXPECT_EQ(Run(origin, &landing).code(), StatusCode::kDataLoss);
  EXPECT_FALSE(fs::exists(place_.files + "/a"));
  EXPECT_TRUE(fs::is_empty(place_.partial));
  EXPECT_EQ(ExpectLands(), 2u);
}

TEST_F(DownloadLandingTest, WithoutMemoryItEndsAndTheDiskGoesOn) {
  Make(3 * kLandedRange);
  HttpOrigin origin([this](const OriginRequest& request) { return Serve(request); });
  {
    MemoryLanding landing(content_.size());
    landing.most = 2 * kLandedRange;
    EXPECT_EQ(Run(origin, &landing).code(), StatusCode::kResourceExhausted);
  }
  const Status status = Run(origin, nullptr);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(TextOf(place_.files + "/a") == content_);
}

TEST_F(DownloadLandingTest, EachFailureOfTheDiskIsTypedAndTheNextAttemptWorks) {
  Make(2 * kLandedRange + 1);
  for (const auto& [op, error] :
       {std::pair(fault::Op::kWrite, ENOSPC), std::pair(fault::Op::kSync, EIO),
        std::pair(fault::Op::kRename, EIO), std::pair(fault::Op::kThread, EAGAIN),
        std::pair(fault::Op::kOpen, EACCES), std::pair(fault::Op::kFallocate, ENOSPC)}) {
    bool failed = false;
    for (int nth = 1;; ++nth) {
      SCOPED_TRACE(std::string(fault::OpName(op)) + " " + std::to_string(nth));
      bool fired = false;
      {
        HttpOrigin origin([this](const OriginRequest& request) { return Serve(request); });
        MemoryLanding landing(content_.size());
        const fault::ScopedPlan plan({.op = op, .nth = nth, .error = error, .count = 100});
        failed |= !Run(origin, &landing).ok();
        fired = plan.fired();
      }
      ExpectLands();
      fs::remove(place_.files + "/a");
      if (!fired) break;
    }
    EXPECT_TRUE(failed) << fault::OpName(op);
  }
}

}  // namespace
}  // namespace trims::test

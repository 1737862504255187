// Download from an origin with faults into a real folder: what is there afterwards, what an attempt that
// stopped leaves for the next, and that wrong bytes never stand under a file's name.
#include "source/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/sha256.h"
#include "source/download_journal.h"
#include "source/http_exchange.h"
#include "source/http_store.h"
#include "source/part_file.h"
#include "support/content.h"
#include "support/held_resources.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Files at an origin, which knows them by name.
class FilesStore final : public RemoteStore {
 public:
  explicit FilesStore(std::string url) : url_(std::move(url)) {}
  Result<std::vector<RemoteFile>> List() override { return std::vector<RemoteFile>(); }
  Result<RemoteRequest> RequestFor(const RemoteFile& file) override {
    return RemoteRequest{.url = url_ + "/" + file.name,
                         .headers = {"X-Key: " + std::to_string(refused)}};
  }
  void Refused() override { ++refused; }
  int refused = 0;

 private:
  const std::string url_;
};

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest() {
    for (const std::string& folder : {place_.files, place_.partial}) fs::create_directories(folder);
    options_.patience = {.attempts = 2,
                         .first_pause = std::chrono::milliseconds(1),
                         .longest_pause = std::chrono::milliseconds(1),
                         .stall = std::chrono::seconds(1)};
  }

  void Add(const std::string& name, size_t length, bool with_digest = true) {
    contents_[name] = Content(length, static_cast<uint32_t>(length + 1));
    RemoteFile file{.name = name, .length = length, .etag = "\"" + name + "\""};
    if (with_digest) file.sha256 = Sha256Hex(std::as_bytes(std::span(contents_[name])));
    files_.push_back(std::move(file));
  }

  OriginReply ServeWell(const OriginRequest& request) const {
    const std::string name = request.target.substr(1);
    const auto found = contents_.find(name);
    return found == contents_.end() ? OriginReply{.status = 404}
                                    : ServeObject(request, found->second, "\"" + name + "\"");
  }

  Status Run(const HttpOrigin& origin) {
    FilesStore store(origin.url());
    return Download(&store, files_, place_, options_);
  }

  void Empty() const {
    for (const std::string& folder : {place_.files, place_.partial}) {
      fs::remove_all(folder);
      fs::create_directories(folder);
    }
  }

  void ExpectAllThere() {
    for (const auto& [name, content] : contents_) {
      EXPECT_TRUE(TextOf(place_.files + "/" + name) == content) << name;
    }
  }

  ScratchFolder scratch_;
  DownloadPlace place_{.files = scratch_ / "files", .partial = scratch_ / "partial"};
  std::map<std::string, std::string> contents_;
  std::vector<RemoteFile> files_;
  DownloadOptions options_;
};

constexpr size_t kRange = kDownloadRangeBytes;

TEST_F(DownloadTest, FilesOfAnyLengthComeIntoTheirFolders) {
  for (const size_t length :
       {size_t{0}, size_t{1}, kRange - 1, kRange, kRange + 1, 3 * kRange + 5}) {
    Add("deep/er/" + std::to_string(length), length, length % 2 == 0);
  }
  std::vector<uint64_t> told;
  options_.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, 6 * kRange + 6);
    told.push_back(done);
  };
  const size_t fds = HeldFds();
  {
    HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
    const Status status = Run(origin);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  ExpectAllThere();
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 6 * kRange + 6);
  EXPECT_EQ(HeldFds(), fds);
}

TEST_F(DownloadTest, WhatIsThereIsNotFetchedAgain) {
  Add("a", 2 * kRange + 5);
  Add("b", 100);
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  ASSERT_TRUE(Run(origin).ok());
  const size_t requests = origin.requests().size();
  ASSERT_TRUE(Run(origin).ok());
  EXPECT_EQ(origin.requests().size(), requests);
  // The source has something else now.
  contents_["b"] = Content(100, 77);
  files_[1].etag = "\"new\"";
  files_[1].sha256 = Sha256Hex(std::as_bytes(std::span(contents_["b"])));
  HttpOrigin newer([this](const OriginRequest& request) {
    return ServeObject(request, contents_["b"], "\"new\"");
  });
  ASSERT_TRUE(Run(newer).ok());
  EXPECT_EQ(newer.requests().size(), 1u);
  ExpectAllThere();
}

TEST_F(DownloadTest, AnOlderVersionOfTheSameLengthNeverCountsAsTheNewOne) {
  Add("a", 3 * kRange, false);
  {
    HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
    ASSERT_TRUE(Run(origin).ok());
  }
  contents_["a"] = Content(3 * kRange, 99);
  files_[0].etag = "\"new\"";
  options_.concurrency = 1;
  {
    HttpOrigin stops([this](const OriginRequest& request) {
      return request.number < 1 ? ServeObject(request, contents_["a"], "\"new\"")
                                : OriginReply{.status = 404};
    });
    EXPECT_FALSE(Run(stops).ok());
  }
  EXPECT_FALSE(PartFile::IsComplete(place_, files_[0]));
  HttpOrigin origin([this](const OriginRequest& request) {
    return ServeObject(request, contents_["a"], "\"new\"");
  });
  ASSERT_TRUE(Run(origin).ok());
  EXPECT_EQ(origin.requests().size(), 2u);
  ExpectAllThere();
}

TEST_F(DownloadTest, AnAttemptGoesOnWhereTheLastHasStopped) {
  Add("a", 5 * kRange);
  options_.concurrency = 1;
  {
    HttpOrigin origin([this](const OriginRequest& request) {
      return request.number < 3 ? ServeWell(request) : OriginReply{.status = 404};
    });
    EXPECT_EQ(Run(origin).code(), StatusCode::kNotFound);
  }
  EXPECT_FALSE(fs::exists(place_.files + "/a"));
  // A torn line, and a range that a power cut took.
  std::string part;
  std::string journal;
  for (const auto& entry : fs::directory_iterator(place_.partial)) {
    (entry.path().extension() == ".part" ? part : journal) = entry.path();
  }
  std::ofstream(journal, std::ios::app) << "4 0123";
  std::fstream(part, std::ios::in | std::ios::out | std::ios::binary).seekp(kRange + 7).put('!');
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  ASSERT_TRUE(Run(origin).ok());
  EXPECT_EQ(origin.requests().size(), 3u) << "ranges 1, 3 and 4";
  ExpectAllThere();
}

TEST_F(DownloadTest, WhatNobodyCanTellFromAnotherIsFetchedAnew) {
  Add("a", 3 * kRange, false);
  files_[0].etag.clear();
  options_.concurrency = 1;
  {
    HttpOrigin origin([this](const OriginRequest& request) {
      return request.number < 2 ? ServeWell(request) : OriginReply{.status = 404};
    });
    EXPECT_FALSE(Run(origin).ok());
  }
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  ASSERT_TRUE(Run(origin).ok());
  EXPECT_EQ(origin.requests().size(), 3u);
  ExpectAllThere();
}

TEST_F(DownloadTest, ABitThatFlippedIsNoticedAndThrownAway) {
  Add("a", 2 * kRange);
  HttpOrigin origin([this](const OriginRequest& request) {
    OriginReply reply = ServeWell(request);
    if (request.number == 1) reply.body[1000] = static_cast<char>(reply.body[1000] ^ 4);
    return reply;
  });
  const Status status = Run(origin);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("'a'"));
  EXPECT_FALSE(fs::exists(place_.files + "/a"));
  EXPECT_TRUE(fs::is_empty(place_.partial));
  ASSERT_TRUE(Run(origin).ok());
  ExpectAllThere();
}

TEST_F(DownloadTest, CredentialsThatEndedAreAskedForAgain) {
  Add("a", 3 * kRange);
  options_.concurrency = 1;
  HttpOrigin origin([this](const OriginRequest& request) {
    const bool expired = request.number > 0 && request.Header("x-key") == "0";
    return expired ? OriginReply{.status = 403, .body = "expired"} : ServeWell(request);
  });
  ASSERT_TRUE(Run(origin).ok());
  ExpectAllThere();
  HttpOrigin never(
      [](const OriginRequest&) { return OriginReply{.status = 403, .body = "never"}; });
  fs::remove(place_.files + "/a");
  const Status status = Run(never);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("never"));
}

TEST_F(DownloadTest, AnObjectThatIsReplacedHalfWayIsRefused) {
  Add("a", 4 * kRange);
  options_.concurrency = 1;
  HttpOrigin origin([this](const OriginRequest& request) {
    return ServeObject(request, contents_["a"], request.number < 2 ? "\"a\"" : "\"b\"");
  });
  EXPECT_EQ(Run(origin).code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(place_.files + "/a"));
}

TEST_F(DownloadTest, EachFailureOfTheDiskIsTypedAndTheNextAttemptWorks) {
  Add("deep/a", kRange + 1);
  Add("deep/empty", 0);
  for (const auto& [op, error, code] :
       {std::tuple(fault::Op::kOpen, EACCES, StatusCode::kPermissionDenied),
        std::tuple(fault::Op::kFallocate, ENOSPC, StatusCode::kResourceExhausted),
        std::tuple(fault::Op::kTruncate, EIO, StatusCode::kDataLoss),
        std::tuple(fault::Op::kMakeFolder, ENOSPC, StatusCode::kResourceExhausted),
        std::tuple(fault::Op::kSync, EIO, StatusCode::kDataLoss),
        std::tuple(fault::Op::kRename, ENOSPC, StatusCode::kResourceExhausted)}) {
    bool failed = false;
    for (int nth = 1;; ++nth) {
      SCOPED_TRACE(std::string(fault::OpName(op)) + " " + std::to_string(nth));
      Empty();
      const size_t fds = HeldFds();
      bool fired = false;
      {
        HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
        {
          const fault::ScopedPlan plan({.op = op, .nth = nth, .error = error});
          const Status status = Run(origin);
          // Without a journal it works, too.
          EXPECT_TRUE(status.ok() || status.code() == code) << status.ToString();
          fired = plan.fired();
          failed |= !status.ok();
        }
        EXPECT_TRUE(Run(origin).ok());
      }
      EXPECT_EQ(HeldFds(), fds);
      ExpectAllThere();
      if (!fired) break;
    }
    EXPECT_TRUE(failed) << fault::OpName(op);
  }
}

TEST_F(DownloadTest, ANameThatIsNotOnTheDiskDoesNotCount) {
  Add("deep/a", kRange + 1);
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  for (const int nth : {2, 3}) {  // after the bytes: "deep", and the folder that it is in
    Empty();
    const size_t before = origin.requests().size();
    {
      const fault::ScopedPlan plan({.op = fault::Op::kSync, .nth = nth, .error = EIO});
      const Status status = Run(origin);
      EXPECT_EQ(status.code(), StatusCode::kDataLoss);
      EXPECT_THAT(status.message(), HasSubstr("folder"));
    }
    EXPECT_FALSE(fs::exists(place_.files + "/deep/a"));
    ASSERT_TRUE(Run(origin).ok());
    ExpectAllThere();
    EXPECT_EQ(origin.requests().size(), before + 2) << "its bytes were kept";
  }
}

TEST_F(DownloadTest, WithoutAStrongETagADateTellsAnotherObject) {
  constexpr char kDate[] = "Mon, 01 Jan 2024 00:00:00 GMT";
  Add("a", 4 * kRange, false);
  options_.concurrency = 1;
  HttpOrigin origin([&](const OriginRequest& request) {
    OriginReply reply = ServeObject(request, contents_["a"], "W/\"a\"");
    reply.headers.push_back(std::string("Last-Modified: ") +
                            (request.number < 2 ? kDate : "Tue, 02 Jan 2024 00:00:00 GMT"));
    return reply;
  });
  files_[0].etag = "W/\"a\"";
  files_[0].last_modified = kDate;
  const Status status = Run(origin);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status.ToString();
  EXPECT_FALSE(fs::exists(place_.files + "/a"));
  // Listed anew it has another date: nothing of before is kept.
  files_[0].last_modified = "Tue, 02 Jan 2024 00:00:00 GMT";
  const size_t before = origin.requests().size();
  ASSERT_TRUE(Run(origin).ok());
  EXPECT_EQ(origin.requests().size(), before + 4);
  // Who knows the SHA-256 needs no date.
  Empty();
  files_[0].sha256 = Sha256Hex(std::as_bytes(std::span(contents_["a"])));
  files_[0].last_modified = kDate;
  EXPECT_TRUE(Run(origin).ok());
}

TEST_F(DownloadTest, AJournalThatCantBeWrittenCostsNothingElse) {
  Add("a", 2 * kRange);
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  const fault::ScopedPlan plan({.op = fault::Op::kWrite, .nth = 1, .error = ENOSPC});
  EXPECT_TRUE(Run(origin).ok());
  EXPECT_TRUE(plan.fired());
  ExpectAllThere();
}

TEST_F(DownloadTest, MoreThanTheDiskHasIsRefusedBeforeAByteIsAskedFor) {
  files_.push_back({.name = "a", .length = uint64_t{1} << 50, .etag = "\"a\""});
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  const Status status = Run(origin);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr(std::to_string(uint64_t{1} << 50)));
  EXPECT_THAT(origin.requests(), IsEmpty());
}

TEST_F(DownloadTest, GivenUpItEndsAndKeepsWhatItHas) {
  Add("a", 4 * kRange);
  CancelToken cancel;
  options_.cancel = &cancel;
  options_.concurrency = 1;
  options_.patience.stall = std::chrono::seconds(600);
  options_.progress = [&](uint64_t done, uint64_t) {
    if (done > 0) cancel.Cancel();
  };
  {
    HttpOrigin origin([this](const OriginRequest& request) {
      OriginReply reply = ServeWell(request);
      if (request.number > 0) reply.stall_after = 10;
      return reply;
    });
    EXPECT_EQ(Run(origin).code(), StatusCode::kCancelled);
  }
  options_.cancel = nullptr;
  options_.progress = nullptr;
  HttpOrigin origin([this](const OriginRequest& request) { return ServeWell(request); });
  ASSERT_TRUE(Run(origin).ok());
  EXPECT_EQ(origin.requests().size(), 3u);
  ExpectAllThere();
}

TEST(HttpStoreTest, AFileIsDescribedByItsHead) {
  for (const bool heads : {true, false}) {
    SCOPED_TRACE(heads);
    HttpOrigin origin([heads](const OriginRequest& request) {
      if (!heads && request.method == "HEAD") return OriginReply{.status = 405};
      OriginReply reply = ServeObject(request, "0123456789", "\"e\"");
      reply.headers.push_back("Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT");
      return reply;
    });
    HttpClient client(HttpPatience{.attempts = 1});
    HttpStore store(*ParseSourceUri(origin.url() + "/models/my%20net.onnx?v=1"),
                    ExchangeOver(&client));
    const Result<std::vector<RemoteFile>> files = store.List();
    ASSERT_TRUE(files.ok()) << files.status().ToString();
    ASSERT_EQ(files->size(), 1u);
    EXPECT_EQ(files->front().name, "my net.onnx");
    EXPECT_EQ(files->front().length, 10u);
    EXPECT_EQ(files->front().etag, "\"e\"");
    EXPECT_EQ(files->front().last_modified, "Mon, 01 Jan 2024 00:00:00 GMT");
    EXPECT_EQ(store.RequestFor(files->front())->url, origin.url() + "/models/my%20net.onnx?v=1");
  }
}

TEST(HttpStoreTest, WhatIsNoFileIsRefused) {
  HttpClient client(HttpPatience{.attempts = 1});
  const auto code = [&client](OriginReply reply, const std::string& path) {
    HttpOrigin origin([reply](const OriginRequest&) { return reply; });
    HttpStore store(*ParseSourceUri(origin.url() + path), ExchangeOver(&client));
    return store.List().status().code();
  };
  EXPECT_EQ(code({.status = 404}, "/a"), StatusCode::kNotFound);
  EXPECT_EQ(code({.status = 403}, "/a"), StatusCode::kPermissionDenied);
  EXPECT_EQ(code({.status = 500}, "/a"), StatusCode::kUnavailable);
  EXPECT_EQ(code({.headers = {"Transfer-Encoding: chunked"}, .own_length = true}, "/a"),
            StatusCode::kUnimplemented);
  EXPECT_EQ(code({.body = ""}, "/a"), StatusCode::kInvalidArgument);
}

TEST(DownloadJournalTest, KnowsItsObjectAndNoOther) {
  const RemoteFile file{
      .name = "a", .length = 3 * kRange, .etag = "\"x y%\"", .sha256 = std::string(64, 'a')};
  const std::string text = JournalHead(file) + JournalLine(0, 7) + JournalLine(2, UINT64_MAX);
  EXPECT_EQ(ParseJournal(text, file), (std::map<uint64_t, uint64_t>{{0, 7}, {2, UINT64_MAX}}));
  for (const RemoteFile& other :
       {RemoteFile{.name = "a", .length = 3 * kRange + 1, .etag = file.etag, .sha256 = file.sha256},
        RemoteFile{.name = "a", .length = file.length, .etag = "\"y\"", .sha256 = file.sha256},
        RemoteFile{
            .name = "a", .length = file.length, .etag = file.etag, .sha256 = std::string(64, 'b')},
        RemoteFile{.name = "a", .length = file.length}}) {
    EXPECT_THAT(ParseJournal(text, other), IsEmpty());
  }
}

TEST(DownloadJournalTest, LinesThatAreNoneCountNothing) {
  const RemoteFile file{.name = "a", .length = 3 * kRange, .etag = "\"x\""};
  const std::string head = JournalHead(file);
  for (const char* line :
       {"\n", "3 0000000000000007\n", "1 7\n", "x 0000000000000007\n", "1 0000000000000007",
        "1  0000000000000007\n", "-1 0000000000000007\n", "1 000000000000000g\n"}) {
    EXPECT_THAT(ParseJournal(head + line, file), IsEmpty()) << line;
  }
  EXPECT_EQ(ParseJournal(head + "garbage\n" + JournalLine(1, 7), file).size(), 1u);
}

}  // namespace
}  // namespace trims::test

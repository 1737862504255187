// Adds from a network, with a fetcher in the test's hands: what lies on the disk at each stage, what a
// failure leaves for the next attempt, and what the model keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "ingest/ingest_fixture.h"
#include "store/prepared_folders.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kUrl = "https://models.example/net.onnx";

class AdderDownloadTest : public IngestTest {
 protected:
  Added AddUrl(const std::string& requested, std::vector<Variant> variants = {}) {
    auto answer = std::make_shared<std::optional<Result<CatalogEntry>>>();
    registrar_->Add({}, requested, kUrl, {.variants = std::move(variants)}, nullptr,
                    [answer](const Result<const CatalogEntry*>& entry) {
                      EXPECT_FALSE(*answer) << "answered twice";
                      *answer = entry.ok() ? Result<CatalogEntry>(**entry) : entry.status();
                    });
    worker_.RunAll();
    return answer;
  }

  // The oldest fetch leaves a file.
  void FinishFetching() {
    ASSERT_FALSE(fetcher_.requests.empty());
    const std::string file = fetcher_.requests.front().job.files + "/net.onnx";
    std::ofstream(file) << "weights";
    fetcher_.Finish(SourceUri::OfPath(file));
    worker_.RunAll();
  }

  void FinishAdding() {
    FinishPreparing('a');
    worker_.RunAll();
    catalog_.Finish(catalog_.next());
    worker_.RunAll();
  }

  // The oldest fetch is cut off.
  void CutOffFetching() {
    std::ofstream(fetcher_.requests.front().job.partial + "/0.part") << "half";
    fetcher_.Finish(Status(StatusCode::kUnavailable, "no route"));
    worker_.RunAll();
  }

  const std::string download_ = prepared::DownloadName(kUrl);
};

TEST_F(AdderDownloadTest, WhatWasDownloadedIsPreparedAndGoes) {
  const Added answer = AddUrl("net");
  ASSERT_EQ(fetcher_.requests.size(), 1u);
  EXPECT_EQ(fetcher_.requests.front().job.uri.ToString(), kUrl);
  EXPECT_THAT(Folders(), ElementsAre(download_));
  FinishFetching();
  ASSERT_EQ(preparer_.requests.size(), 1u);
  const PrepareJob& job = preparer_.requests.front().job;
  EXPECT_EQ(job.source.path, root_ + "/" + download_ + "/files/net.onnx");
  ASSERT_TRUE(job.downloaded);
  EXPECT_EQ(job.downloaded->from.ToString(), kUrl);
  EXPECT_EQ(job.downloaded->folder, root_ + "/" + download_ + "/files");
  FinishAdding();
  ASSERT_TRUE(*answer && (*answer)->ok());
  EXPECT_EQ((**answer)->manifest.source, kUrl);
  EXPECT_EQ(Folders(), NamedFolders()) << "the download is of no more use";
}

TEST_F(AdderDownloadTest, OnlyWhatIsWantedAsItIsComesIntoMemory) {
  const Added all = AddUrl("net");
  EXPECT_EQ(fetcher_.requests.front().job.landing, nullptr);
  fetcher_.Finish(Status(StatusCode::kUnavailable, "no route"));
  worker_.RunAll();
  const Added files = AddUrl("net", {Variant::kFiles});
  EXPECT_EQ(fetcher_.requests.front().job.landing, &landing_);
}

// The model is there all the same.
TEST_F(AdderDownloadTest, WhatCantBeAdoptedIsFreed) {
  const Added answer = AddUrl("net", {Variant::kFiles});
  const std::string file = fetcher_.requests.front().job.files + "/net.onnx";
  std::ofstream(file) << "weights";
  auto landed = std::make_shared<Landed>(Landed{.name = "net.onnx", .length = 7});
  landed->content.digests.sha256 =
      Digest('2');  // as the manifest's; there is no index that could be read
  const std::weak_ptr<Landed> watched = landed;
  fetcher_.Finish(Fetched{SourceUri::OfPath(file), std::move(landed)});
  worker_.RunAll();
  EXPECT_NE(preparer_.requests.front().job.landed, nullptr);
  FinishAdding();
  ASSERT_TRUE(*answer && (*answer)->ok());
  worker_.RunAll();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(landing_.adopted, 0);
}

TEST_F(AdderDownloadTest, WhatFailsLeavesTheDownloadForTheNextAttempt) {
  const Added unreachable = AddUrl("net");
  fetcher_.Finish(Status(StatusCode::kUnavailable, "no route"));
  worker_.RunAll();
  EXPECT_EQ((*unreachable)->status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(Folders(), ElementsAre(download_));

  const Added unprepared = AddUrl("net");
  FinishFetching();
  preparer_.Finish(Status(StatusCode::kInvalidArgument, "no model"));
  worker_.RunAll();
  EXPECT_EQ((*unprepared)->status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Folders(), ElementsAre(download_));

  const Added good = AddUrl("net");
  EXPECT_TRUE(fs::exists(fetcher_.requests.front().job.files + "/net.onnx"));
  FinishFetching();
  FinishAdding();
  EXPECT_TRUE((*good)->ok());
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(AdderDownloadTest, OneSourceIsDownloadedByOneAtATime) {
  const Added first = AddUrl("one");
  const Added second = AddUrl("two");
  ASSERT_TRUE(*second);
  EXPECT_EQ((*second)->status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT((*second)->status().message(), HasSubstr(kUrl));
  FinishFetching();
  FinishAdding();
  EXPECT_TRUE((*first)->ok());
  AddUrl("two");
  EXPECT_EQ(fetcher_.requests.size(), 1u);
}

TEST_F(AdderDownloadTest, AStartKeepsDownloadsOfTheLastDaysOnly) {
  AddUrl("net");
  CutOffFetching();
  EXPECT_EQ(store_->unfinished().fetches, 1u);
  EXPECT_EQ(store_->unfinished().bytes, 4u);
  Start();
  worker_.RunAll();
  EXPECT_THAT(Folders(), ElementsAre(download_));
  EXPECT_EQ(store_->unfinished().bytes, 4u);
  fs::last_write_time(root_ + "/" + download_, fs::file_time_type::clock::now() -
                                                   std::chrono::days(prepared::kDownloadDays + 1));
  Start();
  worker_.RunAll();
  EXPECT_THAT(Folders(), IsEmpty());
}

TEST_F(AdderDownloadTest, WhoGoesOnWithADownloadKeepsIt) {
  AddUrl("net");
  CutOffFetching();
  fs::last_write_time(root_ + "/" + download_, fs::file_time_type::clock::now() -
                                                   std::chrono::days(prepared::kDownloadDays + 1));
  AddUrl("net");
  CutOffFetching();
  Start();
  worker_.RunAll();
  EXPECT_THAT(Folders(), ElementsAre(download_));
}

TEST_F(AdderDownloadTest, OfWhatIsDoneNothingIsLeftToGoOnWith) {
  AddUrl("net");
  CutOffFetching();
  AddUrl("net");
  FinishFetching();
  FinishAdding();
  EXPECT_EQ(store_->unfinished().fetches, 0u);
}

TEST_F(AdderDownloadTest, NobodyIsCalledOnceTheRegistrarIsGone) {
  const Added answer = AddUrl("net");
  registrar_.reset();
  fetcher_.Finish(SourceUri::OfPath("/nowhere"));
  worker_.RunAll();
  EXPECT_FALSE(*answer);
}

}  // namespace
}  // namespace trims::test

#include "catalog/catalog.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/fault.h"
#include "base/unique_fd.h"
#include "catalog/catalog_fixture.h"
#include "catalog/resolve.h"
#include "support/manager_fakes.h"
#include "support/scratch_folder.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

using CatalogTest = test::CatalogFixture;

TEST_F(CatalogTest, KeepsEntriesAcrossReopening) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
  ASSERT_TRUE(Put(Entry("default/a", "v2", 'b')).ok());
  ASSERT_TRUE(Put(Entry("default/b", "v1", 'c')).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Find("a"), "v2");
  EXPECT_EQ(Find("a:v1"), "v1");
  EXPECT_EQ(Find("a@sha256:" + test::Digest('a')), "v1");
  EXPECT_EQ(catalog_->All().size(), 3u);
  EXPECT_EQ(catalog_->size(), 3u);
  EXPECT_EQ(catalog_->All()[0]->version, "v2");
  EXPECT_EQ(catalog_->All()[0]->manifest.variants.size(), 1u);
}

TEST_F(CatalogTest, PuttingAgainMakesAVersionTheNewest) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
  ASSERT_TRUE(Put(Entry("default/a", "v2", 'b')).ok());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
  EXPECT_EQ(Find("a"), "v1");
  EXPECT_EQ(catalog_->size(), 2u);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Find("a"), "v1");
  ASSERT_TRUE(Erase("default/a", "v1").ok());
  EXPECT_EQ(Find("a"), "v2");
  ASSERT_TRUE(Erase("default/a", "v2").ok());
  EXPECT_EQ(Find("a"), "NOT_FOUND");
  EXPECT_EQ(catalog_->size(), 0u);
}

TEST_F(CatalogTest, NearNamesAndVersionsAreNamed) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(Put(Entry("default/resnet50", "v1", 'a')).ok());
  EXPECT_THAT(catalog_->Find(ParseModelReference("resnet5").value()).status().message(),
              HasSubstr("did you mean 'resnet50'?"));
  EXPECT_THAT(catalog_->Find(ParseModelReference("resnet50:v9").value()).status().message(),
              HasSubstr("there is 'v1'"));
}

TEST_F(CatalogTest, TensorsThatWereNotFoundAreNotAskedForAgain) {
  ASSERT_TRUE(Open().ok());
  const auto next = [this](std::vector<std::string> notes, Variant kind) {
    CatalogEntry entry = Entry("default/a", "v1", 'a');
    entry.manifest.format = "onnx";
    entry.manifest.notes = std::move(notes);
    EXPECT_TRUE(Put(std::move(entry)).ok());
    return ResolveVariant(*catalog_, "a", kind, "").status();
  };
  EXPECT_THAT(next({}, Variant::kTensors).hint(), HasSubstr("--variant tensors"));
  const Status noted = next({"no tensors: none found"}, Variant::kTensors);
  EXPECT_THAT(noted.message(), HasSubstr("none found"));
  EXPECT_EQ(noted.hint(), "open one of the variants that it has");
  EXPECT_THAT(next({"no ort: no library"}, Variant::kOrt).hint(), HasSubstr("--variant ort"));
}

TEST_F(CatalogTest, EachWriteThatFailsLeavesAllAsItWas) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
  for (const auto& [error, code] :
       {std::pair{ENOSPC, StatusCode::kResourceExhausted}, {EIO, StatusCode::kDataLoss}}) {
    int nth = 1;
    for (;; ++nth) {
      fault::ScopedPlan plan({.op = fault::Op::kDatabase, .nth = nth, .error = error});
      const Status status = Put(Entry("default/a", "v2", 'b'));
      if (!plan.fired()) break;
      EXPECT_EQ(status.code(), code);
      EXPECT_NE(status.hint(), "");
      EXPECT_EQ(Find("a"), "v1");
    }
    EXPECT_GT(nth, 3);
    EXPECT_EQ(Find("a"), "v2");  // the write after the failed ones went well
    for (nth = 1;; ++nth) {
      fault::ScopedPlan plan({.op = fault::Op::kDatabase, .nth = nth, .error = error});
      const Status status = Erase("default/a", "v2");
      if (!plan.fired()) break;
      EXPECT_EQ(status.code(), code);
      EXPECT_EQ(Find("a"), "v2");
    }
    EXPECT_EQ(Find("a"), "v1");
  }
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Find("a"), "v1");
}

TEST_F(CatalogTest, MakingTheFileCanFailAndSucceedNextTime) {
  for (int nth = 1;; ++nth) {
    fault::ScopedPlan plan({.op = fault::Op::kDatabase, .nth = nth, .error = ENOSPC});
    const Status status = Open();
    if (!plan.fired()) break;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  }
  EXPECT_TRUE(Open().ok());
}

TEST_F(CatalogTest, NoCatalogIsDataLossWithTheWayOut) {
  std::ofstream(path_) << std::string(8192, 'x');
  const Status status = Open();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.hint(), HasSubstr("mv " + path_));
}

TEST_F(CatalogTest, DamagedPagesAreFoundAtOpen) {
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Put(Entry("default/a", "v" + std::to_string(i), 'a')).ok());
  }
  catalog_.reset();  // folds the log into the file
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, '\x5a');
  file.close();
  EXPECT_EQ(Open().code(), StatusCode::kDataLoss);
}

TEST_F(CatalogTest, OtherSchemasAndProgramsAreRefused) {
  ASSERT_TRUE(Open().ok());
  catalog_.reset();
  for (const char* version : {"1", "99"}) {
    test::RunSql(path_, ("PRAGMA user_version=" + std::string(version)).c_str());
    const Status status = Open();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(status.message(), HasSubstr("has schema " + std::string(version)));
    EXPECT_EQ(status.hint().find("mv " + folder_ + " ") != std::string::npos,
              std::string(version) == "1")
        << status.hint();
  }
  path_ = folder_ + "/other.db";
  test::RunSql(path_, "CREATE TABLE songs (title TEXT)");
  EXPECT_EQ(Open().code(), StatusCode::kDataLoss);
}

TEST_F(CatalogTest, AManifestThatCantBeReadIsDataLoss) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(Put(Entry("default/a", "v1", 'a')).ok());
  catalog_.reset();
  test::RunSql(path_, "UPDATE models SET manifest='{}'");
  const Status status = Open();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("default/a:v1"));
}

TEST_F(CatalogTest, ALostCatalogDoesNotTakeThePreparedModelsForOrphans) {
  prepared_.folders = 1;
  for (const bool empty_file : {false, true, true}) {
    if (empty_file) std::ofstream(path_, std::ios::trunc).close();
    const Status status = Open();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("prepared variants (1)"));
    EXPECT_THAT(status.hint(), HasSubstr("restore " + path_));
    EXPECT_THAT(status.hint(), HasSubstr("rm -r " + prepared_.root));
  }
  prepared_.folders = 0;
  EXPECT_TRUE(Open().ok());
}

TEST_F(CatalogTest, AnEmptyCatalogOfADaemonKilledBeforeItsFirstWriteIsGood) {
  ASSERT_TRUE(Open().ok());
  prepared_.folders = 1;
  EXPECT_TRUE(Open().ok());
}

TEST_F(CatalogTest, TooFewOpenFilesIsNotBlamedOnTheFolder) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "UBSan's own check of a type needs descriptors";
#endif
#endif
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const rlimit tight = {static_cast<rlim_t>(next.get()), old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  const Status status = Open();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
  EXPECT_THAT(status.hint(), HasSubstr("open files"));
}

TEST_F(CatalogTest, MissingFolderSaysSo) {
  path_ = folder_ + "/none/catalog.db";
  EXPECT_EQ(Open().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace trims

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "manager/manager.h"
#include "store/eviction_policy.h"
#include "support/manager_fakes.h"

namespace trims {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RegistrarTest : public ::testing::Test {
 protected:
  RegistrarTest() {
    char folder[] = "/tmp/trims-registrar-XXXXXX";
    folder_ = ::mkdtemp(folder);
    root_ = folder_ + "/prepared";
    source_ = folder_ + "/model.onnx";
    std::ofstream(source_) << "weights";
    Start();
  }
  ~RegistrarTest() override {
    manager_.reset();
    fs::remove_all(folder_);
  }
  void Start() {
    ManagerOptions options;
    options.residency.host_budget = 1 << 20;
    options.ingest.prepared_root = root_;
    manager_ = std::make_unique<Manager>(options, ManagerDependencies{.clock = &clock_,
                                                                      .timers = &timers_,
                                                                      .catalog = &catalog_,
                                                                      .loader = &loader_,
                                                                      .preparer = &preparer_,
                                                                      .eviction = eviction_.get(),
                                                                      .worker = &worker_});
  }

  void Add(const std::string& reference, std::vector<Variant> variants = {}) {
    answer_ = Status(StatusCode::kInternal, "not answered");
    manager_->Add({}, reference, "file://" + source_, variants, nullptr,
                  [this](Result<std::string> document) { answer_ = std::move(document); });
  }
  // The preparer's part of an Add: a file in the folder and the manifest.
  void Prepare(char digit, std::vector<ManifestVariant> variants) {
    ASSERT_FALSE(preparer_.requests.empty());
    for (const ManifestVariant& variant : variants) {
      const std::string out = preparer_.requests.front().job.out_folder + "/" + variant.folder;
      fs::create_directory(out);
      std::ofstream(out + "/data") << digit;
    }
    preparer_.Finish(testing::MakeManifest(testing::Digest(digit), std::move(variants)));
  }
  void AddFiles(const std::string& reference, char digit) {
    Add(reference);
    Prepare(digit, {testing::MakeVariant(Variant::kFiles, 1)});
  }
  nlohmann::json Answer() {
    EXPECT_TRUE(answer_.ok()) << answer_.status().ToString();
    return answer_.ok() ? nlohmann::json::parse(*answer_) : nlohmann::json();
  }
  size_t Folders() { return static_cast<size_t>(std::distance(fs::directory_iterator(root_), {})); }

  std::string folder_;
  std::string root_;
  std::string source_;
  ManualClock clock_;
  testing::FakeTimers timers_{&clock_};
  testing::FakeCatalog catalog_;
  testing::FakeLoader loader_;
  testing::FakePreparer preparer_;
  testing::InlineWorker worker_;
  std::unique_ptr<EvictionPolicy> eviction_ = MakeEvictionPolicy("lru").value();
  std::unique_ptr<Manager> manager_;
  Result<std::string> answer_ = Status(StatusCode::kInternal, "not answered");
};

TEST_F(RegistrarTest, AddPublishesUnderTheDigest) {
  AddFiles("ocr", 'a');
  const nlohmann::json model = Answer();
  EXPECT_EQ(model["reference"], "default/ocr:" + std::string(12, 'a'));
  EXPECT_EQ(model["source"], "file://" + source_);
  EXPECT_EQ(model["newest"], true);
  EXPECT_EQ(model["variants"][0]["state"], "absent");
  EXPECT_EQ(catalog_.entries.front().prepared_folder, root_ + "/" + std::string(16, 'a') + "-0");
  EXPECT_TRUE(fs::exists(catalog_.entries.front().prepared_folder + "/files/data"));
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(RegistrarTest, WrongRequestsGetNoFurther) {
  const auto refused = [&](const wire::Principal& who, const std::string& reference,
                           const std::string& source) {
    StatusCode code = StatusCode::kOk;
    manager_->Add(who, reference, source, {}, nullptr,
                  [&](Result<std::string> result) { code = result.status().code(); });
    EXPECT_TRUE(preparer_.requests.empty());
    return code;
  };
  EXPECT_EQ(refused({.uid = 54321, .gid = 0, .pid = 0}, "a", "file://" + source_),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(refused({}, "a b", "file://" + source_), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a@sha256:" + testing::Digest('a'), "file://" + source_),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", source_), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", "file://model"), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", "file:///" + std::string(5000, 'x')), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", "file://" + folder_ + "/none"), StatusCode::kNotFound);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(RegistrarTest, WithoutAPreparerAnAddIsToldWhy) {
  preparer_.ready = Status(StatusCode::kFailedPrecondition, "none in /usr/bin", "--preparer PATH");
  Add("ocr");
  EXPECT_EQ(answer_.status(), preparer_.ready);
  EXPECT_TRUE(preparer_.requests.empty());
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(RegistrarTest, FailedPreparationLeavesNothing) {
  Add("ocr");
  preparer_.Finish(Status(StatusCode::kInvalidArgument, "truncated"));
  EXPECT_EQ(answer_.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Folders(), 0u);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(RegistrarTest, FailedCatalogWriteLeavesNothingAndTheNextAddWorks) {
  Add("ocr");
  catalog_.next = Status(StatusCode::kResourceExhausted, "disk full");
  Prepare('a', {testing::MakeVariant(Variant::kFiles, 1)});
  EXPECT_EQ(answer_.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Folders(), 0u);
  AddFiles("ocr", 'a');
  EXPECT_TRUE(answer_.ok());
}

TEST_F(RegistrarTest, OtherContentIsANewVersionAndTheNewest) {
  AddFiles("ocr", 'a');
  AddFiles("ocr", 'b');
  EXPECT_EQ(Answer()["newest"], true);
  EXPECT_EQ(catalog_.entries.size(), 2u);
}

TEST_F(RegistrarTest, OtherContentUnderTheSameVersionIsRefused) {
  AddFiles("ocr:v1", 'a');
  AddFiles("ocr:v1", 'b');
  EXPECT_EQ(answer_.status().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(answer_.status().hint(), HasSubstr("trims rm default/ocr:v1"));
  EXPECT_EQ(Folders(), 1u);
}

TEST_F(RegistrarTest, AddingAgainAddsWhatIsMissing) {
  AddFiles("ocr:v1", 'a');
  const std::string folder = catalog_.entries.front().prepared_folder;
  Add("ocr", {Variant::kTensors});
  Prepare('a', {testing::MakeVariant(Variant::kTensors, 1)});
  EXPECT_EQ(Answer()["reference"], "default/ocr:v1");
  const CatalogEntry& entry = catalog_.entries.front();
  ASSERT_EQ(entry.manifest.variants.size(), 2u);
  EXPECT_EQ(entry.prepared_folder, folder);
  EXPECT_EQ(entry.manifest.variants[1].folder, folder.substr(root_.size() + 1) + "/add-0/tensors");
  EXPECT_TRUE(fs::exists(folder + "/add-0/tensors/data"));
  EXPECT_EQ(Folders(), 1u);
}

TEST_F(RegistrarTest, AddingAllOfItAgainReplacesTheFolder) {
  AddFiles("ocr", 'a');
  const std::string old = catalog_.entries.front().prepared_folder;
  AddFiles("ocr", 'a');
  EXPECT_EQ(catalog_.entries.size(), 1u);
  EXPECT_NE(catalog_.entries.front().prepared_folder, old);
  EXPECT_FALSE(fs::exists(old));
}

TEST_F(RegistrarTest, RemoveForgetsEveryVersionUnlessOneIsNamed) {
  AddFiles("ocr:v1", 'a');
  AddFiles("ocr:v2", 'b');
  AddFiles("ocr:v3", 'c');
  const auto remove = [&](const std::string& reference) {
    manager_->Remove({}, reference,
                     [this](Result<std::string> document) { answer_ = std::move(document); });
  };
  remove("ocr:latest");
  EXPECT_EQ(Answer()["removed"].size(), 1u);
  EXPECT_EQ(Answer()["removed"][0]["reference"], "default/ocr:v3");
  remove("ocr");
  EXPECT_EQ(Answer()["removed"].size(), 2u);
  EXPECT_EQ(Folders(), 0u);
  remove("ocr");
  EXPECT_EQ(answer_.status().code(), StatusCode::kNotFound);
}

TEST_F(RegistrarTest, TheFolderOutlivesTheLoadsThatReadIt) {
  AddFiles("ocr", 'a');
  const std::string folder = catalog_.entries.front().prepared_folder;
  manager_->Open({.principal = {}, .reference = "ocr", .variant_key = {}}, [](Result<Lease>) {});
  manager_->Remove({}, "ocr", [](Result<std::string> done) { EXPECT_TRUE(done.ok()); });
  EXPECT_TRUE(fs::exists(folder));
  loader_.Finish();
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(RegistrarTest, OrphansGoAtStartAndNothingElse) {
  AddFiles("ocr", 'a');
  fs::create_directory(root_ + "/.incoming-abcdef");
  fs::create_directory(root_ + "/0123456789abcdef-3");
  fs::create_directory(root_ + "/somebody-elses");
  manager_.reset();
  Start();
  EXPECT_EQ(Folders(), 2u);
  EXPECT_TRUE(fs::exists(catalog_.entries.front().prepared_folder));
  EXPECT_TRUE(fs::exists(root_ + "/somebody-elses"));
}

TEST_F(RegistrarTest, TwoAddsOfOneNameAtOnceBothEnd) {
  Add("ocr:v1");
  Add("ocr:v1");
  Prepare('a', {testing::MakeVariant(Variant::kFiles, 1)});
  Prepare('b', {testing::MakeVariant(Variant::kFiles, 1)});
  EXPECT_EQ(answer_.status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(catalog_.entries.size(), 1u);
  EXPECT_EQ(Folders(), 1u);
}

}  // namespace
}  // namespace trims

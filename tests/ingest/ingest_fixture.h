// IngestTest: a registrar on a real folder, with everything it waits for in the test's hands.
#ifndef TRIMS_TESTS_INGEST_INGEST_FIXTURE_H_
#define TRIMS_TESTS_INGEST_INGEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/registrar.h"
#include "support/ingest_fakes.h"
#include "support/scratch_folder.h"

namespace trims::test {

class IngestTest : public ::testing::Test {
 protected:
  IngestTest() {
    std::ofstream(source_) << "weights";
    Start();
    worker_.RunAll();
  }

  void Start() {
    registrar_.reset();
    store_ = std::make_unique<PreparedStore>(root_, &worker_);
    registrar_ = std::make_unique<Registrar>(
        options_, IngestDependencies{.catalog = &catalog_,
                                     .preparer = &preparer_,
                                     .prepared = store_.get(),
                                     .worker = &worker_,
                                     .fetcher = &fetcher_,
                                     .landing = &landing_,
                                     .verifying = &worker_,
                                     .timers = &timers_,
                                     .pushing = &worker_,
                                     .post = [](const auto& call) { call(); },
                                     .catalog_changed = [] {}});
  }

  using Added = std::shared_ptr<std::optional<Result<CatalogEntry>>>;
  using Removed = std::shared_ptr<std::optional<Result<std::vector<RemovedModel>>>>;

  Added Add(const std::string& requested, std::vector<Variant> variants = {}) {
    auto answer = std::make_shared<std::optional<Result<CatalogEntry>>>();
    registrar_->Add({}, requested, "file://" + source_, {.variants = std::move(variants)}, nullptr,
                    [answer](const Result<const CatalogEntry*>& entry) {
                      EXPECT_FALSE(*answer) << "answered twice";
                      *answer = entry.ok() ? Result<CatalogEntry>(**entry) : entry.status();
                    });
    return answer;
  }
  Removed Remove(const std::string& requested) {
    auto answer = std::make_shared<std::optional<Result<std::vector<RemovedModel>>>>();
    registrar_->Remove({}, requested, [answer](Result<std::vector<RemovedModel>> removed) {
      EXPECT_FALSE(*answer) << "answered twice";
      *answer = std::move(removed);
    });
    return answer;
  }

  // The preparer's part of the oldest add: a file of 100 bytes in each variant's folder, the manifest.
  void FinishPreparing(char digit, std::vector<ManifestVariant> variants) {
    ASSERT_FALSE(preparer_.requests.empty());
    for (const ManifestVariant& variant : variants) {
      const std::string out = preparer_.requests.front().job.out_folder + "/" + variant.folder;
      std::filesystem::create_directory(out);
      std::ofstream(out + "/data") << std::string(100, digit);
    }
    preparer_.Finish(MakeManifest(Digest(digit), std::move(variants)));
  }
  void FinishPreparing(char digit, Variant kind = Variant::kFiles) {
    FinishPreparing(digit, {MakeVariant(kind, 1)});
  }

  // All of an add, of `digit`'s content.
  Result<CatalogEntry> AddWhole(const std::string& requested, char digit,
                                std::vector<ManifestVariant> variants) {
    const Added answer = Add(requested);
    worker_.RunAll();
    if (*answer) return **answer;
    FinishPreparing(digit, std::move(variants));
    worker_.RunAll();
    if (!catalog_.next().empty()) catalog_.Finish(catalog_.next());
    worker_.RunAll();
    return *answer ? **answer : Status(StatusCode::kInternal, "not answered");
  }
  Result<CatalogEntry> AddWhole(const std::string& requested, char digit) {
    return AddWhole(requested, digit, {MakeVariant(Variant::kFiles, 1)});
  }

  // Names in the folder of prepared models, sorted.
  std::vector<std::string> Folders() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(root_, none)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  // Those that an entry names, sorted.
  std::vector<std::string> NamedFolders() const {
    std::vector<std::string> names;
    for (const CatalogEntry* entry : catalog_.All()) {
      for (const ImagePtr& image : entry->images) names.push_back(image->variant.folder);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  ScratchFolder folder_;
  const std::string root_ = folder_ / "prepared";
  std::string source_ = folder_ / "model.onnx";
  IngestOptions options_;
  StepWorker worker_;
  ManualClock clock_;
  FakeTimers timers_{&clock_};
  FakePreparer preparer_;
  FakeFetcher fetcher_;
  FakeLanding landing_;
  StepCatalog catalog_;
  std::unique_ptr<PreparedStore> store_;
  std::unique_ptr<Registrar> registrar_;
};

inline StatusCode CodeOf(const std::shared_ptr<std::optional<Result<CatalogEntry>>>& answer) {
  return *answer ? (**answer).status().code() : StatusCode::kUnavailable;
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_INGEST_INGEST_FIXTURE_H_

// The verifier over real folders: what is intact, what is mended, what stays damaged, and that nobody is
// called back once it is gone.
#include "ingest/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "ingest/ingest_fixture.h"
#include "support/content.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class VerifierTest : public IngestTest {
 protected:
  static constexpr const char* kIndex = "the index";

  using Verified = Result<std::vector<VerifiedVariant>>;

  static ManifestVariant VariantOf(const std::string& content, Variant kind) {
    ManifestVariant variant;
    variant.kind = kind;
    variant.folder = VariantName(kind);
    variant.index_path = "index";
    variant.index_length = std::string(kIndex).size();
    variant.index_sha256 = Sha256Hex(BytesOf(kIndex));
    variant.extents.push_back({.length = content.size(),
                               .sha256 = TreeDigestOf(BytesOf(content)),
                               .xxh3 = ChunkSumsOf(BytesOf(content)),
                               .pieces = {{PieceOrigin::kPrepared, "data", 0, content.size(), 0}}});
    return variant;
  }

  // As the preparer does it, for the oldest request.
  void FinishPreparing(const std::string& content, Variant kind = Variant::kFiles) {
    ASSERT_FALSE(preparer_.requests.empty());
    const ManifestVariant variant = VariantOf(content, kind);
    const std::string out = preparer_.requests.front().job.out_folder + "/" + variant.folder;
    fs::create_directory(out);
    std::ofstream(out + "/index") << kIndex;
    std::ofstream(out + "/data") << content;
    Manifest manifest;
    manifest.digest = Sha256Hex(BytesOf(content));
    manifest.format = "files";
    manifest.files = {{.name = "m", .length = content.size(), .sha256 = manifest.digest}};
    manifest.variants.push_back(variant);
    if (lies_elsewhere_) manifest.variants[0].remote = ManifestRemote{"s3://bucket/m/", "files-1"};
    preparer_.Finish(std::move(manifest));
    worker_.RunAll();
    if (!catalog_.next().empty()) catalog_.Finish(catalog_.next());
    worker_.RunAll();
  }

  void AddModel(const std::string& name, const std::string& content) {
    const Added answer = Add(name);
    worker_.RunAll();
    FinishPreparing(content);
    ASSERT_TRUE(*answer && (*answer)->ok());
  }

  std::string FileOf(const std::string& name, const std::string& file) const {
    const CatalogEntry* entry =
        catalog_.Find({.name = "default/" + name, .version = "", .digest = ""}).value();
    return root_ + "/" + entry->images[0]->variant.folder + "/" + file;
  }

  void Verify(const std::string& reference = "") {
    verified_.reset();
    registrar_->Verify({}, {.reference = reference}, nullptr,
                       [this](Verified verified) { verified_.emplace(std::move(verified)); });
    worker_.RunAll();
  }

  VerifiedVariant Only() const {
    if (!verified_ || !verified_->ok() || (*verified_)->size() != 1) {
      ADD_FAILURE() << "expected one variant";
      return {};
    }
    return (*verified_)->front();
  }

  // As if another node had pushed it: its bytes lie elsewhere, too.
  void AddPushed(const std::string& content) {
    const Added answer = Add("a");
    worker_.RunAll();
    lies_elsewhere_ = true;
    FinishPreparing(content);
    ASSERT_TRUE(*answer && (*answer)->ok());
  }

  bool lies_elsewhere_ = false;
  std::optional<Verified> verified_;
};

TEST_F(VerifierTest, WhatIsAsItWasIsIntact) {
  AddModel("a", "weights");
  Verify();
  EXPECT_EQ(Only().state, VerifiedState::kIntact);
  EXPECT_EQ(Only().bytes, 7u);
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(VerifierTest, AnEmptyStoreIsIntact) {
  Verify();
  ASSERT_TRUE(verified_ && verified_->ok());
  EXPECT_TRUE((*verified_)->empty());
}

TEST_F(VerifierTest, EachPlaceIsReadOnceWhateverItsNames) {
  AddModel("a", "weights");
  AddModel("b", "weights");
  AddModel("c", "others");
  Verify();
  ASSERT_TRUE(verified_ && verified_->ok());
  EXPECT_EQ((*verified_)->size(), 2u);
  Verify("c");
  EXPECT_THAT(Only().reference, HasSubstr("default/c:"));
}

TEST_F(VerifierTest, WhatIsDamagedIsPreparedAgain) {
  for (const std::string file : {"data", "index"}) {
    SCOPED_TRACE(file);
    AddModel("a", "weights");
    std::ofstream(FileOf("a", file)) << "wrong!!";
    Verify();
    ASSERT_EQ(preparer_.requests.size(), 1u);
    EXPECT_EQ(preparer_.requests.front().job.wishes.variants, std::vector{Variant::kFiles});
    EXPECT_FALSE(verified_) << "it is not mended yet";
    FinishPreparing("weights");
    EXPECT_EQ(Only().state, VerifiedState::kMended);
    EXPECT_EQ(Only().error.code(), StatusCode::kDataLoss);
    Verify();
    EXPECT_EQ(Only().state, VerifiedState::kIntact);
  }
}

TEST_F(VerifierTest, WhatLiesElsewhereTooIsNotPreparedAgain) {
  AddPushed("weights");
  Verify();
  EXPECT_EQ(Only().state, VerifiedState::kIntact);
  std::ofstream(FileOf("a", "data")) << "wrong!!";
  Verify();
  EXPECT_EQ(Only().state, VerifiedState::kElsewhere);
  EXPECT_EQ(Only().error.code(), StatusCode::kDataLoss);
  EXPECT_FALSE(fs::exists(FileOf("a", "data"))) << "a later load would meet the damage";
  Verify();
  EXPECT_EQ(Only().state, VerifiedState::kElsewhere);
  EXPECT_THAT(Only().error.message(), HasSubstr("s3://bucket/m/"));
  EXPECT_TRUE(preparer_.requests.empty());
}

TEST_F(VerifierTest, WhatIsGoneIsPreparedAgain) {
  AddModel("a", "weights");
  fs::remove_all(fs::path(FileOf("a", "data")).parent_path());
  Verify();
  FinishPreparing("weights");
  EXPECT_EQ(Only().state, VerifiedState::kMended);
  EXPECT_TRUE(fs::exists(FileOf("a", "data")));
}

TEST_F(VerifierTest, WhatCantBePreparedAgainStaysDamagedAndIsSaid) {
  AddModel("a", "weights");
  AddModel("b", "others");
  fs::resize_file(FileOf("a", "data"), 3);
  Verify();
  preparer_.Finish(Status(StatusCode::kNotFound, "the source is gone", "bring it back"));
  worker_.RunAll();
  ASSERT_TRUE(verified_ && verified_->ok());
  ASSERT_EQ((*verified_)->size(), 2u) << "the others are verified all the same";
  for (const VerifiedVariant& variant : **verified_) {
    const bool damaged = variant.reference.find("default/a:") == 0;
    EXPECT_EQ(variant.state, damaged ? VerifiedState::kDamaged : VerifiedState::kIntact);
    if (!damaged) continue;
    EXPECT_THAT(variant.error.message(), HasSubstr("the source is gone"));
    EXPECT_EQ(variant.error.hint(), "bring it back");
  }
}

TEST_F(VerifierTest, OtherContentInTheSourceMendsNothing) {
  AddModel("a:v1", "weights");
  std::ofstream(FileOf("a", "data")) << "wrong!!";
  Verify();
  FinishPreparing("changed");
  EXPECT_EQ(Only().state, VerifiedState::kDamaged);
  EXPECT_THAT(Only().error.message(), HasSubstr("default/a:v1"));
}

TEST_F(VerifierTest, WhatIsRemovedMeanwhileIsLeftOut) {
  AddModel("a", "weights");
  AddModel("b", "others");
  registrar_->Verify({}, {}, nullptr,
                     [this](Verified verified) { verified_.emplace(std::move(verified)); });
  for (const std::string name : {"a", "b"}) {
    const Removed removed = Remove(name);
    catalog_.Finish(catalog_.next());
  }
  worker_.RunAll();
  EXPECT_EQ(Only().state, VerifiedState::kIntact) << "what is read is pinned";
  EXPECT_TRUE(Folders().empty());
}

TEST_F(VerifierTest, OneAtATimeAndForTheOwnerOnly) {
  AddModel("a", "weights");
  const auto refused = [this](const wire::Principal& who, const VerifyWishes& wishes) {
    Status status;
    registrar_->Verify(who, wishes, nullptr,
                       [&status](const Verified& answer) { status = answer.status(); });
    return status.code();
  };
  EXPECT_EQ(refused({.uid = 54321, .gid = 0, .pid = 0}, {}), StatusCode::kPermissionDenied);
  EXPECT_EQ(refused({}, {.reference = "none"}), StatusCode::kNotFound);
  EXPECT_EQ(refused({}, {.reference = "not a name"}), StatusCode::kInvalidArgument);
  registrar_->Verify({}, {}, nullptr,
                     [this](Verified verified) { verified_.emplace(std::move(verified)); });
  EXPECT_EQ(registrar_->in_flight(), 1u);
  EXPECT_EQ(refused({}, {}), StatusCode::kResourceExhausted);
  worker_.RunAll();
  EXPECT_EQ(Only().state, VerifiedState::kIntact);
}

TEST_F(VerifierTest, NobodyIsCalledOnceItIsGone) {
  AddModel("a", "weights");
  registrar_->Verify({}, {}, nullptr, [](const Verified&) { FAIL(); });
  registrar_.reset();
  worker_.RunAll();
}

}  // namespace
}  // namespace trims::test

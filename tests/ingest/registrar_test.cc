// What adding and removing come to, one after the other.
#include "ingest/registrar.h"

#include <gmock/gmock.h>

#include "catalog/resolve.h"
#include "ingest/ingest_fixture.h"
#include "store/prepared_folders.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using RegistrarTest = IngestTest;

// Where what is prepared of the content `digit` lies.
std::string FolderName(char digit, Variant kind) {
  return prepared::ContentName(MakeManifest(Digest(digit), {MakeVariant(kind, 1)}).variants[0]);
}

TEST_F(RegistrarTest, AddPublishesEachVariantUnderItsContent) {
  const Result<CatalogEntry> entry =
      AddWhole("ocr", 'a', {MakeVariant(Variant::kFiles, 1), MakeVariant(Variant::kTensors, 1)});
  ASSERT_TRUE(entry.ok()) << entry.status().ToString();
  EXPECT_EQ(ReferenceOf(*entry), "default/ocr:" + std::string(12, 'a'));
  EXPECT_EQ(entry->manifest.source, "file://" + source_);
  EXPECT_THAT(Folders(),
              ElementsAre(FolderName('a', Variant::kFiles), FolderName('a', Variant::kTensors)));
  EXPECT_EQ(Folders(), NamedFolders());
  EXPECT_TRUE(fs::exists(root_ + "/" + FolderName('a', Variant::kFiles) + "/data"));
  EXPECT_EQ(store_->bytes(), 200u);
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(RegistrarTest, WrongRequestsGetNoFurther) {
  const auto refused = [&](const wire::Principal& who, const std::string& requested,
                           const std::string& source) {
    StatusCode code = StatusCode::kOk;
    registrar_->Add(
        who, requested, source, {}, nullptr,
        [&](const Result<const CatalogEntry*>& result) { code = result.status().code(); });
    worker_.RunAll();
    EXPECT_THAT(preparer_.requests, IsEmpty());
    return code;
  };
  const std::string url = "file://" + source_;
  EXPECT_EQ(refused({.uid = 54321, .gid = 0, .pid = 0}, "a", url), StatusCode::kPermissionDenied);
  EXPECT_EQ(refused({}, "a b", url), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a@sha256:" + Digest('a'), url), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", source_), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", "file://model"), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", "file:///" + std::string(5000, 'x')), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused({}, "a", "file://" + (folder_ / "none")), StatusCode::kNotFound);
  EXPECT_EQ(registrar_->in_flight(), 0u);
  EXPECT_THAT(Folders(), IsEmpty());
}

TEST_F(RegistrarTest, WithoutAPreparerAnAddIsToldWhy) {
  preparer_.ready = Status(StatusCode::kFailedPrecondition, "none in /usr/bin", "--preparer PATH");
  EXPECT_EQ((**Add("ocr")).status(), preparer_.ready);
  EXPECT_EQ(worker_.size(), 0u);
}

TEST_F(RegistrarTest, FailedPreparationLeavesNothing) {
  const Added answer = Add("ocr");
  worker_.RunAll();
  preparer_.Finish(Status(StatusCode::kInvalidArgument, "truncated"));
  EXPECT_FALSE(*answer) << "answered before the folder was gone";
  worker_.RunAll();
  EXPECT_EQ(CodeOf(answer), StatusCode::kInvalidArgument);
  EXPECT_THAT(Folders(), IsEmpty());
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(RegistrarTest, OtherContentIsANewVersionAndTheNewest) {
  EXPECT_TRUE(AddWhole("ocr", 'a').ok());
  EXPECT_TRUE(AddWhole("ocr", 'b').ok());
  EXPECT_EQ(catalog_.All().size(), 2u);
  EXPECT_EQ(Folders(), NamedFolders());
}

TEST_F(RegistrarTest, OtherContentUnderTheSameVersionIsRefused) {
  EXPECT_TRUE(AddWhole("ocr:v1", 'a').ok());
  const Status status = AddWhole("ocr:v1", 'b').status();
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(status.hint(), HasSubstr("trims rm default/ocr:v1"));
  EXPECT_THAT(Folders(), ElementsAre(FolderName('a', Variant::kFiles)));
}

TEST_F(RegistrarTest, AddingAgainAddsWhatIsMissing) {
  EXPECT_TRUE(AddWhole("ocr:v1", 'a').ok());
  const Result<CatalogEntry> entry = AddWhole("ocr", 'a', {MakeVariant(Variant::kTensors, 1)});
  ASSERT_TRUE(entry.ok()) << entry.status().ToString();
  EXPECT_EQ(ReferenceOf(*entry), "default/ocr:v1");
  ASSERT_EQ(entry->images.size(), 2u);
  EXPECT_EQ(entry->images[0]->variant.folder, FolderName('a', Variant::kFiles));
  EXPECT_EQ(entry->images[1]->variant.folder, FolderName('a', Variant::kTensors));
  EXPECT_EQ(Folders(), NamedFolders());
}

TEST_F(RegistrarTest, AVariantThatIsReplacedAgainAndAgainTakesItsRoomOnce) {
  EXPECT_TRUE(
      AddWhole("ocr", 'a', {MakeVariant(Variant::kFiles, 1), MakeVariant(Variant::kOrt, 1, "k")})
          .ok());
  EXPECT_EQ(store_->bytes(), 200u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(AddWhole("ocr", 'a', {MakeVariant(Variant::kOrt, 1, "k")}).ok());
    EXPECT_EQ(store_->bytes(), 200u);
    EXPECT_EQ(Folders().size(), 2u);
    EXPECT_EQ(Folders(), NamedFolders());
  }
  EXPECT_TRUE(fs::exists(root_ + "/" + FolderName('a', Variant::kFiles) + "/data"));
}

TEST_F(RegistrarTest, EqualContentUnderTwoNamesIsStoredOnce) {
  EXPECT_TRUE(AddWhole("one", 'a').ok());
  EXPECT_TRUE(AddWhole("two", 'a').ok());
  EXPECT_THAT(Folders(), ElementsAre(FolderName('a', Variant::kFiles)));
  EXPECT_EQ(store_->bytes(), 100u);
  Remove("one");
  catalog_.Finish("erase default/one:" + std::string(12, 'a'));
  worker_.RunAll();
  EXPECT_THAT(Folders(), ElementsAre(FolderName('a', Variant::kFiles)));
  Remove("two");
  catalog_.Finish("erase default/two:" + std::string(12, 'a'));
  worker_.RunAll();
  EXPECT_THAT(Folders(), IsEmpty());
  EXPECT_EQ(store_->bytes(), 0u);
}

TEST_F(RegistrarTest, AnExtensionIsNamedByItsWholePath) {
  Status status;
  registrar_->Add({}, "ocr", "file://" + source_, {.onnxruntime_extensions = {"ops.so"}}, nullptr,
                  [&](const Result<const CatalogEntry*>& added) { status = added.status(); });
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("expected an absolute path"));
}

TEST_F(RegistrarTest, AVariantOfAnotherSourceIsKeptIfItDoesNotReadIt) {
  ManifestVariant reads_source = MakeVariant(Variant::kFiles, 1);
  reads_source.extents.front().pieces.front().origin = PieceOrigin::kSource;
  EXPECT_TRUE(AddWhole("ocr", 'a', {reads_source, MakeVariant(Variant::kTensors, 1)}).ok());
  fs::rename(source_, folder_ / "moved");
  source_ = folder_ / "moved";
  const Result<CatalogEntry> entry = AddWhole("ocr", 'a', {MakeVariant(Variant::kOrt, 1)});
  ASSERT_TRUE(entry.ok()) << entry.status().ToString();
  ASSERT_EQ(entry->images.size(), 2u);
  EXPECT_EQ(entry->images[0]->kind, Variant::kTensors);
  EXPECT_EQ(entry->images[1]->kind, Variant::kOrt);
  EXPECT_EQ(Folders(), NamedFolders());
}

TEST_F(RegistrarTest, RemoveForgetsEveryVersionUnlessOneIsNamed) {
  for (const char* version : {"v1", "v2", "v3"}) {
    EXPECT_TRUE(AddWhole("ocr:" + std::string(version), version[1] == '1'   ? 'a'
                                                        : version[1] == '2' ? 'b'
                                                                            : 'c')
                    .ok());
  }
  const auto removed = [&](const std::string& requested) {
    const Removed answer = Remove(requested);
    while (!catalog_.next().empty()) catalog_.Finish(catalog_.next());
    worker_.RunAll();
    return **answer;
  };
  const auto latest = removed("ocr:latest");
  ASSERT_EQ(latest->size(), 1u);
  EXPECT_EQ(latest->front().reference, "default/ocr:v3");
  EXPECT_EQ(removed("ocr")->size(), 2u);
  EXPECT_THAT(Folders(), IsEmpty());
  EXPECT_EQ(removed("ocr").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(registrar_->counters().removes, 3u);
}

TEST_F(RegistrarTest, AFolderOutlivesTheLoadsThatReadIt) {
  EXPECT_TRUE(AddWhole("ocr:v1", 'a').ok());
  PreparedStore::Pin load = store_->PinFolder(FolderName('a', Variant::kFiles));
  Remove("ocr");
  catalog_.Finish("erase default/ocr:v1");
  worker_.RunAll();
  EXPECT_EQ(Folders().size(), 1u);
  load = {};
  worker_.RunAll();
  EXPECT_THAT(Folders(), IsEmpty());
}

TEST_F(RegistrarTest, OrphansGoAtStartAndNothingElse) {
  EXPECT_TRUE(AddWhole("ocr", 'a').ok());
  fs::create_directory(root_ + "/.incoming-abcdef");
  fs::create_directory(root_ + "/" + FolderName('b', Variant::kFiles));
  fs::create_directory(root_ + "/somebody-elses");
  Start();
  worker_.RunAll();
  EXPECT_THAT(Folders(), ElementsAre(FolderName('a', Variant::kFiles), "somebody-elses"));
}

}  // namespace
}  // namespace trims::test

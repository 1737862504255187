// The pusher between its caller and where models are written to: what is refused, what is told, and that nobody
// is called back once it is gone.
#include "ingest/pusher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "ingest/ingest_fixture.h"
#include "support/content.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

class PusherTest : public IngestTest {
 protected:
  using Answer = std::optional<Result<PushedModel>>;

  void SetUp() override {
    const Added added = Add("ocr:v1");
    worker_.RunAll();
    const ManifestVariant variant = DigestedVariant();
    const std::string out = preparer_.requests.front().job.out_folder + "/" + variant.folder;
    std::filesystem::create_directory(out);
    std::ofstream(out + "/data") << std::string(100, 'a');
    preparer_.Finish(MakeManifest(variant.extents.front().sha256, {variant}));
    worker_.RunAll();
    catalog_.Finish(catalog_.next());
    worker_.RunAll();
    ASSERT_EQ(CodeOf(added), StatusCode::kOk);
  }

  static ManifestVariant DigestedVariant() {
    const std::string data(100, 'a');
    ManifestVariant variant;
    variant.kind = Variant::kFiles;
    variant.folder = "files";
    variant.index_path = "data";
    variant.index_length = data.size();
    variant.index_sha256 = Sha256Hex(BytesOf(data));
    variant.extents.push_back({.length = data.size(),
                               .sha256 = TreeDigestOf(BytesOf(data)),
                               .xxh3 = ChunkSumsOf(BytesOf(data)),
                               .pieces = {{PieceOrigin::kPrepared, "data", 0, data.size(), 0}}});
    return variant;
  }

  std::shared_ptr<Answer> Push(const std::string& reference, const std::string& destination) {
    auto answer = std::make_shared<Answer>();
    registrar_->Push(
        {}, reference, destination,
        [this](std::string_view stage, uint64_t, uint64_t) { stages_.insert(std::string(stage)); },
        [answer](Result<PushedModel> pushed) {
          EXPECT_FALSE(*answer) << "answered twice";
          *answer = std::move(pushed);
        });
    return answer;
  }

  Status Refusal(const std::string& reference, const std::string& destination) {
    const auto answer = Push(reference, destination);
    EXPECT_TRUE(*answer) << "it is known at once";
    EXPECT_EQ(registrar_->in_flight(), 0u);
    return *answer ? (**answer).status() : Status();
  }

  const std::string exports_ = folder_ / "exports";
  std::set<std::string> stages_;
};

TEST_F(PusherTest, AFolderIsWrittenAndItsProgressTold) {
  const auto answer = Push("ocr", "file://" + exports_);
  EXPECT_EQ(registrar_->in_flight(), 1u);
  worker_.RunAll();
  ASSERT_TRUE(*answer);
  ASSERT_TRUE((**answer).ok()) << (**answer).status().ToString();
  EXPECT_EQ((**answer)->reference, "default/ocr:v1");
  EXPECT_EQ((**answer)->destination, "file://" + exports_);
  EXPECT_TRUE(std::filesystem::exists(exports_ + "/trims.json"));
  EXPECT_EQ(stages_, (std::set<std::string>{"copy", "verify"}));
  EXPECT_EQ(registrar_->in_flight(), 0u);
}

TEST_F(PusherTest, WhereNothingCanBePushedToIsRefusedWithWhatThereIs) {
  for (const char* url :
       {"https://host/models/", "hf://org/net", "oci://host/net:v1", "gs://b/a/"}) {
    const Status status = Refusal("ocr", url);
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << url;
    EXPECT_THAT(status.hint(), HasSubstr("file:///PATH")) << url;
    EXPECT_THAT(status.hint(), HasSubstr("s3://BUCKET/PREFIX/")) << url;
  }
  EXPECT_EQ(Refusal("ocr", "exports").code(), StatusCode::kInvalidArgument);
  const Status key = Refusal("ocr", "s3://bucket/models/ocr");
  EXPECT_EQ(key.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(key.hint(), "push to s3://bucket/models/ocr/");
  EXPECT_EQ(Refusal("ocr", "https://me:secret@host/").message().find("secret"), std::string::npos);
  EXPECT_EQ(Refusal("none", "file://" + exports_).code(), StatusCode::kNotFound);
}

TEST_F(PusherTest, NobodyIsCalledOnceItIsGone) {
  const auto answer = Push("ocr", "file://" + exports_);
  registrar_.reset();
  worker_.RunAll();
  EXPECT_FALSE(*answer);
  EXPECT_FALSE(std::filesystem::exists(exports_ + "/trims.json"));
}

}  // namespace
}  // namespace trims::test

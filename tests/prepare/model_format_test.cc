#include "prepare/model_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "support/scratch_folder.h"

namespace trims {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ModelFormatTest : public ::testing::Test {
 protected:
  void Files(std::initializer_list<const char*> names) {
    for (const char* name : names) folder_.Write(name, "x");
  }
  void Index(const std::string& name, const std::string& map) {
    folder_.Write(name, R"({"metadata":{},"weight_map":{)" + map + "}}");
  }
  Result<ModelFormat> Format(const std::string& precision = "", bool files_only = false) {
    Result<FileTree> tree = FileTree::At(SourceUri::OfPath(folder_.path()));
    EXPECT_TRUE(tree.ok() && tree->List().ok());
    tree_ = *std::move(tree);
    return FormatOf(*tree_, precision, files_only);
  }
  // prefix + file, of each file of each component.
  std::vector<std::string> Taken(const Result<ModelFormat>& format) const {
    std::vector<std::string> taken;
    if (!format.ok()) return {format.status().ToString()};
    for (const SafetensorsComponent& component : format->safetensors.components) {
      for (const size_t file : component.files) {
        taken.push_back(component.prefix + "|" + tree_->files()[file].name);
      }
    }
    return taken;
  }
  std::string Onnx(const Result<ModelFormat>& format) const {
    return format.ok() && format->onnx ? tree_->files()[*format->onnx].name : "";
  }
  test::ScratchFolder folder_;
  std::optional<FileTree> tree_;
};

TEST_F(ModelFormatTest, AnIndexDecidesWhichFilesAreTheModel) {
  Files({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
         "consolidated.safetensors"});
  Index("model.safetensors.index.json",
        R"("a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors")");
  const Result<ModelFormat> format = Format();
  EXPECT_THAT(Taken(format), ElementsAre("|model-00001-of-00002.safetensors",
                                         "|model-00002-of-00002.safetensors"));
  EXPECT_THAT(format->notes, Contains(HasSubstr("consolidated.safetensors")));
}

TEST_F(ModelFormatTest, AMissingShardIsAnErrorThatNamesIt) {
  Files({"model-00001-of-00002.safetensors"});
  EXPECT_THAT(Format().status().message(), HasSubstr("'model-00002-of-00002.safetensors'"));
  EXPECT_EQ(Format().status().code(), StatusCode::kDataLoss);
  Index("model.safetensors.index.json",
        R"("a":"model-00001-of-00002.safetensors","b":"other.safetensors")");
  EXPECT_THAT(Format().status().message(), HasSubstr("'other.safetensors' is missing"));
  EXPECT_TRUE(Format("", true).ok());
  EXPECT_THAT(Format("", true)->notes, Contains(HasSubstr("is missing")));
}

TEST_F(ModelFormatTest, AnIndexThatLeadsAwayIsRefused) {
  Files({"model.safetensors"});
  for (const char* map : {R"("a":"../x.safetensors")", R"("a":"/etc/passwd")", R"("a":7)", ""}) {
    Index("model.safetensors.index.json", map);
    EXPECT_EQ(Format().status().code(), StatusCode::kInvalidArgument) << map;
  }
  folder_.Write("model.safetensors.index.json", "[]");
  EXPECT_EQ(Format().status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ModelFormatTest, APipelinesComponentsHaveTheirFoldersNames) {
  Files({"text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors",
         "vae/diffusion_pytorch_model.safetensors",
         "vae/diffusion_pytorch_model.fp16.safetensors"});
  EXPECT_THAT(Taken(Format()), ElementsAre("text_encoder/|text_encoder/model.safetensors",
                                           "unet/|unet/diffusion_pytorch_model.safetensors",
                                           "vae/|vae/diffusion_pytorch_model.safetensors"));
  folder_.Write(
      "model_index.json",
      R"({"unet":["diffusers","U"],"vae":["diffusers","V"],"safety":[null,null],"gone":["a","b"]})");
  const Result<ModelFormat> format = Format();
  EXPECT_THAT(Taken(format), ElementsAre("unet/|unet/diffusion_pytorch_model.safetensors",
                                         "vae/|vae/diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(format->notes, Contains(HasSubstr("'gone'")));
  EXPECT_THAT(format->notes, Contains(HasSubstr("text_encoder/model.safetensors")));
}

TEST_F(ModelFormatTest, APrecisionCanBeChosen) {
  Files({"unet/d.safetensors", "unet/d.fp16.safetensors", "vae/d.safetensors"});
  const Result<ModelFormat> half = Format("fp16");
  EXPECT_THAT(Taken(half), ElementsAre("unet/|unet/d.fp16.safetensors", "vae/|vae/d.safetensors"));
  EXPECT_THAT(half->notes, Contains(HasSubstr("'vae/' are not there in fp16")));
  EXPECT_EQ(Format("bf16").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Format("bf16").status().message(), HasSubstr("there are: fp16"));
}

TEST_F(ModelFormatTest, APrecisionThatNobodyHasIsNotFoundBesideOthers) {
  Files({"model.fp16.safetensors", "model.int8.safetensors"});
  EXPECT_EQ(Format("bf16").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Format("bf16").status().message(), HasSubstr("fp16, int8"));
  EXPECT_THAT(Taken(Format("int8")), ElementsAre("|model.int8.safetensors"));
}

TEST_F(ModelFormatTest, AnUndecidedComponentIsSaidWhereAnotherHasThePrecision) {
  Files({"a/model.bf16.safetensors", "b/model.fp16.safetensors", "b/model.int8.safetensors"});
  const Result<ModelFormat> format = Format("bf16");
  ASSERT_TRUE(format.ok()) << format.status().ToString();
  EXPECT_THAT(format->notes, Contains(HasSubstr("in 'b/' are there in the precisions fp16, int8")));
}

TEST_F(ModelFormatTest, APrecisionMayBeInTheNamesOfOnnxFilesAlone) {
  Files({"onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_q4.onnx"});
  EXPECT_EQ(Onnx(Format("fp16")), "onnx/model_fp16.onnx");
  EXPECT_EQ(Format("int8").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Format("int8").status().hint(), HasSubstr("--precision fp16"));
}

TEST_F(ModelFormatTest, AWholeFileIsTakenBeforeShardsWithoutAnIndex) {
  Files({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
         "model.safetensors"});
  EXPECT_THAT(Taken(Format()), ElementsAre("|model.safetensors"));
  EXPECT_THAT(Format()->notes, Contains(HasSubstr("model-00001-of-00002.safetensors")));
}

TEST_F(ModelFormatTest, AnIndexThatIsNotChosenClaimsNothing) {
  Files({"model.safetensors", "unet/w.safetensors"});
  Index("zstale.safetensors.index.json", R"("a":"unet/w.safetensors")");
  Index("model.safetensors.index.json", R"("a":"model.safetensors")");
  EXPECT_THAT(Taken(Format()), ElementsAre("|model.safetensors", "unet/|unet/w.safetensors"));
}

TEST_F(ModelFormatTest, NamesThatSayTheSameAreAllTaken) {
  Files({"a-fp16.safetensors", "a.fp16.safetensors", "a_fp16.safetensors"});
  EXPECT_EQ(Taken(Format()).size(), 3U);
}

TEST_F(ModelFormatTest, AFolderThatIsNamedLikeAnIndexIsNone) {
  Files({"model.safetensors", "old.safetensors.index.d/config.json"});
  EXPECT_THAT(Taken(Format()), ElementsAre("|model.safetensors"));
}

TEST_F(ModelFormatTest, SuffixesMayBeInCapitals) {
  Files({"A.ONNX", "B.SAFETENSORS"});
  const Result<ModelFormat> format = Format();
  EXPECT_EQ(Onnx(format), "A.ONNX");
  EXPECT_THAT(Taken(format), ElementsAre("|B.SAFETENSORS"));
}

TEST_F(ModelFormatTest, AnIndexMayWriteItsPathsInItsOwnWay) {
  Files({"sub/w.safetensors"});
  Index("model.safetensors.index.json", R"("a":"./sub//w.safetensors")");
  EXPECT_THAT(Taken(Format()), ElementsAre("|sub/w.safetensors"));
}

TEST_F(ModelFormatTest, OnlyPrecisionsAndNoneIsUsual) {
  Files({"model.fp16.safetensors"});
  EXPECT_THAT(Taken(Format()), ElementsAre("|model.fp16.safetensors"));
  Files({"model.bf16.safetensors"});
  const Result<ModelFormat> format = Format();
  ASSERT_TRUE(format.ok()) << format.status().ToString();
  EXPECT_EQ(format->name, "files");
  EXPECT_THAT(format->notes, Contains(HasSubstr("--precision bf16")));
}

TEST_F(ModelFormatTest, AnIndexMayHaveItsPrecisionBeforeTheWord) {
  Files({"a.safetensors"});
  Index("model.safetensors.fp16.index.json", R"("a":"a.safetensors")");
  EXPECT_THAT(Taken(Format("fp16")), ElementsAre("|a.safetensors"));
}

TEST_F(ModelFormatTest, AnIndexMayHaveItsPrecisionBehindTheSuffix) {
  Files({"m-00001-of-00001.fp16.safetensors", "m.safetensors"});
  Index("m.safetensors.index.fp16.json", R"("a":"m-00001-of-00001.fp16.safetensors")");
  EXPECT_THAT(Taken(Format("fp16")), ElementsAre("|m-00001-of-00001.fp16.safetensors"));
  EXPECT_THAT(Taken(Format()), ElementsAre("|m.safetensors"));
}

TEST_F(ModelFormatTest, OfSeveralOnnxFilesTheUsualOneIsTaken) {
  Files({"onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_q4.onnx"});
  EXPECT_EQ(Onnx(Format()), "onnx/model.onnx");
  EXPECT_EQ(Onnx(Format("fp16")), "onnx/model_fp16.onnx");
  EXPECT_EQ(Format("int8").status().code(), StatusCode::kNotFound);
  Files({"other.onnx", "encoder.onnx"});
  EXPECT_EQ(Onnx(Format()), "onnx/model.onnx");
}

TEST_F(ModelFormatTest, WithoutAUsualOneTheyAreFiles) {
  Files({"decoder.onnx", "encoder.onnx"});
  const Result<ModelFormat> format = Format();
  EXPECT_EQ(format->name, "files");
  EXPECT_THAT(format->notes, ElementsAre(HasSubstr("decoder.onnx, encoder.onnx")));
}

TEST_F(ModelFormatTest, AFolderMayHoldBothFormats) {
  Files({"model.safetensors", "onnx/model.onnx", "README.md"});
  const Result<ModelFormat> format = Format();
  EXPECT_EQ(format->name, "safetensors");
  EXPECT_EQ(Onnx(format), "onnx/model.onnx");
  EXPECT_THAT(Taken(format), ElementsAre("|model.safetensors"));
}

TEST_F(ModelFormatTest, ASplitGgufHasToBeWhole) {
  Files({"q-00001-of-00002.gguf", "q-00002-of-00002.gguf", "README.md"});
  EXPECT_EQ(Format()->name, "gguf");
  std::filesystem::remove(folder_ / "q-00002-of-00002.gguf");
  EXPECT_THAT(Format().status().message(), HasSubstr("'q-00002-of-00002.gguf' is missing"));
}

TEST_F(ModelFormatTest, APartThatIsAPointerIsSaid) {
  folder_.Write("model.safetensors", "version https://git-lfs.github.com/spec/v1\nsize 7\n");
  EXPECT_EQ(Format().status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Format("", true).ok());
}

TEST_F(ModelFormatTest, SeveralWithoutUsualNamesAreOneModel) {
  Files({"a.safetensors", "b.safetensors"});
  EXPECT_THAT(Taken(Format()), ElementsAre("|a.safetensors", "|b.safetensors"));
  EXPECT_EQ(Format()->safetensors.components.size(), 1u);
  EXPECT_THAT(Format()->notes, IsEmpty());
}

}  // namespace
}  // namespace trims

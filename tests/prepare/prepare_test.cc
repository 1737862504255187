#include "prepare/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "base/fault.h"
#include "prepare/files_variant.h"
#include "prepare/prepare_fixture.h"
#include "prepare/tensor_layout.h"

namespace trims {
namespace {

using test::ExternalData;
using test::OnnxModelBytes;
using test::OnnxTensorProto;
using test::Proto;
using test::Raw;
using test::SafetensorsBytes;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int kFloat = 1, kInt64 = 7, kString = 8;

class Prepared : public test::PrepareTest {
 protected:
  void Reset() {
    std::filesystem::remove_all(root_ + "/out");
    std::filesystem::create_directory(root_ + "/out");
  }
  std::string BytesOf(const std::string& image, const std::string& name) {
    const index::File* file = Index().files()->LookupByKey(name.c_str());
    EXPECT_NE(file, nullptr) << name;
    return file == nullptr ? "" : image.substr(file->offset(), file->length());
  }
  std::string TensorBytes(const std::string& image, const std::string& name) {
    const index::Tensor* tensor = Index().tensors()->LookupByKey(name.c_str());
    EXPECT_NE(tensor, nullptr) << name;
    if (tensor == nullptr) return "";
    EXPECT_EQ(tensor->offset() % kTensorAlignment, 0u);
    return image.substr(tensor->offset(), tensor->length());
  }
};

TEST_F(Prepared, AFolderKeepsItsFilesByteForByte) {
  const std::string large(3 << 20, 'L');
  Write("a.txt", "first");
  Write("empty", "");
  Write("sub/large.bin", large);
  Write("z.txt", "last");
  Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->format, "files");
  EXPECT_EQ(manifest->source, "file://" + root_ + "/in");
  ASSERT_EQ(manifest->variants.size(), 1u);
  const std::string image = Image(manifest->variants[0]);
  EXPECT_EQ(manifest->variants[0].extents.size(), 2u);
  EXPECT_EQ(BytesOf(image, "a.txt"), "first");
  EXPECT_EQ(BytesOf(image, "empty"), "");
  EXPECT_EQ(BytesOf(image, "sub/large.bin"), large);
  EXPECT_EQ(BytesOf(image, "z.txt"), "last");
  EXPECT_TRUE(Index().files()->LookupByKey("sub/large.bin")->alone());
  EXPECT_FALSE(Index().files()->LookupByKey("a.txt")->alone());
  EXPECT_EQ(manifest->variants[0].folder, "files");
  EXPECT_EQ(manifest->variants[0].extents[1].pieces[0].path, "sub/large.bin");
  EXPECT_TRUE(std::filesystem::exists(root_ + "/out/files"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/out/manifest.json"));
}

TEST_F(Prepared, ASingleFileIsAloneHoweverSmall) {
  Write("tiny", "x");
  Result<Manifest> manifest = Run("tiny");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  Image(manifest->variants[0]);
  EXPECT_TRUE(Index().files()->LookupByKey("tiny")->alone());
  EXPECT_EQ(manifest->digest, manifest->files[0].sha256);
}

TEST(FilesPlan, NeverMakesMoreExtentsThanOneMessageCarries) {
  std::vector<uint64_t> lengths(600, 2 << 20);
  lengths[7] = 5 << 20;
  lengths.push_back(1);
  const FilesPlan plan = PlanFiles(lengths, 249);
  EXPECT_EQ(plan.alone.size(), 248u);
  EXPECT_EQ(plan.shared.size(), 601u - 248u);
  EXPECT_TRUE(std::count(plan.alone.begin(), plan.alone.end(), 7));
}

TEST_F(Prepared, LinksAreFollowedWithinTheFolderOnly) {
  Write("real.bin", "content");
  std::filesystem::create_symlink("real.bin", root_ + "/in/link.bin");
  Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(BytesOf(Image(manifest->variants[0]), "link.bin"), "content");
  std::filesystem::create_symlink("/etc/passwd", root_ + "/in/out.bin");
  EXPECT_EQ(Run("").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Prepared, WhatHoldsNoBytesIsRefused) {
  EXPECT_EQ(Run("missing").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Run("").status().code(), StatusCode::kInvalidArgument);
  Write("empty", "");
  EXPECT_EQ(Run("empty").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Prepared, SafetensorsShardsBecomeOneVariant) {
  Write(
      "m-1.safetensors",
      SafetensorsBytes(
          R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}})",
          "abcdef"));
  Write("m-2.safetensors",
        SafetensorsBytes(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy"));
  Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->format, "safetensors");
  const ManifestVariant* tensors = Find(*manifest, Variant::kTensors);
  ASSERT_NE(tensors, nullptr);
  const std::string image = Image(*tensors);
  EXPECT_EQ(TensorBytes(image, "a"), "xy");
  EXPECT_EQ(TensorBytes(image, "b"), "abcdef");
  EXPECT_EQ(Index().metadata()->LookupByKey("safetensors.format")->value()->str(), "pt");
  EXPECT_EQ(Find(*manifest, Variant::kOrt), nullptr);
}

TEST_F(Prepared, OnnxTensorsComeFromEveryKindOfStorage) {
  Write("model.onnx",
        OnnxModelBytes({OnnxTensorProto("raw", kFloat, {2}).Bytes(9, Raw<float>({1, 2})),
                        OnnxTensorProto("typed", kInt64, {2}).Int(7, 3).Int(7, 4),
                        OnnxTensorProto("text", kString, {1}).Bytes(6, "s"),
                        ExternalData(OnnxTensorProto("far", kFloat, {1}), "w.bin", "4", "4")}));
  Write("w.bin", Raw<float>({8, 9, 10}));
  Result<Manifest> manifest = Run("", {Variant::kTensors});
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(manifest->variants[0]);
  EXPECT_EQ(TensorBytes(image, "raw"), Raw<float>({1, 2}));
  EXPECT_EQ(TensorBytes(image, "typed"), Raw<int64_t>({3, 4}));
  EXPECT_EQ(TensorBytes(image, "far"), Raw<float>({9}));
  EXPECT_EQ(Index().tensors()->size(), 3u);
  EXPECT_THAT(manifest->notes, ::testing::Contains(HasSubstr("STRING")));
}

TEST_F(Prepared, ConstantsOfOnnxFunctionsAreNotShared) {
  const Proto value = OnnxTensorProto("", kFloat, {1}).Bytes(9, Raw<float>({1}));
  const Proto attribute = Proto().Bytes(1, "value").Add(5, value);
  const Proto constant = Proto().Bytes(2, "c").Bytes(4, "Constant").Add(5, attribute);
  const Proto function = Proto().Bytes(1, "f").Add(7, constant);
  const Proto graph = Proto().Add(5, OnnxTensorProto("w", kFloat, {1}).Bytes(9, Raw<float>({2})));
  Write("model.onnx", Proto().Int(1, 8).Add(7, graph).Add(25, function).Add(25, function).str());
  Result<Manifest> manifest = Run("model.onnx", {Variant::kTensors});
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(manifest->variants[0]);
  EXPECT_EQ(TensorBytes(image, "w"), Raw<float>({2}));
  EXPECT_EQ(Index().tensors()->size(), 1u);
}

// Adapters refuse a session of its own file.
TEST_F(Prepared, ExternalDataOfAnInnerGraphIsSaidInTheFilesVariant) {
  const auto told = [this](const Proto& graph) {
    Write("model.onnx", Proto().Int(1, 8).Add(7, graph).str());
    Result<Manifest> manifest = Run("", {Variant::kFiles, Variant::kTensors});
    EXPECT_TRUE(manifest.ok()) << manifest.status().ToString();
    if (!manifest.ok()) return std::string();
    Image(manifest->variants[0]);
    std::filesystem::remove_all(root_ + "/out");
    std::filesystem::create_directory(root_ + "/out");
    const auto* entry = Index().metadata()->LookupByKey("onnx.nested_external");
    return entry == nullptr ? "none" : entry->value()->str();
  };
  Write("w.bin", std::string(16, 'w'));
  const Proto w = ExternalData(OnnxTensorProto("w", kFloat, {4}), "w.bin", "0", "16");
  const Proto inner = Proto().Bytes(1, "body").Add(6, Proto().Add(5, w));
  EXPECT_EQ(told(Proto().Add(5, w)), "none");
  EXPECT_EQ(told(Proto().Add(5, w).Add(1, Proto().Bytes(4, "Op").Add(5, inner))), "1");
}

TEST_F(Prepared, WhereExternalDataIsMissingIsTheModelsOwnFolder) {
  Write("onnx/model.onnx",
        OnnxModelBytes({ExternalData(OnnxTensorProto("w", kFloat, {2}), "w.bin", "0", "8")}));
  EXPECT_THAT(Run("", {Variant::kTensors}).status().message(),
              HasSubstr("not in its folder, " + root_ + "/in/onnx"));
}

TEST_F(Prepared, ExternalDataMustBeThereAndLongEnough) {
  const Proto far = ExternalData(OnnxTensorProto("far", kFloat, {4}), "w.bin", "0", "16");
  Write("model.onnx", OnnxModelBytes({far}));
  const std::vector<Variant> tensors = {Variant::kTensors};
  EXPECT_EQ(Run("", tensors).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Run("model.onnx", tensors).status().code(), StatusCode::kNotFound);
  Write("w.bin", "short");
  EXPECT_EQ(Run("", tensors).status().code(), StatusCode::kDataLoss);
}

// ONNX Runtime has the last word about what the reader can't follow.
TEST_F(Prepared, DamageThatNothingUsesCostsATensorAndNotTheModel) {
  const auto weight = [](const char* name) {
    return OnnxTensorProto(name, kFloat, {1, 1}).Bytes(9, Raw<float>({1}));
  };
  const std::string good = test::MatMulModelBytes(weight("w1"), weight("w2"), 1, 1);
  const auto with = [&](const Proto& tensor) {
    return good + Proto().Add(7, Proto().Add(5, tensor)).str();
  };
  Write("unused.onnx", with(OnnxTensorProto("u", kFloat, {9}).Bytes(9, "ab")));
  Result<Manifest> manifest = Run("unused.onnx");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_NE(Find(*manifest, Variant::kOrt), nullptr);
  EXPECT_NE(Find(*manifest, Variant::kTensors), nullptr);
  EXPECT_THAT(manifest->notes, Contains(HasSubstr("whose data can't be found: 'u'")));
}

TEST_F(Prepared, DamageThatOnnxRuntimeRefusesIsTheModels) {
  const Proto broken = OnnxTensorProto("w1", kFloat, {1, 1}).Bytes(9, "ab");
  const Proto sound = OnnxTensorProto("w2", kFloat, {1, 1}).Bytes(9, Raw<float>({1}));
  Write("used.onnx", test::MatMulModelBytes(broken, sound, 1, 1));
  const Status status = Run("used.onnx").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'w1' has 2 bytes of raw data"));
}

TEST_F(Prepared, ATypeThatNobodyKnowsHasItsNameInTheIndex) {
  Write("m.safetensors",
        SafetensorsBytes(R"({"a":{"dtype":"F3_NEW","shape":[3],"data_offsets":[0,2]}})", "xy"));
  Result<Manifest> manifest = Run("m.safetensors", {Variant::kTensors});
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(manifest->variants[0]);
  EXPECT_EQ(TensorBytes(image, "a"), "xy");
  EXPECT_EQ(Index().tensors()->LookupByKey("a")->type_name()->str(), "F3_NEW");
}

TEST_F(Prepared, ADamagedModelIsAnErrorButItsFilesCanBeHad) {
  Write("model.onnx", "this is no model");
  EXPECT_EQ(Run("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(Run("", {Variant::kFiles}).ok());
}

std::string OneTensor(const std::string& name, const std::string& data) {
  return SafetensorsBytes("{\"" + name + R"(":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
                          data);
}

TEST_F(Prepared, ComponentsKeepTheirTensorsApart) {
  Write("one/model.safetensors", OneTensor("w", "11"));
  Write("two/model.safetensors", OneTensor("w", "22"));
  Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(*Find(*manifest, Variant::kTensors));
  EXPECT_EQ(TensorBytes(image, "one/w"), "11");
  EXPECT_EQ(TensorBytes(image, "two/w"), "22");
}

TEST_F(Prepared, AFolderBeforeANameMayMakeItAnothers) {
  Write("model.safetensors", OneTensor("unet/a", "11"));
  Write("unet/model.safetensors", OneTensor("a", "22"));
  const Result<Manifest> manifest = Run("", {Variant::kTensors});
  EXPECT_EQ(manifest.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(manifest.status().message(),
              HasSubstr("'unet/a' is in 'model.safetensors' and in 'unet/model.safetensors'"));
}

TEST_F(Prepared, ASingleFileIsWhatItHolds) {
  Write("3f7a", OneTensor("w", "11"));
  Write("net.pb", test::OnnxModelBytes({OnnxTensorProto("w", 1, {1}).Bytes(9, "1234")}));
  Write("notes", "not a model at all");
  EXPECT_EQ(Run("3f7a", {Variant::kTensors})->format, "safetensors");
  Reset();
  EXPECT_EQ(Run("net.pb", {Variant::kTensors})->format, "onnx");
  Reset();
  const Result<Manifest> manifest = Run("notes");
  EXPECT_EQ(manifest->format, "files");
  EXPECT_THAT(manifest->notes.back(), HasSubstr("neither ONNX nor safetensors nor GGUF nor MXNet"));
}

TEST_F(Prepared, ManyNotesAreCutAndCostNothing) {
  Write("model_index.json", [] {
    std::string text = R"({"here":["a","B"])";
    for (int i = 0; i < 2000; ++i) text += ",\"c" + std::to_string(i) + R"(":["a","B"])";
    return text + "}";
  }());
  Write("here/model.safetensors", OneTensor("a", "11"));
  const Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->notes.back(), "and 1900 more notes like these");
}

TEST_F(Prepared, ExternalDataMayBeSpeltInItsOwnWay) {
  for (const char* location : {"./w.bin", "sub//w.bin", "sub/./w.bin"}) {
    Write("model.onnx", test::OnnxModelBytes({test::ExternalData(
                            test::OnnxTensorProto("w", 1, {2, 2}), location, "0", "16")}));
    Write("w.bin", "0123456789abcdef");
    Write("sub/w.bin", "0123456789abcdef");
    const Result<Manifest> manifest = Run("", {Variant::kTensors});
    ASSERT_TRUE(manifest.ok()) << location << ": " << manifest.status().ToString();
    EXPECT_EQ(Image(*Find(*manifest, Variant::kTensors)).substr(0, 16), "0123456789abcdef");
    std::filesystem::remove_all(root_ + "/out");
    std::filesystem::create_directory(root_ + "/out");
  }
}

TEST_F(Prepared, ATensorInTwoShardsIsTheOneThatTheIndexSays) {
  Write("a.safetensors", OneTensor("w", "11"));
  Write("b.safetensors", OneTensor("w", "22"));
  Result<Manifest> unclear = Run("");
  ASSERT_TRUE(unclear.ok()) << unclear.status().ToString();
  EXPECT_EQ(Find(*unclear, Variant::kTensors), nullptr);
  EXPECT_THAT(unclear->notes.back(), HasSubstr("'w' is in 'a.safetensors' and in 'b.safetensors'"));
  std::filesystem::remove_all(root_ + "/out");
  std::filesystem::create_directory(root_ + "/out");
  Write("m.safetensors.index.json", R"({"weight_map":{"w":"b.safetensors"}})");
  Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(TensorBytes(Image(*Find(*manifest, Variant::kTensors)), "w"), "22");
}

TEST_F(Prepared, ATensorThatIsLeftOutExcusesNoOther) {
  std::string shape = "1";
  for (int i = 0; i < 32; ++i) shape += ",1";
  const std::string deep =
      R"("deep":{"dtype":"U8","shape":[)" + shape + R"(],"data_offsets":[2,3]})";
  Write("1.safetensors",
        SafetensorsBytes(R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)" + deep + "}",
                         "xyz"));
  Write("2.safetensors", OneTensor("w", "22"));
  const std::string rest = R"("deep":"1.safetensors","w":"2.safetensors"}})";
  const std::vector<Variant> tensors = {Variant::kTensors};
  for (const char* wrong :
       {R"("x":"2.safetensors",)", R"("x":"1.safetensors","gone":"2.safetensors",)"}) {
    Write("model.safetensors.index.json", R"({"weight_map":{)" + std::string(wrong) + rest);
    EXPECT_EQ(Run("", tensors).status().code(), StatusCode::kDataLoss) << wrong;
  }
  Write("model.safetensors.index.json", R"({"weight_map":{"x":"1.safetensors",)" + rest);
  EXPECT_TRUE(Run("", tensors).ok());
}

TEST_F(Prepared, ThereMayBeMoreShardsThanDescriptors) {
  constexpr int kShards = 300;
  for (int shard = 1; shard <= kShards; ++shard) {
    char name[64];
    std::snprintf(name, sizeof(name), "m-%05d-of-%05d.safetensors", shard, kShards);
    Write(name, OneTensor("w" + std::to_string(shard), "11"));
  }
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 128, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  Result<Manifest> manifest = Run("", {Variant::kTensors});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  Image(manifest->variants[0]);
  EXPECT_EQ(Index().tensors()->size(), static_cast<size_t>(kShards));
}

TEST_F(Prepared, AShardWithoutATensorOfItsIndexIsAnError) {
  Write("a.safetensors", OneTensor("w", "11"));
  Write("model.safetensors.index.json",
        R"({"weight_map":{"w":"a.safetensors","v":"a.safetensors"}})");
  const Status status = Run("").status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("has no tensor 'v'"));
}

TEST_F(Prepared, AVariantAskedForByNameMustBePossible) {
  Write("a.bin", "x");
  EXPECT_EQ(Run("", {Variant::kOrt}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Run("", {Variant::kTensors}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Prepared, AFileCutShortAfterItWasOpenedIsDataLoss) {
  Write("a.bin", std::string(10'000, 'x'));
  Result<FileTree> source = FileTree::At(SourceUri::OfPath(root_ + "/in"));
  ASSERT_TRUE(source.ok() && source->List().ok());
  const Result<std::unique_ptr<RandomAccess>> file = source->Open("a.bin");
  ASSERT_TRUE(file.ok());
  std::filesystem::resize_file(root_ + "/in/a.bin", 100);
  std::vector<std::byte> buffer(10'000);
  EXPECT_EQ((*file)->ReadAt(0, buffer).code(), StatusCode::kDataLoss);
}

TEST_F(Prepared, WithoutAThreadEverythingIsDoneOnThisOne) {
  Write("m.safetensors", OneTensor("w", "11"));
  const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = 1, .error = EAGAIN});
  const Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->variants.size(), 2u);
}

TEST_F(Prepared, EverySystemCallThatFailsIsReported) {
  Write("m.safetensors",
        SafetensorsBytes(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy"));
  for (const auto& [op, error] :
       {std::pair(fault::Op::kOpen, EMFILE), std::pair(fault::Op::kRead, EIO),
        std::pair(fault::Op::kWrite, ENOSPC)}) {
    for (int nth = 1;; ++nth) {
      std::filesystem::remove_all(root_ + "/out");
      std::filesystem::create_directory(root_ + "/out");
      fault::ScopedPlan plan({.op = op, .nth = nth, .error = error});
      Result<Manifest> manifest = Run("m.safetensors");
      if (!plan.fired()) {
        EXPECT_TRUE(manifest.ok()) << manifest.status().ToString();
        EXPECT_GT(nth, 2);
        break;
      }
      ASSERT_FALSE(manifest.ok()) << fault::OpName(op) << nth;
      EXPECT_EQ(manifest.status().code(),
                error == EIO ? StatusCode::kDataLoss : StatusCode::kResourceExhausted);
      EXPECT_FALSE(std::filesystem::exists(root_ + "/out/manifest.json"));
    }
  }
}

TEST_F(Prepared, AHundredThousandTensorsArePreparedAndFound) {
  std::vector<Proto> tensors;
  for (int i = 0; i < 100'000; ++i) {
    tensors.push_back(
        OnnxTensorProto("t" + std::to_string(i), kFloat, {1}).Bytes(9, Raw<float>({float(i)})));
  }
  Write("model.onnx", OnnxModelBytes(tensors));
  Result<Manifest> manifest = Run("model.onnx", {Variant::kTensors});
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(manifest->variants[0]);
  EXPECT_EQ(Index().tensors()->size(), 100'000u);
  EXPECT_EQ(TensorBytes(image, "t77777"), Raw<float>({77777}));
}

}  // namespace
}  // namespace trims

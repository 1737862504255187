// Both forms of the `ort` variant, used as the adapters use them: no copy, no optimisation, and the
// same answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnxruntime_cxx_api.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/ort_variant_key.h"
#include "prepare/ort_alignment.h"
#include "prepare/prepare_fixture.h"

namespace trims {
namespace {

using test::ExternalData;
using test::MatMulModelBytes;
using test::OnnxTensorProto;
using test::Proto;
using test::Raw;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int kFloat = 1;
constexpr uint64_t kIn = 64, kHidden = 96, kOut = 32, kRows = 3;

std::vector<float> Values(size_t count, float step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = std::sin(static_cast<float>(i) * step);
  return values;
}

std::vector<float> RunSession(Ort::Session& session) {
  std::vector<float> x = Values(kRows * kIn, 0.37f);
  const std::array<int64_t, 2> shape{kRows, kIn};
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  Ort::Value input =
      Ort::Value::CreateTensor<float>(memory, x.data(), x.size(), shape.data(), shape.size());
  const char* in = "x";
  const char* out = "y";
  std::vector<Ort::Value> outputs = session.Run(Ort::RunOptions(), &in, &input, 1, &out, 1);
  const auto* y = outputs[0].GetTensorData<float>();
  return {y, y + kRows * kOut};
}

void ExpectClose(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], expected[i], 1e-4 * std::max(1.0f, std::abs(expected[i]))) << i;
  }
}

TEST(OrtFailureTest, SaysWhatItMeans) {
  EXPECT_EQ(OrtFailure(ORT_INVALID_GRAPH, "no such op").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OrtFailure(ORT_NOT_IMPLEMENTED, "not yet").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(OrtFailure(ORT_FAIL, "a\nb").message(), "ONNX Runtime: a b");
  for (const char* words : {"Exception during initialization: std::bad_alloc",
                            "Failed to allocate memory for requested buffer of size 4294967296"}) {
    const Status status = OrtFailure(ORT_RUNTIME_EXCEPTION, words);
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << words;
    EXPECT_THAT(status.hint(), HasSubstr("--variant files"));
  }
}

class OrtVariant : public test::PrepareTest {
 protected:
  static Proto Weight(const char* name, uint64_t rows, uint64_t columns) {
    return OnnxTensorProto(name, kFloat, {rows, columns})
        .Bytes(9, Raw(Values(rows * columns, 0.11f)));
  }
  void WriteModel(const Proto& w1) {
    Write("model.onnx", MatMulModelBytes(w1, Weight("w2", kHidden, kOut), kIn, kOut));
  }

  // What the framework makes of the original with its own defaults.
  std::vector<float> Expected() {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    Ort::Session session(env_, (root_ + "/in/model.onnx").c_str(), options);
    return RunSession(session);
  }

  std::vector<float> FromBytes(const std::string& image) {
    Ort::SessionOptions options = Bare();
    options.AddConfigEntry("session.load_model_format", "ORT");
    options.AddConfigEntry("session.use_ort_model_bytes_directly", "1");
    options.AddConfigEntry("session.use_ort_model_bytes_for_initializers", "1");
    const index::File* file = Index().files()->LookupByKey("model.ort");
    Ort::Session session(env_, image.data() + file->offset(), file->length(), options);
    return RunSession(session);
  }

  std::vector<float> FromNamed(std::string& image) {
    Ort::SessionOptions options = Bare();
    options.AddConfigEntry("session.model_external_initializers_file_folder_path", "/dev");
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    std::vector<Ort::Value> values;
    for (const index::Tensor* tensor : *Index().tensors()) {
      const std::vector<int64_t> shape(tensor->shape()->begin(), tensor->shape()->end());
      values.push_back(Ort::Value::CreateTensor(memory, image.data() + tensor->offset(),
                                                tensor->length(), shape.data(), shape.size(),
                                                ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT));
      options.AddInitializer(tensor->name()->c_str(), values.back());
    }
    const index::File* file = Index().files()->LookupByKey("model.onnx");
    Ort::Session session(env_, image.data() + file->offset(), file->length(), options);
    return RunSession(session);
  }

  std::string Form() { return Index().metadata()->LookupByKey("ort.form")->value()->str(); }

  Ort::Env env_{ORT_LOGGING_LEVEL_ERROR, "test"};

 private:
  static Ort::SessionOptions Bare() {
    Ort::SessionOptions options;
    options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
    options.SetIntraOpNumThreads(1);  // its own threads are not built for ThreadSanitizer
    options.AddConfigEntry("session.disable_prepacking", "1");
    return options;
  }
};

TEST_F(OrtVariant, BytesFormGivesTheAnswersOfTheOriginal) {
  WriteModel(Weight("w1", kIn, kHidden));
  Result<Manifest> manifest = Run("model.onnx");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const ManifestVariant* ort = Find(*manifest, Variant::kOrt);
  ASSERT_NE(ort, nullptr) << ManifestToJson(*manifest);
  EXPECT_EQ(ort->key, OrtVariantKey(OrtGetApiBase()->GetVersionString()));
  const std::string image = Image(*ort);
  EXPECT_EQ(Form(), "bytes");
  EXPECT_TRUE(Index().files()->LookupByKey("model.ort")->alone());
  ExpectClose(FromBytes(image), Expected());
}

TEST_F(OrtVariant, NamedFormGivesTheAnswersOfTheOriginal) {
  WriteModel(Weight("w1", kIn, kHidden));
  Result<Manifest> manifest = Run("model.onnx", {Variant::kOrt}, /*ort_bytes_limit=*/1000);
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  std::string image = Image(manifest->variants[0]);
  EXPECT_EQ(Form(), "named");
  EXPECT_EQ(Index().tensors()->size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/out/ort/null"));
  ExpectClose(FromNamed(image), Expected());
  // The answer comes from the tensors that were handed over, and from nowhere else.
  const index::Tensor* w2 = Index().tensors()->LookupByKey("w2");
  ASSERT_NE(w2, nullptr);
  std::fill_n(image.begin() + static_cast<ptrdiff_t>(w2->offset()), w2->length(), '\0');
  EXPECT_THAT(FromNamed(image), ::testing::Each(0.0f));
}

Result<std::string> Aligned(std::string_view model) {
  std::string made;
  const Result<bool> moved =
      AlignOrtWeights(std::as_bytes(std::span(model)), [&](std::span<const std::byte> piece) {
        made.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return Status();
      });
  if (!moved.ok()) return moved.status();
  return *moved ? made : std::string(model);
}

TEST_F(OrtVariant, WeightsOfTheBytesFormBeginAtMultiplesOf64) {
  WriteModel(Weight("w1", kIn, kHidden));
  Result<Manifest> manifest = Run("model.onnx", {Variant::kOrt});
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(manifest->variants[0]);
  for (const size_t count : {kIn * kHidden, kHidden * kOut}) {
    const size_t at = image.find(Raw(Values(count, 0.11f)));
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(at % kOrtWeightAlignment, 0u);
  }
  EXPECT_FALSE(std::filesystem::exists(root_ + "/out/ort/model.aligned.ort"));
}

// The model is had all the same, in the form it would have had before, or not at all.
TEST_F(OrtVariant, WhatFailsWhileItIsMadeSteadierCostsSpeedOnly) {
  WriteModel(Weight("w1", kIn, kHidden));
  steady_min_bytes_ = 1024;
  const std::vector<float> expected = Expected();
  int slower = 0;
  for (const auto& [op, error] :
       {std::pair(fault::Op::kOpen, EMFILE), std::pair(fault::Op::kRead, EIO),
        std::pair(fault::Op::kWrite, ENOSPC), std::pair(fault::Op::kMmap, ENOMEM)}) {
    bool fired = true;
    for (int nth = 1; fired; ++nth) {
      std::filesystem::remove_all(root_ + "/out");
      std::filesystem::create_directory(root_ + "/out");
      fault::ScopedPlan plan({.op = op, .nth = nth, .error = error});
      const Result<Manifest> manifest = Run("model.onnx", {Variant::kOrt});
      fired = plan.fired();
      EXPECT_TRUE(fired || manifest.ok()) << manifest.status().ToString();
      if (!manifest.ok()) continue;
      slower += static_cast<int>(!manifest->notes.empty());
      for (const auto& file : std::filesystem::directory_iterator(root_ + "/out/ort")) {
        const std::string name = file.path().filename();
        EXPECT_TRUE(name == "model.ort" || name == "ort.index") << name;
      }
      ExpectClose(FromBytes(Image(manifest->variants[0])), expected);
    }
  }
  EXPECT_GT(slower, 3);
}

// As ONNX Runtime writes it.
class OrtAlignment : public OrtVariant {
 protected:
  void SetUp() override {
    OrtVariant::SetUp();
    WriteModel(Weight("w1", kIn, kHidden));
    Ort::SessionOptions options;
    options.SetOptimizedModelFilePath((root_ + "/plain.ort").c_str());
    options.AddConfigEntry("session.save_model_format", "ORT");
    const Ort::Session session(env_, (root_ + "/in/model.onnx").c_str(), options);
    plain_ = Read(root_ + "/plain.ort");
  }

  std::string plain_;
};

TEST_F(OrtAlignment, IsOnceForAll) {
  const Result<std::string> once = Aligned(plain_);
  ASSERT_TRUE(once.ok()) << once.status().ToString();
  const Result<std::string> twice = Aligned(*once);
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(*twice, *once);
}

TEST_F(OrtAlignment, DamageIsAnError) {
  for (size_t length = 0; length + 1 < plain_.size(); length += 61) {
    const Result<std::string> made = Aligned(std::string_view(plain_).substr(0, length));
    EXPECT_EQ(made.status().code(), StatusCode::kDataLoss) << length;
  }
  for (size_t at = 0; at < plain_.size(); at += at < 4096 ? 1 : 97) {
    std::string damaged = plain_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    (void)Aligned(damaged);  // whatever it says, it ends and stays inside
  }
}

// Else each table of a file could have it, and each byte of the file would be read thousands of times.
TEST(OrtOutline, OneWithMoreThanTheKnownFieldsIsNotWalked) {
  constexpr uint16_t kLength = 60000;
  std::string model = Raw(std::vector<int32_t>{8, 0, -4});  // the table at 8, its outline at 12
  model += Raw(std::vector<uint16_t>{kLength, 8}) + std::string(kLength, '\0');
  EXPECT_EQ(Aligned(model).status().code(), StatusCode::kUnimplemented);
}

TEST_F(OrtAlignment, WhatTheSinkSaysIsPassedOn) {
  const Status full(StatusCode::kResourceExhausted, "full");
  const auto sink = [&](std::span<const std::byte>) { return full; };
  const Result<bool> made = AlignOrtWeights(std::as_bytes(std::span(plain_)), sink);
  EXPECT_EQ(made.status().code(), StatusCode::kResourceExhausted);
}

TEST_F(OrtVariant, ExternalDataOfTheSourceIsTakenIn) {
  const std::string weights = Raw(Values(kIn * kHidden, 0.11f));
  Write("w.bin", weights);
  WriteModel(ExternalData(OnnxTensorProto("w1", kFloat, {kIn, kHidden}), "w.bin", "0",
                          std::to_string(weights.size())));
  Result<Manifest> manifest = Run("", {Variant::kOrt});
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string image = Image(manifest->variants[0]);
  ExpectClose(FromBytes(image), Expected());
}

TEST_F(OrtVariant, AModelThatTheFrameworkRefusesKeepsItsOtherVariants) {
  const Proto node = Proto().Bytes(1, "w").Bytes(2, "y").Bytes(4, "NoSuchOperator");
  const Proto graph = Proto().Add(1, node).Bytes(2, "g").Add(5, Weight("w", 4, 4));
  Write("model.onnx", Proto().Int(1, 8).Add(8, Proto().Int(2, 17)).Add(7, graph).str());
  Result<Manifest> manifest = Run("model.onnx");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(Find(*manifest, Variant::kOrt), nullptr);
  EXPECT_NE(Find(*manifest, Variant::kTensors), nullptr);
  EXPECT_THAT(manifest->notes, Contains(HasSubstr("no ort:")));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/out/ort"));
  std::filesystem::remove_all(root_ + "/out");
  std::filesystem::create_directory(root_ + "/out");
  EXPECT_FALSE(Run("model.onnx", {Variant::kOrt}).ok());
}

TEST(OrtLibrary, ALibraryThatIsNotThereIsUnimplementedWithAHint) {
  Result<OrtLibrary> library = OrtLibrary::Load("/nowhere/libonnxruntime.so");
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.status().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(library.status().hint(), HasSubstr("scripts/setup"));
  EXPECT_EQ(OrtLibrary::Load("libc.so.6").status().code(), StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace trims

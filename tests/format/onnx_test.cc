#include "format/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <utility>

#include "format/model_bytes.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::ExternalData;
using test::OnnxModelBytes;
using test::OnnxTensorProto;
using test::Proto;
using test::Raw;
using test::StrictBytes;
using ::testing::HasSubstr;

constexpr int kFloat = 1, kInt64 = 7, kString = 8, kBool = 9, kFloat16 = 10;

Result<OnnxModel> Read(const std::string& file) { return ReadOnnx(StrictBytes(file)); }

std::string Decoded(const std::string& file, const OnnxTensor& tensor) {
  std::string out;
  EXPECT_TRUE(DecodeTyped(StrictBytes(file), tensor, [&](std::span<const std::byte> chunk) {
                out.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
                return Status();
              }).ok());
  return out;
}

TEST(Onnx, RawDataIsFoundWhereItLies) {
  const std::string weights = Raw<float>({1, 2, 3, 4, 5, 6});
  const std::string file = OnnxModelBytes({OnnxTensorProto("w", kFloat, {2, 3}).Bytes(9, weights)});
  Result<OnnxModel> model = Read(file);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->opset, "17");
  EXPECT_EQ(model->producer, "test");
  ASSERT_EQ(model->initializers.size(), 1u);
  const TensorEntry& entry = model->initializers[0].entry;
  EXPECT_EQ(entry.shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(file.substr(entry.offset, entry.length), weights);
}

TEST(Onnx, TypedFieldsAreDecodedToTheElementsWidth) {
  Proto packed;
  packed.Varint(0x3c00).Varint(0xbc00);
  const std::string file =
      OnnxModelBytes({OnnxTensorProto("f", kFloat, {2}).Bytes(4, Raw<float>({1.5f, -2})),
                      OnnxTensorProto("h", kFloat16, {2}).Bytes(5, packed.str()),
                      OnnxTensorProto("i", kInt64, {2}).Int(7, static_cast<uint64_t>(-1)).Int(7, 5),
                      OnnxTensorProto("b", kBool, {2}).Int(5, 1).Int(5, 0)});
  Result<OnnxModel> model = Read(file);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(Decoded(file, model->initializers[0]), Raw<float>({1.5f, -2}));
  EXPECT_EQ(Decoded(file, model->initializers[1]), Raw<uint16_t>({0x3c00, 0xbc00}));
  EXPECT_EQ(Decoded(file, model->initializers[2]), Raw<int64_t>({-1, 5}));
  EXPECT_EQ(Decoded(file, model->initializers[3]), Raw<uint8_t>({1, 0}));
}

TEST(Onnx, ConstantsOfTheMainGraphCountAsInitializers) {
  const Proto value = OnnxTensorProto("", kFloat, {1}).Bytes(9, "abcd");
  const Proto attribute = Proto().Bytes(1, "value").Add(5, value);
  const Proto node = Proto().Bytes(2, "c").Bytes(4, "Constant").Add(5, attribute);
  const Proto other = Proto().Bytes(2, "d").Bytes(4, "Shape").Add(5, attribute);
  const std::string file = Proto().Add(7, Proto().Add(1, node).Add(1, other)).str();
  Result<OnnxModel> model = Read(file);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->initializers.size(), 1u);
  EXPECT_EQ(model->initializers[0].entry.name, "c");
  EXPECT_EQ(file.substr(model->initializers[0].entry.offset, 4), "abcd");
}

Proto ConstantNode(const char* output) {
  const Proto value = OnnxTensorProto("", kFloat, {1}).Bytes(9, "abcd");
  return Proto()
      .Bytes(2, output)
      .Bytes(4, "Constant")
      .Add(5, Proto().Bytes(1, "value").Add(5, value));
}

TEST(Onnx, ConstantsOfFunctionsAreNoneOfTheMainGraphs) {
  const Proto graph = Proto().Add(1, ConstantNode("c"));
  const Proto first = Proto().Bytes(1, "f").Add(7, ConstantNode("c"));
  const Proto second = Proto().Bytes(1, "g").Add(7, ConstantNode("c")).Add(7, ConstantNode("d"));
  Result<OnnxModel> model = Read(Proto().Add(7, graph).Add(25, first).Add(25, second).str());
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->initializers.size(), 1u);
  EXPECT_EQ(model->initializers[0].entry.name, "c");
}

TEST(Onnx, ExternalDataOfAFunctionIsReported) {
  const Proto tensor = ExternalData(OnnxTensorProto("", kFloat, {1}), "w.bin", "0", "4");
  const Proto value = Proto().Bytes(1, "value").Add(5, tensor);
  const Proto node = Proto().Bytes(2, "c").Bytes(4, "Constant").Add(5, value);
  const Proto function = Proto().Add(7, node);
  Result<OnnxModel> model = Read(Proto().Add(7, Proto()).Add(25, function).str());
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_TRUE(model->nested_external);
  EXPECT_EQ(model->external_files, std::set<std::string>{"w.bin"});
}

TEST(Onnx, ExternalDataIsReportedWithItsFile) {
  const std::string file =
      OnnxModelBytes({ExternalData(OnnxTensorProto("w", kFloat, {2}), "./w.bin", "64", "8")});
  Result<OnnxModel> model = Read(file);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->initializers[0].location, "./w.bin");
  EXPECT_EQ(model->initializers[0].entry.offset, 64u);
  EXPECT_EQ(model->external_files, std::set<std::string>{"./w.bin"});
}

TEST(Onnx, StringsAreKeptAndMarked) {
  Result<OnnxModel> model =
      Read(OnnxModelBytes({OnnxTensorProto("s", kString, {1}).Bytes(6, "hi")}));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->initializers[0].entry.dtype, DType::kUnknown);
  EXPECT_EQ(OnnxTypeName(model->initializers[0].onnx_type), "STRING");
  EXPECT_TRUE(model->doubt.ok());
}

TEST(Onnx, EveryTruncationIsRefused) {
  const std::string file =
      OnnxModelBytes({OnnxTensorProto("w", kFloat, {2}).Bytes(9, Raw<float>({1, 2}))});
  for (size_t length = 0; length < file.size(); ++length) {
    EXPECT_FALSE(Read(file.substr(0, length)).ok()) << length;
  }
  EXPECT_EQ(Read(file.substr(0, file.size() - 1)).status().code(), StatusCode::kDataLoss);
}

TEST(Onnx, GraphsNestedWithoutEndAreRefused) {
  Proto graph;
  for (int i = 0; i < 100; ++i) {
    const Proto attribute = Proto().Add(6, graph);
    graph = Proto().Add(1, Proto().Add(5, attribute));
  }
  Result<OnnxModel> model = Read(Proto().Add(7, graph).str());
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.status().message(), HasSubstr("nested"));
}

TEST(Onnx, WhatIsNoProtocolBufferIsRefused) {
  EXPECT_FALSE(Read("").ok());
  EXPECT_FALSE(Read("not a model").ok());
  EXPECT_FALSE(Read(std::string(100, '\0')).ok());
  EXPECT_FALSE(Read(std::string(100, '\xff')).ok());
}

TEST(Onnx, AHundredThousandInitializersAreFine) {
  std::vector<Proto> tensors;
  for (int i = 0; i < 100'000; ++i) {
    tensors.push_back(OnnxTensorProto("t" + std::to_string(i), kFloat, {1}).Bytes(9, "abcd"));
  }
  Result<OnnxModel> model = Read(OnnxModelBytes(tensors));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->initializers.size(), 100'000u);
}

}  // namespace
}  // namespace trims

#include "prepare/tensor_groups.h"

#include <gtest/gtest.h>

#include <vector>

namespace trims {
namespace {

TEST(TensorGroupsTest, ALayerIsANameUpToItsFirstNumber) {
  EXPECT_EQ(LayerOf("model.layers.3.mlp.up.weight"), "model.layers.3");
  EXPECT_EQ(LayerOf("encoder.block.12.layer.1.weight"), "encoder.block.12");
  EXPECT_EQ(LayerOf("12.weight"), "12");
  EXPECT_EQ(LayerOf("layer.7"), "layer.7");
}

TEST(TensorGroupsTest, WithoutANumberItIsTheNameUpToItsFirstDot) {
  EXPECT_EQ(LayerOf("lm_head.weight"), "lm_head");
  EXPECT_EQ(LayerOf("MatMul_123"), "MatMul_123");
  EXPECT_EQ(LayerOf("conv1.weight"), "conv1") << "a number is a word of its own";
  EXPECT_EQ(LayerOf(""), "");
  EXPECT_EQ(LayerOf(".."), "");
}

TEST(TensorGroupsTest, OnlyLongGroupsBeginAlignedAndOnlyTheirBeginning) {
  const uint64_t half = kLeastAlignedGroup / 2;
  const std::vector<NamedBytes> tensors = {
      {"layers.0.a", half}, {"layers.0.b", half}, {"layers.1.a", half}, {"norm.weight", 100},
      {"layers.2.a", half}, {"layers.2.b", half}, {"layers.0.c", half}};
  const std::vector<bool> expected = {true, false, false, false, true, false, false};
  EXPECT_EQ(AlignedGroups(tensors), expected);
  EXPECT_TRUE(AlignedGroups({}).empty());
}

}  // namespace
}  // namespace trims

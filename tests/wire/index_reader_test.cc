#include "wire/index_reader.h"

#include <gtest/gtest.h>

#include "support/index_builder.h"

namespace trims::wire {
namespace {

using trims::test::BuildIndex;
using trims::test::IndexSpec;

TEST(IndexReaderTest, FindsEveryNameAndNoOther) {
  IndexSpec spec;
  for (int i = 0; i < 100; ++i) {
    spec.tensors.push_back({.name = "t" + std::to_string(100 + i),
                            .shape = {1},
                            .offset = static_cast<uint64_t>(i),
                            .length = 4});
  }
  spec.files = {{.name = "a"}, {.name = "b"}};
  spec.metadata = {{"k", "v"}};
  const std::vector<std::byte> bytes = BuildIndex(spec);
  const IndexReader reader(bytes);
  EXPECT_EQ(*reader.TensorCount(), 100U);
  EXPECT_EQ(*reader.FileCount(), 2U);
  for (size_t i = 0; i < 100; ++i) {
    const auto* tensor = *reader.FindTensor(spec.tensors[i].name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->offset(), i);
    EXPECT_EQ(*reader.Tensor(i), tensor);
  }
  for (const char* name : {"", "s", "t", "t1", "t1000", "t1555", "z"}) {
    EXPECT_EQ(*reader.FindTensor(name), nullptr) << name;
  }
  EXPECT_EQ(*reader.Tensor(100), nullptr);
  EXPECT_EQ(*reader.File(2), nullptr);
  EXPECT_EQ((*reader.FindFile("b"))->name()->string_view(), "b");
  EXPECT_EQ((*reader.FindMetadata("k"))->value()->string_view(), "v");
  EXPECT_EQ(*reader.FindMetadata("l"), nullptr);
}

TEST(IndexReaderTest, NamesOrderByBytes) {
  IndexSpec spec;
  spec.files = {{.name = "Z"}, {.name = "a"}, {.name = "\xc3\xa4"}};
  const std::vector<std::byte> bytes = BuildIndex(spec);
  const IndexReader reader(bytes);
  for (const auto& file : spec.files) EXPECT_NE(*reader.FindFile(file.name), nullptr);
}

TEST(IndexReaderTest, WhatIsNoIndexIsDataLoss) {
  const std::vector<std::byte> zeros(256);
  const std::vector<std::byte> ones(256, std::byte{0xff});
  for (const IndexReader& reader : {IndexReader(), IndexReader(zeros), IndexReader(ones),
                                    IndexReader(std::span(zeros).first(3))}) {
    EXPECT_EQ(reader.TensorCount().status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(reader.FindFile("x").status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(reader.FindMetadata("x").status().code(), StatusCode::kDataLoss);
  }
}

TEST(IndexReaderTest, AnotherVersionIsDataLoss) {
  IndexSpec spec;
  spec.version = kIndexVersion + 1;
  const std::vector<std::byte> bytes = BuildIndex(spec);
  EXPECT_EQ(IndexReader(bytes).TensorCount().status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace trims::wire

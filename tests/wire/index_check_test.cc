#include "wire/index_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/mapping.h"
#include "support/index_builder.h"
#include "wire/index_reader.h"

namespace trims::wire {
namespace {

using ::testing::HasSubstr;
using trims::test::BuildIndex;
using trims::test::IndexSpec;

constexpr uint64_t kLengths[] = {4096, 1000};

IndexSpec GoodSpec() {
  IndexSpec spec;
  spec.length = kHugePageSize + 1000;
  spec.extents = {{0, 4096}, {kHugePageSize, 1000}};
  spec.tensors = {
      {.name = "a.weight", .shape = {2, 3}, .offset = 256, .length = 24},
      {.name = "b.empty", .shape = {0, 7}, .offset = 0, .length = 0},
      {.name = "c.scalar", .dtype = index::DType::I64, .shape = {}, .offset = 512, .length = 8}};
  spec.files = {{.name = "config.json", .offset = 0, .length = 100, .extent = 0},
                {.name = "sub/model.bin",
                 .offset = kHugePageSize,
                 .length = 1000,
                 .extent = 1,
                 .alone = true}};
  spec.metadata = {{"format", "onnx"}, {"ort.version", "1.32"}};
  return spec;
}

Status Check(const IndexSpec& spec) { return CheckIndex(BuildIndex(spec), kLengths); }

TEST(IndexCheckTest, AcceptsAGoodOne) {
  EXPECT_TRUE(Check(GoodSpec()).ok()) << Check(GoodSpec()).ToString();
  IndexSpec empty;
  EXPECT_TRUE(CheckIndex(BuildIndex(empty), {}).ok());
}

TEST(IndexCheckTest, PackedTensorsEndWithPartOfAByte) {
  IndexSpec spec = GoodSpec();
  spec.tensors[0].dtype = index::DType::U4;
  spec.tensors[0].shape = {3, 3};
  spec.tensors[0].length = 5;
  EXPECT_TRUE(Check(spec).ok()) << Check(spec).ToString();
  spec.tensors[0].length = 4;
  EXPECT_FALSE(Check(spec).ok());
}

TEST(IndexCheckTest, ATypeThatOnlyHasANameMayBeOfAnyLength) {
  IndexSpec spec = GoodSpec();
  spec.tensors[0].dtype = index::DType::Unknown;
  spec.tensors[0].type_name = "F3_NEW";
  spec.tensors[0].length = 5;
  EXPECT_TRUE(Check(spec).ok()) << Check(spec).ToString();
}

struct Damage {
  const char* name;
  std::function<void(IndexSpec*)> apply;
  const char* says;
};

class DamagedIndexTest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedIndexTest, IsRefused) {
  IndexSpec spec = GoodSpec();
  GetParam().apply(&spec);
  const Status status = Check(spec);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().says));
}

const Damage kDamages[] = {
    {"Version", [](IndexSpec* s) { s->version = 2; }, "version 2"},
    {"RangeTooLong", [](IndexSpec* s) { s->length += 1; }, "a range of"},
    {"RangeTooShort", [](IndexSpec* s) { s->length -= 1; }, "a range of"},
    {"ExtentMissing", [](IndexSpec* s) { s->extents.pop_back(); }, "1 extents"},
    {"ExtentElsewhere", [](IndexSpec* s) { s->extents[1].first += kHugePageSize; }, "extent 1"},
    {"ExtentLonger", [](IndexSpec* s) { s->extents[0].second += 1; }, "extent 0"},
    {"TensorUnnamed", [](IndexSpec* s) { s->tensors[0].name = ""; }, "without a name"},
    {"TensorTwice", [](IndexSpec* s) { s->tensors[1].name = "a.weight"; }, "there twice"},
    {"TensorUnsorted", [](IndexSpec* s) { std::swap(s->tensors[0].name, s->tensors[1].name); },
     "sorted place"},
    {"TensorNoType", [](IndexSpec* s) { s->tensors[0].dtype = index::DType::Unknown; },
     "no known type"},
    {"TensorTwoTypes", [](IndexSpec* s) { s->tensors[0].type_name = "F32"; }, "no known type"},
    {"TensorOddTypeName",
     [](IndexSpec* s) {
       s->tensors[0].dtype = index::DType::Unknown;
       s->tensors[0].type_name = "a\nb";
     },
     "no known type"},
    {"TensorOddType", [](IndexSpec* s) { s->tensors[0].dtype = static_cast<index::DType>(99); },
     "no known type"},
    {"TensorShape",
     [](IndexSpec* s) {
       s->tensors[0].shape = {2, 4};
     },
     "shape says otherwise"},
    {"TensorOverflow",
     [](IndexSpec* s) {
       s->tensors[0].shape = {uint64_t{1} << 62, 4};
       s->tensors[0].length = 0;
     },
     "shape says otherwise"},
    {"TensorRank", [](IndexSpec* s) { s->tensors[0].shape.assign(33, 1); }, "dimensions"},
    {"TensorBeyond", [](IndexSpec* s) { s->tensors[0].offset = 4090; }, "one extent"},
    {"TensorInGap", [](IndexSpec* s) { s->tensors[0].offset = 8192; }, "one extent"},
    {"TensorHuge", [](IndexSpec* s) { s->tensors[0].offset = UINT64_MAX - 3; }, "one extent"},
    {"TensorEmptyBeyond", [](IndexSpec* s) { s->tensors[1].offset = UINT64_MAX; }, "one extent"},
    {"FileAbsolute", [](IndexSpec* s) { s->files[0].name = "/etc/x"; }, "relative path"},
    {"FileUp", [](IndexSpec* s) { s->files[0].name = "a/../../x"; }, "relative path"},
    {"FileEmptyPart", [](IndexSpec* s) { s->files[0].name = "a//x"; }, "relative path"},
    {"FileTwice", [](IndexSpec* s) { s->files[1].name = "config.json"; }, "there twice"},
    {"FileExtent", [](IndexSpec* s) { s->files[0].extent = 2; }, "not there"},
    {"FileBeyond", [](IndexSpec* s) { s->files[0].length = 4097; }, "its extent"},
    {"FileOtherExtent", [](IndexSpec* s) { s->files[0].extent = 1; }, "its extent"},
    {"FileNotAlone", [](IndexSpec* s) { s->files[0].alone = true; }, "alone"},
    {"FileEmptyAlone",
     [](IndexSpec* s) {
       s->files[0].length = 0;
       s->files[0].alone = true;
     },
     "no bytes"},
    {"MetadataTwice", [](IndexSpec* s) { s->metadata[1].first = "format"; }, "there twice"},
    {"MetadataUnnamed", [](IndexSpec* s) { s->metadata[0].first = ""; }, "without a name"},
};

INSTANTIATE_TEST_SUITE_P(All, DamagedIndexTest, ::testing::ValuesIn(kDamages),
                         [](const auto& damage) { return std::string(damage.param.name); });

TEST(IndexCheckTest, ANameWithANulByteIsRefused) {
  flatbuffers::FlatBufferBuilder builder;
  const auto name = builder.CreateString(std::string("a\0b", 3));
  std::vector<flatbuffers::Offset<index::Metadata>> metadata = {
      index::CreateMetadata(builder, name)};
  const std::vector<index::Extent> extents;
  index::FinishIndexBuffer(builder, index::CreateIndexDirect(builder, kIndexVersion, 0, &extents,
                                                             nullptr, nullptr, &metadata));
  const Status status =
      CheckIndex(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())), {});
  EXPECT_THAT(status.message(), HasSubstr("NUL"));
}

TEST(IndexCheckTest, AcceptsAHundredThousandTensors) {
  IndexSpec spec = GoodSpec();
  spec.tensors.clear();
  for (int i = 0; i < 100000; ++i) {
    spec.tensors.push_back(
        {.name = "t" + std::to_string(1000000 + i), .shape = {1}, .offset = 0, .length = 4});
  }
  EXPECT_TRUE(Check(spec).ok());
}

// Whatever the check lets through, every look-up in it must be safe; and what it refuses must be
// safe to look into too.
TEST(IndexCheckTest, CutAndFlippedIndexesNeverCrash) {
  const std::vector<std::byte> bytes = BuildIndex(GoodSpec());
  // The last bytes of a buffer may be padding.
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(CheckIndex(cut, kLengths).ok()) << size;
  }
  size_t refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    refused += CheckIndex(flipped, kLengths).ok() ? 0 : 1;
    const IndexReader reader(flipped);
    for (size_t i = 0; i < 4; ++i) {
      (void)reader.Tensor(i);
      (void)reader.File(i);
    }
    (void)reader.FindTensor("c.scalar");
    (void)reader.FindFile("sub/model.bin");
    (void)reader.FindMetadata("format");
  }
  EXPECT_GT(refused, bytes.size());
}

}  // namespace
}  // namespace trims::wire

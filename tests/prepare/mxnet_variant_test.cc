#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "prepare/companions.h"
#include "prepare/mxnet_choice.h"
#include "prepare/prepare_fixture.h"

namespace trims {
namespace {

using test::MxnetArrayBytes;
using test::MxnetListBytes;
using test::MxnetVersion;
using test::Raw;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSymbolText[] =
    R"({"nodes":[{"op":"null","name":"w","inputs":[]}],"arg_nodes":[0],"heads":[[0,0,0]]})";

std::string ListOf(float value) {
  return MxnetListBytes({MxnetArrayBytes(MxnetVersion::kV2, {1}, 0, Raw<float>({value})),
                         MxnetArrayBytes(MxnetVersion::kV2, {2}, 5, "ab")},
                        {"arg:w", "aux:m"});
}

class MxnetVariantTest : public test::PrepareTest {
 protected:
  std::string TensorOf(const std::string& image, const std::string& name) const {
    for (const index::Tensor* tensor : *Index().tensors()) {
      if (tensor->name()->str() == name) return image.substr(tensor->offset(), tensor->length());
    }
    return "no such tensor";
  }
  std::string MetadataOf(const std::string& key) const {
    for (const index::Metadata* entry : *Index().metadata()) {
      if (entry->key()->str() == key) return entry->value()->str();
    }
    return "";
  }
};

TEST_F(MxnetVariantTest, TheSymbolLiesBehindTheArrays) {
  Write("net-0000.params", ListOf(1));
  Write("net-0012.params", ListOf(12));
  Write("net-symbol.json", kSymbolText);
  const Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->format, "mxnet");
  EXPECT_THAT(manifest->notes, ElementsAre(HasSubstr("net-0012.params was taken")));
  const ManifestVariant* tensors = Find(*manifest, Variant::kTensors);
  ASSERT_NE(tensors, nullptr);
  EXPECT_NE(Find(*manifest, Variant::kFiles), nullptr);
  const std::string image = Image(*tensors);
  EXPECT_EQ(TensorOf(image, "arg:w"), Raw<float>({12}));
  EXPECT_EQ(TensorOf(image, "aux:m"), "ab");
  ASSERT_EQ(Index().files()->size(), 1u);
  const index::File& file = *Index().files()->Get(0);
  EXPECT_EQ(file.name()->str(), "net-symbol.json");
  EXPECT_EQ(image.substr(file.offset(), file.length()), kSymbolText);
  EXPECT_EQ(MetadataOf("mxnet.symbol"), "net-symbol.json");
  EXPECT_EQ(MetadataOf("mxnet.epoch"), "12");
}

TEST_F(MxnetVariantTest, WithoutASymbolThereAreTensorsAndANote) {
  Write("net.params", ListOf(1));
  const Result<Manifest> manifest = Run("net.params");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_NE(Find(*manifest, Variant::kTensors), nullptr);
  EXPECT_THAT(manifest->notes, ElementsAre(HasSubstr("expected 'net-symbol.json'")));
}

TEST_F(MxnetVariantTest, OfSeveralNetworksNoneIsTaken) {
  Write("a-0000.params", ListOf(1));
  Write("b-0000.params", ListOf(1));
  const Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->format, "files");
  EXPECT_THAT(manifest->notes, ElementsAre(HasSubstr("of different networks")));
}

TEST_F(MxnetVariantTest, ParametersOfOtherFrameworksAreFiles) {
  Write("deploy.params", Raw<uint64_t>({0xF7E58D4F05049CB7, 0, 0}));
  const Result<Manifest> manifest = Run("deploy.params");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->format, "files");
  EXPECT_THAT(manifest->notes, ElementsAre(HasSubstr("nor MXNet's: kept as files only")));
}

TEST_F(MxnetVariantTest, SparseArraysCostTheVariantAndNotTheModel) {
  Write("net.params", MxnetListBytes({Raw<uint32_t>({0xF993FAC9, 1, 1})}, {"arg:e"}));
  const Result<Manifest> manifest = Run("net.params");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(Find(*manifest, Variant::kTensors), nullptr);
  EXPECT_THAT(manifest->notes, Contains(HasSubstr("no tensors: 'net.params': mxnet: array 0 of 1 "
                                                  "is stored as row_sparse")));
  std::filesystem::remove_all(root_ + "/out");
  std::filesystem::create_directory(root_ + "/out");
  EXPECT_EQ(Run("net.params", {Variant::kTensors}).status().code(), StatusCode::kUnimplemented);
}

struct Damage {
  const char* name;
  std::string params;
  std::string symbol;
  StatusCode code;
  const char* says;
  const char* hint;
};

class DamagedMxnet : public MxnetVariantTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedMxnet, IsAnErrorThatNamesTheFile) {
  Write("net-0000.params", GetParam().params);
  Write("net-symbol.json", GetParam().symbol);
  const Status status = Run("").status();
  EXPECT_EQ(status.code(), GetParam().code) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr(GetParam().says));
  EXPECT_THAT(status.hint(), HasSubstr(GetParam().hint));
}

const Damage kDamages[] = {
    {"Truncated", ListOf(1).substr(0, 60), kSymbolText, StatusCode::kDataLoss,
     "'net-0000.params': mxnet: truncated", "get the file again"},
    {"Symbol", ListOf(1), "{", StatusCode::kInvalidArgument, "'net-symbol.json': not valid JSON",
     "--variant files"},
    {"Circle", ListOf(1),
     R"({"nodes":[{"op":"r","name":"r","inputs":[[0,0,0]]}],"arg_nodes":[],"heads":[]})",
     StatusCode::kInvalidArgument, "nodes[0].inputs[0][0]: expected an earlier node",
     "--variant files"},
    {"MissingNode", ListOf(1),
     R"({"nodes":[{"op":"r","name":"r","inputs":[[3,0,0]]}],"arg_nodes":[],"heads":[]})",
     StatusCode::kInvalidArgument, "nodes[0].inputs[0][0]", "--variant files"},
};

INSTANTIATE_TEST_SUITE_P(All, DamagedMxnet, ::testing::ValuesIn(kDamages),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(MxnetVariantTest, ASymbolOfMoreThan64MebibytesCostsTheVariantAndNotTheModel) {
  Write("net-0000.params", ListOf(1));
  Write("net-symbol.json", kSymbolText);
  std::filesystem::resize_file(root_ + "/in/net-symbol.json", (uint64_t{64} << 20) + 1);
  const Result<Manifest> manifest = Run("");
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  const std::string why =
      "'net-symbol.json': a symbol of 67108865 bytes: expected at most 67108864";
  EXPECT_EQ(Find(*manifest, Variant::kTensors), nullptr);
  EXPECT_THAT(manifest->notes, Contains(HasSubstr("no tensors: " + why)));
  std::filesystem::remove_all(root_ + "/out");
  std::filesystem::create_directory(root_ + "/out");
  const Status status = Run("", {Variant::kTensors}).status();
  EXPECT_EQ(status.code(), StatusCode::kTooLarge) << status.ToString();
  EXPECT_EQ(status.message(), why);
  EXPECT_THAT(status.hint(), HasSubstr("--variant files"));
}

TEST(MxnetName, FourDigitsBehindADashAreAnEpoch) {
  EXPECT_EQ(ParseMxnetName("nets/resnet-50-0012.params").prefix, "nets/resnet-50");
  EXPECT_EQ(ParseMxnetName("nets/resnet-50-0012.params").epoch, 12u);
  EXPECT_EQ(ParseMxnetName("resnet-50.params").prefix, "resnet-50");
  EXPECT_EQ(ParseMxnetName("resnet-50.params").epoch, std::nullopt);
  EXPECT_EQ(ParseMxnetName("-0001.params").prefix, "-0001");
  EXPECT_EQ(ParseMxnetName("x-99999999999.params").prefix, "x-99999999999");
  EXPECT_EQ(MxnetSymbolName(ParseMxnetName("a/b-0000.params")), "a/b-symbol.json");
}

TEST_F(MxnetVariantTest, AFileByItselfBringsItsSymbol) {
  Write("net-0003.params", ListOf(1));
  Write("net-symbol.json", kSymbolText);
  Result<FileTree> tree = FileTree::At(SourceUri::OfPath(root_ + "/in/net-0003.params"));
  ASSERT_TRUE(tree.ok() && tree->List().ok());
  EXPECT_THAT(CompanionsOf(*tree), ElementsAre("net-symbol.json"));
  EXPECT_TRUE(MayHaveCompanions("net-0003.params"));
}

}  // namespace
}  // namespace trims

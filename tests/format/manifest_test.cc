#include "format/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string Digest(std::string_view text) { return Sha256Hex(std::as_bytes(std::span(text))); }

ManifestVariant FilesVariant() {
  ManifestVariant variant;
  variant.folder = "files";
  variant.index_path = "files.index";
  variant.index_length = 300;
  variant.index_sha256 = Digest("index");
  variant.extents.push_back({.length = 8192,
                             .sha256 = Digest("extent"),
                             .xxh3 = {0x0123456789abcdef},
                             .pieces = {{PieceOrigin::kSource, "a.bin", 0, 100, 0},
                                        {PieceOrigin::kPrepared, "b.bin", 7, 4096, 4096}}});
  return variant;
}

Manifest Example() {
  Manifest manifest;
  manifest.format = "onnx";
  manifest.source = "file:///models/m";
  manifest.files = {{"a.bin", 100, Digest("a")}, {"sub/b.bin", 5000, Digest("b")}};
  manifest.variants.push_back(FilesVariant());
  manifest.variants.push_back(FilesVariant());
  manifest.variants.back().kind = Variant::kOrt;
  manifest.variants.back().key = "ort-1.32.0;level=all;cpu=avx2";
  manifest.sandbox = "without new privileges";
  manifest.notes = {"no tensors: none found"};
  manifest.digest = ModelDigest(manifest.files);
  return manifest;
}

TEST(Manifest, SurvivesTheRoundTrip) {
  const Manifest manifest = Example();
  Result<Manifest> parsed = ParseManifest(ManifestToJson(manifest));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(ManifestToJson(*parsed), ManifestToJson(manifest));
  ASSERT_EQ(parsed->variants.size(), 2u);
  EXPECT_EQ(parsed->variants[1].kind, Variant::kOrt);
  EXPECT_EQ(parsed->variants[1].key, "ort-1.32.0;level=all;cpu=avx2");
  ASSERT_EQ(parsed->variants[0].extents[0].pieces.size(), 2u);
  EXPECT_EQ(parsed->variants[0].extents[0].pieces[0].origin, PieceOrigin::kSource);
  EXPECT_EQ(parsed->variants[0].extents[0].pieces[1].origin, PieceOrigin::kPrepared);
  EXPECT_EQ(parsed->variants[0].extents[0].pieces[1].at, 4096u);
  EXPECT_EQ(parsed->variants[0].folder, "files");
  EXPECT_EQ(parsed->variants[0].extents[0].xxh3, std::vector<uint64_t>{0x0123456789abcdef});
  EXPECT_EQ(parsed->SourceBytes(), 5100u);
}

TEST(Manifest, SaysWhereAVariantLiesBesides) {
  Manifest manifest = Example();
  manifest.variants[1].remote = ManifestRemote{"s3://bucket/m/", "ort-12"};
  Result<Manifest> parsed = ParseManifest(ManifestToJson(manifest));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_FALSE(parsed->variants[0].remote);
  ASSERT_TRUE(parsed->variants[1].remote);
  EXPECT_EQ(parsed->variants[1].remote->source, "s3://bucket/m/");
  EXPECT_EQ(parsed->variants[1].remote->folder, "ort-12");
  manifest.variants[1].remote->folder = "../m";
  EXPECT_EQ(ParseManifest(ManifestToJson(manifest)).status().code(), StatusCode::kInvalidArgument);
}

TEST(Manifest, OfThePreparerHasSumsButNoDigests) {
  Manifest manifest = Example();
  EXPECT_TRUE(CheckDigested(manifest).ok());
  manifest.variants[1].extents[0].sha256.clear();
  Result<Manifest> parsed = ParseManifest(ManifestToJson(manifest));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(parsed->variants[1].extents[0].sha256, "");
  EXPECT_EQ(CheckDigested(*parsed).code(), StatusCode::kFailedPrecondition);
}

TEST(Manifest, EachChunkHasASum) {
  Manifest manifest = Example();
  for (const std::vector<uint64_t>& sums : {std::vector<uint64_t>{}, {1, 2}}) {
    manifest.variants[0].extents[0].xxh3 = sums;
    EXPECT_EQ(ParseManifest(ManifestToJson(manifest)).status().code(),
              StatusCode::kInvalidArgument);
  }
}

TEST(Manifest, FootprintIsRoundedToPagesAndHoldsTheIndex) {
  ManifestVariant variant = FilesVariant();
  EXPECT_EQ(variant.FootprintBytes(), 8192u + 4096u);
  variant.extents.push_back({.length = 4097, .pieces = {}});
  EXPECT_EQ(variant.FootprintBytes(), 8192u + 4096u + 8192u);
}

TEST(Manifest, DigestOfOneFileIsTheFilesOwn) {
  EXPECT_EQ(ModelDigest({{"m.onnx", 3, Digest("abc")}}), Digest("abc"));
}

TEST(Manifest, DigestOfSeveralIsThatOfTheirListInOrderOfNames) {
  const std::string listed = Digest("1") + "  a\n" + Digest("2") + "  b\n";
  EXPECT_EQ(ModelDigest({{"b", 1, Digest("2")}, {"a", 1, Digest("1")}}), Digest(listed));
}

TEST(Manifest, NamesThatAreNoUtf8DoNotThrow) {
  Manifest manifest = Example();
  manifest.notes = {"\xff\xfe"};
  EXPECT_THAT(ManifestToJson(manifest), HasSubstr("\xef\xbf\xbd"));
}

struct Damage {
  const char* name;
  std::function<void(json&)> apply;
  const char* says;  // the error names the field
};

class DamagedManifest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedManifest, IsRefusedWithTheField) {
  json document = json::parse(ManifestToJson(Example()));
  GetParam().apply(document);
  Result<Manifest> parsed = ParseManifest(document.dump());
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(parsed.status().message(), HasSubstr(GetParam().says));
}

json& Piece(json& document, int i) { return document["variants"][0]["extents"][0]["pieces"][i]; }

const Damage kDamages[] = {
    {"NotAnObject", [](json& d) { d = json::array(); }, "the document"},
    {"Version", [](json& d) { d["version"] = 1; }, "version 3, came 1"},
    {"VersionOfLater", [](json& d) { d["version"] = 5; }, "version 3, came 5"},
    {"VersionText", [](json& d) { d["version"] = "3"; }, "version"},
    {"NoDigest", [](json& d) { d.erase("digest"); }, "digest"},
    {"DigestNotHex", [](json& d) { d["digest"] = "xyz"; }, "digest"},
    {"DigestOfOther", [](json& d) { d["digest"] = Digest("other"); }, "the digest"},
    {"NoFiles", [](json& d) { d["files"] = json::array(); }, "at least one file"},
    {"FilesUnsorted", [](json& d) { std::swap(d["files"][0], d["files"][1]); }, "files[1]"},
    {"FileTwice", [](json& d) { d["files"][1] = d["files"][0]; }, "files[1]"},
    {"FileAbove", [](json& d) { d["files"][0]["name"] = "../a"; }, "files[0].name"},
    {"FileAbsolute", [](json& d) { d["files"][0]["name"] = "/a"; }, "files[0].name"},
    {"FileLineBreak", [](json& d) { d["files"][0]["name"] = "a\nb"; }, "files[0].name"},
    {"FileNegative", [](json& d) { d["files"][0]["length"] = -1; }, "files[0].length"},
    {"FileHuge", [](json& d) { d["files"][0]["length"] = 1ull << 63; }, "files[0].length"},
    {"FileFraction", [](json& d) { d["files"][0]["length"] = 1.5; }, "files[0].length"},
    {"KindUnknown", [](json& d) { d["variants"][0]["kind"] = "gpu"; }, "variants[0].kind"},
    {"KindTwice", [](json& d) { d["variants"][1] = d["variants"][0]; }, "variants[1]"},
    {"KeyNumber", [](json& d) { d["variants"][0]["key"] = 3; }, "variants[0].key"},
    {"KeyControl", [](json& d) { d["variants"][0]["key"] = "a\x1b"; }, "variants[0].key"},
    {"IndexPath", [](json& d) { d["variants"][0]["index"]["path"] = "a/../../b"; }, "index.path"},
    {"IndexAbsolute", [](json& d) { d["variants"][0]["index"]["path"] = "/etc/x"; }, "index.path"},
    {"IndexEmpty", [](json& d) { d["variants"][0]["index"]["length"] = 0; }, "index.length"},
    {"ExtentsNone", [](json& d) { d["variants"][0]["extents"] = json::array(); }, "extents"},
    {"ExtentsMany",
     [](json& d) {
       json& extents = d["variants"][0]["extents"];
       extents = json(wire::kMaxExtents + 1, extents[0]);
     },
     "extents"},
    {"ExtentEmpty", [](json& d) { d["variants"][0]["extents"][0]["length"] = 0; }, "length"},
    {"FolderMissing", [](json& d) { d["variants"][0].erase("folder"); }, "folder"},
    {"FolderAbove", [](json& d) { d["variants"][0]["folder"] = "../files"; }, "variants[0].folder"},
    {"FolderAbsolute", [](json& d) { d["variants"][0]["folder"] = "/files"; },
     "variants[0].folder"},
    {"PieceAbove", [](json& d) { Piece(d, 0)["path"] = "../etc/shadow"; }, "pieces[0].path"},
    {"PieceAbsolute", [](json& d) { Piece(d, 1)["path"] = "/etc/shadow"; }, "pieces[1].path"},
    {"PieceOfNowhere", [](json& d) { Piece(d, 0)["origin"] = "network"; }, "pieces[0].origin"},
    {"PieceWithoutOrigin", [](json& d) { Piece(d, 0).erase("origin"); }, "origin"},
    {"PieceOfAnUnknownFile", [](json& d) { Piece(d, 0)["path"] = "c.bin"; }, "'c.bin'"},
    {"PieceBeyondItsFile", [](json& d) { Piece(d, 0)["offset"] = 1; }, "within their files"},
    {"PieceEmpty", [](json& d) { Piece(d, 0)["length"] = 0; }, "pieces[0].length"},
    {"PieceBeyond", [](json& d) { Piece(d, 1)["length"] = 4097; }, "pieces[1].length"},
    {"PieceOverflow", [](json& d) { Piece(d, 1)["at"] = ~0ull; }, "pieces[1].at"},
    {"PiecesOverlap", [](json& d) { Piece(d, 1)["at"] = 99; }, "pieces[1].at"},
    {"SandboxMissing", [](json& d) { d.erase("sandbox"); }, "sandbox"},
    {"SandboxControl", [](json& d) { d["sandbox"] = "a\nb"; }, "sandbox"},
    {"NoteNumber", [](json& d) { d["notes"][0] = 1; }, "notes[0]"},
};

INSTANTIATE_TEST_SUITE_P(Fields, DamagedManifest, ::testing::ValuesIn(kDamages),
                         [](const auto& info) { return info.param.name; });

TEST(Manifest, EveryTruncationIsRefused) {
  const std::string text = ManifestToJson(Example());
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ParseManifest(text.substr(0, length)).ok()) << length;
  }
}

TEST(Manifest, DeepNestingIsRefused) {
  const std::string deep(1'000'000, '[');
  Result<Manifest> parsed = ParseManifest(deep);
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(parsed.status().message(), HasSubstr("deeper"));
}

TEST(Manifest, TooManyBytesAreRefusedUnread) {
  Result<Manifest> parsed = ParseManifest(std::string((size_t{64} << 20) + 1, ' '));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), StatusCode::kTooLarge);
}

}  // namespace
}  // namespace trims

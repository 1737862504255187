// A folder for a source, a folder for what is prepared, and the image that a variant makes of them.
#ifndef TRIMS_TESTS_PREPARE_PREPARE_FIXTURE_H_
#define TRIMS_TESTS_PREPARE_PREPARE_FIXTURE_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/mapping.h"
#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "format/model_bytes.h"
#include "prepare/prepare.h"
#include "wire/index_check.h"
#include "wire/index_generated.h"

namespace trims::test {

class SilentProgress final : public PrepareProgress {
 public:
  void Fail(const Status&) override {}

 private:
  void Write(std::string_view, uint64_t, uint64_t) override {}
};

class PrepareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/trims-prepare-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = std::filesystem::canonical(pattern).string();
    std::filesystem::create_directory(root_ + "/in");
    std::filesystem::create_directory(root_ + "/out");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = root_ + "/in/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // `name` empty: the whole folder.
  Result<Manifest> Run(const std::string& name, std::vector<Variant> variants = {},
                       uint64_t ort_bytes_limit = kDefaultOrtBytesLimit) {
    SilentProgress progress;
    const Result<OrtLibrary> ort = OrtLibrary::Load("");
    return Prepare({.source = SourceUri::OfPath(root_ + "/in" + (name.empty() ? "" : "/" + name)),
                    .companions = {},
                    .out = root_ + "/out",
                    .variants = std::move(variants),
                    .precision = {},
                    .ort_bytes_limit = ort_bytes_limit,
                    .sandbox = {}},
                   ort, progress);
  }

  const ManifestVariant* Find(const Manifest& manifest, Variant kind) {
    for (const ManifestVariant& variant : manifest.variants) {
      if (variant.kind == kind) return &variant;
    }
    return nullptr;
  }

  // The segment as a client would map it; checks every digest on the way.
  std::string Image(const ManifestVariant& variant) {
    std::string image;
    std::vector<uint64_t> lengths;
    for (const ManifestExtent& extent : variant.extents) {
      std::string bytes(extent.length, '\0');
      for (const ManifestPiece& piece : extent.pieces) {
        bytes.replace(piece.at, piece.length, Read(PathOf(variant, piece)), piece.offset,
                      piece.length);
      }
      EXPECT_EQ(ChunkSumsOf(AsBytes(bytes)), extent.xxh3);
      EXPECT_EQ(extent.sha256, "");  // the daemon's to say
      image.resize(AlignUp(image.size(), kHugePageSize));
      image += bytes;
      lengths.push_back(extent.length);
    }
    index_ = Read(root_ + "/out/" + variant.folder + "/" + variant.index_path);
    EXPECT_EQ(index_.size(), variant.index_length);
    EXPECT_EQ(Sha256Hex(AsBytes(index_)), variant.index_sha256);
    const Status sound = wire::CheckIndex(AsBytes(index_), lengths);
    EXPECT_TRUE(sound.ok()) << sound.ToString();
    return image;
  }
  std::string PathOf(const ManifestVariant& variant, const ManifestPiece& piece) const {
    if (piece.origin == PieceOrigin::kSource) return root_ + "/in/" + piece.path;
    return root_ + "/out/" + variant.folder + "/" + piece.path;
  }
  const index::Index& Index() const { return *index::GetIndex(index_.data()); }

  std::string root_;
  std::string index_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_PREPARE_PREPARE_FIXTURE_H_

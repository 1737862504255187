// LoaderFixture: a prepared model on disk and the image of it.
#ifndef TRIMS_TESTS_LOAD_LOADER_FIXTURE_H_
#define TRIMS_TESTS_LOAD_LOADER_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "load/fill.h"
#include "source/source_uri.h"
#include "support/scratch_folder.h"

namespace trims::test {

// `size` bytes that differ for each `seed`.
std::string Bytes(size_t size, unsigned seed = 1);

class LoaderFixture : public ::testing::Test {
 protected:
  LoaderFixture();

  // Adds an extent that is the whole file `name` of the source folder, which it writes.
  void AddFile(const std::string& name, const std::string& bytes);
  // Adds an extent of these bytes; `pieces` say where they come from.
  void AddExtent(const std::string& bytes, std::vector<ManifestPiece> pieces);
  // Writes the index of the extents added so far.
  void WriteIndex();

  ImagePtr MakeImage() const { return std::make_shared<const Image>(image_); }
  Result<ResidentBytes> Load() const;
  static std::string Content(const Handle& extent);

  ScratchFolder source_;
  ScratchFolder prepared_;
  Image image_;
  FillOptions options_;
  std::vector<std::string> contents_;  // of the extents
  std::shared_ptr<FillControl> control_ = std::make_shared<FillControl>();
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_LOAD_LOADER_FIXTURE_H_

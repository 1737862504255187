#include "loader_fixture.h"

#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "wire/index_generated.h"
#include "wire/protocol.h"
#include "wire/range_layout.h"

namespace trims::test {

std::string Bytes(size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * (2 * seed + 1) + i / 4096);
  return bytes;
}

LoaderFixture::LoaderFixture() {
  image_.reference = "test";
  options_.prepared_root = prepared_.path();
  image_.source = SourceUri::OfPath(source_.path()).ToString();
  image_.variant.folder = "files";
}

void LoaderFixture::AddFile(const std::string& name, const std::string& bytes) {
  source_.Write(name, bytes);
  AddExtent(bytes, {{PieceOrigin::kSource, name, 0, bytes.size(), 0}});
}

void LoaderFixture::AddExtent(const std::string& bytes, std::vector<ManifestPiece> pieces) {
  const auto span = std::as_bytes(std::span(bytes));
  image_.variant.extents.push_back(
      {bytes.size(), TreeDigestOf(span), ChunkSumsOf(span), std::move(pieces)});
  contents_.push_back(bytes);
}

void LoaderFixture::WriteIndex() {
  wire::RangeLayout layout;
  std::vector<index::Extent> extents;
  for (const ManifestExtent& extent : image_.variant.extents) {
    extents.emplace_back(layout.Append(extent.length).value(), extent.length);
  }
  flatbuffers::FlatBufferBuilder builder;
  const auto vector = builder.CreateVectorOfStructs(extents);
  builder.Finish(index::CreateIndex(builder, wire::kIndexVersion, layout.length(), vector),
                 index::IndexIdentifier());
  const std::string bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()),
                          builder.GetSize());
  prepared_.Write("files/index", bytes);
  Sha256 hash;
  hash.Update(bytes);
  image_.variant.index_path = "index";
  image_.variant.index_length = bytes.size();
  image_.variant.index_sha256 = hash.FinishHex();
}

Result<ResidentBytes> LoaderFixture::Load() const {
  return FillFromFiles(image_, options_, control_.get());
}

std::string LoaderFixture::Content(const Handle& extent) {
  const Result<Mapping> mapping = Mapping::OfFile(extent.fd.get(), extent.length, PROT_READ);
  if (!mapping.ok()) return mapping.status().ToString();
  return std::string(reinterpret_cast<const char*>(mapping->data()), extent.length);
}

}  // namespace trims::test

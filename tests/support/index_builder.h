// BuildIndex: an index of given extents, tensors, files and metadata, right or wrong.
#ifndef TRIMS_TESTS_SUPPORT_INDEX_BUILDER_H_
#define TRIMS_TESTS_SUPPORT_INDEX_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wire/index_generated.h"
#include "wire/protocol.h"

namespace trims::test {

struct TensorSpec {
  std::string name;
  index::DType dtype = index::DType::F32;
  std::vector<uint64_t> shape;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string type_name;  // empty: none
};

struct FileSpec {
  std::string name;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint32_t extent = 0;
  bool alone = false;
};

// In the given order: the builder does not sort.
struct IndexSpec {
  uint16_t version = wire::kIndexVersion;
  uint64_t length = 0;
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // offset, length
  std::vector<TensorSpec> tensors;
  std::vector<FileSpec> files;
  std::vector<std::pair<std::string, std::string>> metadata;
};

inline std::vector<std::byte> BuildIndex(const IndexSpec& spec) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<index::Extent> extents;
  for (const auto& [offset, length] : spec.extents) extents.emplace_back(offset, length);
  std::vector<flatbuffers::Offset<index::Tensor>> tensors;
  for (const TensorSpec& tensor : spec.tensors) {
    tensors.push_back(index::CreateTensorDirect(
        builder, tensor.name.c_str(), tensor.dtype, &tensor.shape, tensor.offset, tensor.length,
        tensor.type_name.empty() ? nullptr : tensor.type_name.c_str()));
  }
  std::vector<flatbuffers::Offset<index::File>> files;
  for (const FileSpec& file : spec.files) {
    files.push_back(index::CreateFile(builder, builder.CreateString(file.name), file.offset,
                                      file.length, file.extent, file.alone));
  }
  std::vector<flatbuffers::Offset<index::Metadata>> metadata;
  for (const auto& [key, value] : spec.metadata) {
    metadata.push_back(index::CreateMetadataDirect(builder, key.c_str(), value.c_str()));
  }
  // Not CreateIndexDirect, which would sort.
  const auto extent_vector = builder.CreateVectorOfStructs(extents);
  const auto tensor_vector = builder.CreateVector(tensors);
  const auto file_vector = builder.CreateVector(files);
  const auto metadata_vector = builder.CreateVector(metadata);
  index::FinishIndexBuffer(
      builder, index::CreateIndex(builder, spec.version, spec.length, extent_vector, tensor_vector,
                                  file_vector, metadata_vector));
  const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {bytes, bytes + builder.GetSize()};
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_INDEX_BUILDER_H_

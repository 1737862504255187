#include "prepare/index_builder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/shown_name.h"
#include "wire/index_check.h"
#include "wire/index_generated.h"
#include "wire/protocol.h"
#include "wire/range_layout.h"

namespace trims {
namespace {

constexpr uint64_t kBytesPerEntry = 128;

Status CheckSize(const IndexContent& content) {
  uint64_t bytes = 4096;
  for (const IndexTensor& tensor : content.tensors) {
    bytes +=
        kBytesPerEntry + tensor.name.size() + 8 * tensor.shape.size() + tensor.type_name.size();
  }
  for (const IndexFile& file : content.files) bytes += kBytesPerEntry + file.name.size();
  for (const auto& [key, value] : content.metadata) {
    bytes += kBytesPerEntry + key.size() + value.size();
  }
  if (bytes <= kMaxIndexBytes) return Status();
  return Status(StatusCode::kTooLarge, "an index of about " + std::to_string(bytes) +
                                           " bytes: expected at most " +
                                           std::to_string(kMaxIndexBytes));
}

template <typename Entry>
Status SortByName(std::vector<Entry>* entries) {
  std::sort(entries->begin(), entries->end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(entries->begin(), entries->end(),
                         [](const Entry& a, const Entry& b) { return a.name == b.name; });
  if (twice == entries->end()) return Status();
  return Status(StatusCode::kInvalidArgument,
                "the name '" + ShownName(twice->name) + "' comes twice");
}

class Builder {
 public:
  Status AddExtents(const std::vector<uint64_t>& lengths) {
    for (const uint64_t length : lengths) {
      TRIMS_ASSIGN_OR_RETURN(const uint64_t offset, layout_.Append(length));
      extents_.emplace_back(offset, length);
    }
    return Status();
  }

  void AddTensor(const IndexTensor& tensor) {
    const auto name = out_.CreateString(tensor.name);
    const auto shape = out_.CreateVector(tensor.shape);
    flatbuffers::Offset<flatbuffers::String> type_name;
    if (!tensor.type_name.empty()) type_name = out_.CreateSharedString(tensor.type_name);
    tensors_.push_back(index::CreateTensor(out_, name, static_cast<index::DType>(tensor.dtype),
                                           shape, InRange(tensor.extent, tensor.offset),
                                           tensor.length, type_name));
  }

  void AddFile(const IndexFile& file) {
    const uint64_t offset = file.length == 0 ? 0 : InRange(file.extent, file.offset);
    files_.push_back(index::CreateFile(out_, out_.CreateString(file.name), offset, file.length,
                                       file.extent, file.alone && file.length > 0));
  }

  void AddMetadata(const std::string& key, const std::string& value) {
    const bool usable = !key.empty() && key.find('\0') == std::string::npos;
    if (!usable) return;
    const auto name = out_.CreateString(key);
    metadata_.push_back(index::CreateMetadata(out_, name, out_.CreateString(value)));
  }

  std::string Finish() {
    const auto extents = out_.CreateVectorOfStructs(extents_);
    const auto tensors = out_.CreateVector(tensors_);
    const auto files = out_.CreateVector(files_);
    const auto metadata = out_.CreateVector(metadata_);
    index::FinishIndexBuffer(out_, index::CreateIndex(out_, wire::kIndexVersion, layout_.length(),
                                                      extents, tensors, files, metadata));
    return std::string(reinterpret_cast<const char*>(out_.GetBufferPointer()), out_.GetSize());
  }

 private:
  uint64_t InRange(uint32_t extent, uint64_t offset) const {
    return extents_[extent].offset() + offset;
  }

  flatbuffers::FlatBufferBuilder out_{1 << 16};
  wire::RangeLayout layout_;
  std::vector<index::Extent> extents_;
  std::vector<flatbuffers::Offset<index::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<index::File>> files_;
  std::vector<flatbuffers::Offset<index::Metadata>> metadata_;
};

}  // namespace

Result<std::string> BuildIndex(IndexContent content) {
  TRIMS_RETURN_IF_ERROR(CheckSize(content));
  TRIMS_RETURN_IF_ERROR(SortByName(&content.tensors));
  TRIMS_RETURN_IF_ERROR(SortByName(&content.files));
  Builder builder;
  TRIMS_RETURN_IF_ERROR(builder.AddExtents(content.extent_lengths));
  for (const IndexTensor& tensor : content.tensors) builder.AddTensor(tensor);
  for (const IndexFile& file : content.files) builder.AddFile(file);
  for (const auto& [key, value] : content.metadata) builder.AddMetadata(key, value);
  std::string index = builder.Finish();
  const Status sound = wire::CheckIndex(std::as_bytes(std::span(index)), content.extent_lengths);
  if (!sound.ok()) return Status(StatusCode::kInternal, "made a " + sound.message());
  return index;
}

}  // namespace trims

#include "wire/index_check.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "wire/alignment.h"
#include "wire/index_generated.h"
#include "wire/protocol.h"
#include "wire/range_layout.h"
#include "wire/tensor_type.h"

namespace trims::wire {
namespace {

constexpr flatbuffers::uoffset_t kMaxIndexDepth = 8;
constexpr flatbuffers::uoffset_t kMaxIndexTables = 1 << 24;
constexpr size_t kMaxShown = 200;  // bytes of a bad name that go into a message

std::string_view TextOf(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

Status Bad(const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "bad index: " + what);
}

Status BadEntry(std::string_view kind, std::string_view name, const std::string& what) {
  return Bad(std::string(kind) + " '" + std::string(name.substr(0, kMaxShown)) + "' " + what);
}

Status CheckExtents(const index::Index& index, std::span<const uint64_t> lengths) {
  if (index.extents()->size() != lengths.size() || lengths.size() > kMaxExtents) {
    return Bad(std::to_string(index.extents()->size()) + " extents: expected " +
               std::to_string(lengths.size()) + ", at most " + std::to_string(kMaxExtents));
  }
  if (!IsAligned(index.extents())) return Bad("the extents are out of place");
  RangeLayout layout;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const index::Extent& extent = *index.extents()->Get(static_cast<flatbuffers::uoffset_t>(i));
    Result<uint64_t> offset = layout.Append(lengths[i]);
    if (!offset.ok()) return offset.status();
    if (extent.offset() != *offset || extent.length() != lengths[i]) {
      return Bad("extent " + std::to_string(i) + " of " + std::to_string(extent.length()) +
                 " bytes at " + std::to_string(extent.offset()) + ": expected " +
                 std::to_string(lengths[i]) + " at " + std::to_string(*offset));
    }
  }
  if (index.length() != layout.length()) {
    return Bad("a range of " + std::to_string(index.length()) + " bytes: expected " +
               std::to_string(layout.length()));
  }
  return Status();
}

bool Inside(const index::Extent& extent, uint64_t offset, uint64_t length) {
  return offset >= extent.offset() && length <= extent.length() &&
         offset - extent.offset() <= extent.length() - length;
}

// Whether [offset, offset + length) lies in one extent; for no bytes, in the range.
bool InOneExtent(const index::Index& index, uint64_t offset, uint64_t length) {
  if (length == 0) return offset <= index.length();
  uint32_t low = 0;
  uint32_t high = index.extents()->size();
  while (low < high) {  // the first extent that starts after `offset`
    const uint32_t middle = low + (high - low) / 2;
    if (index.extents()->Get(middle)->offset() <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && Inside(*index.extents()->Get(low - 1), offset, length);
}

Status CheckName(std::string_view kind, std::string_view name, std::string_view previous,
                 bool first) {
  if (name.empty()) return Bad("a " + std::string(kind) + " without a name");
  if (name.find('\0') != std::string_view::npos)
    return BadEntry(kind, name.substr(0, name.find('\0')), "has a NUL byte in its name");
  if (!first && previous >= name)
    return BadEntry(kind, name, previous == name ? "is there twice" : "is not in its sorted place");
  return Status();
}

Status CheckTensor(const index::Index& index, const index::Tensor& tensor) {
  const std::string_view name = TextOf(tensor.name());
  if (!HasType(tensor)) return BadEntry("tensor", name, "has no known type");
  if (tensor.shape() != nullptr && tensor.shape()->size() > kMaxTensorRank)
    return BadEntry("tensor", name,
                    "has more than " + std::to_string(kMaxTensorRank) + " dimensions");
  if (!IsAligned(tensor.shape())) return BadEntry("tensor", name, "has its shape out of place");
  if (!HasRightLength(tensor)) {
    return BadEntry("tensor", name,
                    "has " + std::to_string(tensor.length()) + " bytes: its shape says otherwise");
  }
  if (!InOneExtent(index, tensor.offset(), tensor.length()))
    return BadEntry("tensor", name, "does not lie in one extent");
  return Status();
}

Status CheckFile(const index::Index& index, const index::File& file) {
  const std::string_view name = TextOf(file.name());
  if (!IsPlainPath(name)) return BadEntry("file", name, "is no plain relative path");
  if (file.length() == 0) {
    if (file.alone() || file.offset() > index.length())
      return BadEntry("file", name, "has no bytes and still a place of its own");
    return Status();
  }
  if (file.extent() >= index.extents()->size())
    return BadEntry("file", name, "names an extent that is not there");
  const index::Extent& extent = *index.extents()->Get(file.extent());
  if (!Inside(extent, file.offset(), file.length()))
    return BadEntry("file", name, "does not lie in its extent");
  if (file.alone() && (file.offset() != extent.offset() || file.length() != extent.length()))
    return BadEntry("file", name, "is said to be alone in its extent and is not");
  return Status();
}

Status CheckTensors(const index::Index& index) {
  if (index.tensors() == nullptr) return Status();
  std::string_view previous;
  for (const index::Tensor* tensor : *index.tensors()) {
    const std::string_view name = TextOf(tensor->name());
    TRIMS_RETURN_IF_ERROR(CheckName("tensor", name, previous, previous.empty()));
    TRIMS_RETURN_IF_ERROR(CheckTensor(index, *tensor));
    previous = name;
  }
  return Status();
}

Status CheckFiles(const index::Index& index) {
  if (index.files() == nullptr) return Status();
  std::string_view previous;
  for (const index::File* file : *index.files()) {
    const std::string_view name = TextOf(file->name());
    TRIMS_RETURN_IF_ERROR(CheckName("file", name, previous, previous.empty()));
    TRIMS_RETURN_IF_ERROR(CheckFile(index, *file));
    previous = name;
  }
  return Status();
}

Status CheckMetadata(const index::Index& index) {
  if (index.metadata() == nullptr) return Status();
  std::string_view previous;
  for (const index::Metadata* entry : *index.metadata()) {
    const std::string_view key = TextOf(entry->key());
    TRIMS_RETURN_IF_ERROR(CheckName("metadata key", key, previous, previous.empty()));
    previous = key;
  }
  return Status();
}

}  // namespace

Status CheckIndex(std::span<const std::byte> bytes, std::span<const uint64_t> extent_lengths) {
  if (bytes.size() > kMaxIndexBytes)
    return Bad("more than " + std::to_string(kMaxIndexBytes) + " bytes");
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
                                 kMaxIndexDepth, kMaxIndexTables);
  if (!index::VerifyIndexBuffer(verifier)) return Bad("the structure is damaged");
  const index::Index& index = *index::GetIndex(bytes.data());
  if (index.version() != kIndexVersion) {
    return Bad("version " + std::to_string(index.version()) + ": expected " +
               std::to_string(kIndexVersion));
  }
  TRIMS_RETURN_IF_ERROR(CheckExtents(index, extent_lengths));
  TRIMS_RETURN_IF_ERROR(CheckTensors(index));
  TRIMS_RETURN_IF_ERROR(CheckFiles(index));
  return CheckMetadata(index);
}

}  // namespace trims::wire

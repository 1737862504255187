#include "wire/index_reader.h"

#include "base/macros.h"
#include "base/model_limits.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

template <typename T>
using Tables = flatbuffers::Vector<flatbuffers::Offset<T>>;

constexpr flatbuffers::uoffset_t kMaxReadDepth = 8;
constexpr size_t kMinIndexBytes = 16;  // a root offset, the identifier, a table and its vtable

flatbuffers::Verifier VerifierOf(std::span<const std::byte> bytes) {
  return flatbuffers::Verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
                               kMaxReadDepth);
}

Status Damaged() {
  return Status(StatusCode::kDataLoss, "the model's index is damaged", "trims rm and trims add");
}

// The root table, its fields and the extent of its vectors verified; not their elements.
Result<const index::Index*> RootOf(std::span<const std::byte> bytes) {
  using index::Index;
  if (bytes.size() < kMinIndexBytes || bytes.size() > kMaxIndexBytes ||
      !index::IndexBufferHasIdentifier(bytes.data())) {
    return Damaged();
  }
  flatbuffers::Verifier verifier = VerifierOf(bytes);
  const flatbuffers::uoffset_t start = verifier.VerifyOffset(size_t{0});
  if (start == 0) return Damaged();
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(bytes.data() + start);
  const auto* root = reinterpret_cast<const Index*>(bytes.data() + start);
  const bool valid =
      table->VerifyTableStart(verifier) &&
      table->VerifyField<uint16_t>(verifier, Index::VT_VERSION, sizeof(uint16_t)) &&
      table->VerifyOffset(verifier, Index::VT_TENSORS) && verifier.VerifyVector(root->tensors()) &&
      table->VerifyOffset(verifier, Index::VT_FILES) && verifier.VerifyVector(root->files()) &&
      table->VerifyOffset(verifier, Index::VT_METADATA) && verifier.VerifyVector(root->metadata());
  if (!valid || root->version() != kIndexVersion) return Damaged();
  return root;
}

template <typename T>
Result<const T*> ElementOf(std::span<const std::byte> bytes, const Tables<T>* tables, size_t i) {
  if (tables == nullptr || i >= tables->size()) return static_cast<const T*>(nullptr);
  const auto* start = reinterpret_cast<const std::byte*>(tables->Data()) + i * sizeof(uint32_t);
  const auto position = static_cast<size_t>(start - bytes.data());
  flatbuffers::Verifier verifier = VerifierOf(bytes);
  const flatbuffers::uoffset_t offset = verifier.VerifyOffset(position);
  if (offset == 0) return Damaged();
  const auto* element = reinterpret_cast<const T*>(start + offset);
  if (!element->Verify(verifier)) return Damaged();
  return element;
}

std::string_view KeyOf(const index::Tensor& tensor) { return tensor.name()->string_view(); }
std::string_view KeyOf(const index::File& file) { return file.name()->string_view(); }
std::string_view KeyOf(const index::Metadata& entry) { return entry.key()->string_view(); }

template <typename T>
Result<const T*> Find(std::span<const std::byte> bytes, const Tables<T>* tables,
                      std::string_view key) {
  size_t low = 0;
  size_t high = tables == nullptr ? 0 : tables->size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    TRIMS_ASSIGN_OR_RETURN(const T* element, ElementOf(bytes, tables, middle));
    const int order = KeyOf(*element).compare(key);
    if (order == 0) return element;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<const T*>(nullptr);
}

template <typename T>
size_t CountOf(const Tables<T>* tables) {
  return tables == nullptr ? 0 : tables->size();
}

}  // namespace

Result<size_t> IndexReader::TensorCount() const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return CountOf(root->tensors());
}

Result<size_t> IndexReader::FileCount() const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return CountOf(root->files());
}

Result<const index::Tensor*> IndexReader::Tensor(size_t i) const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return ElementOf(bytes_, root->tensors(), i);
}

Result<const index::File*> IndexReader::File(size_t i) const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return ElementOf(bytes_, root->files(), i);
}

Result<const index::Tensor*> IndexReader::FindTensor(std::string_view name) const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return Find(bytes_, root->tensors(), name);
}

Result<const index::File*> IndexReader::FindFile(std::string_view name) const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return Find(bytes_, root->files(), name);
}

Result<const index::Metadata*> IndexReader::FindMetadata(std::string_view key) const {
  TRIMS_ASSIGN_OR_RETURN(const index::Index* root, RootOf(bytes_));
  return Find(bytes_, root->metadata(), key);
}

}  // namespace trims::wire

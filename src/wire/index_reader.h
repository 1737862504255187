// IndexReader: look-ups in a mapped index (wire/index.fbs), safe on bytes that nobody has checked.
//
// Nothing is read before the first look-up and nothing is cached: each look-up verifies the few
// tables that it touches and no more, so that attaching costs nothing in the number of tensors, and
// a damaged index gives DATA_LOSS and no crash.
//
//     const IndexReader reader(mapping.bytes());
//     TRIMS_ASSIGN_OR_RETURN(const index::Tensor* tensor, reader.FindTensor("weight"));
//     if (tensor == nullptr) return NoSuchTensor("weight");
//
// Ownership: views the bytes, as do the tables that it returns. Thread-safety: safe. What it does
// not check is whether offsets and lengths lie in the range: its caller knows the range.
#ifndef TRIMS_WIRE_INDEX_READER_H_
#define TRIMS_WIRE_INDEX_READER_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "trims/status.h"

#include "wire/index_generated.h"

namespace trims::wire {

class IndexReader {
 public:
  IndexReader() = default;
  explicit IndexReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Counts of entries; DATA_LOSS if there is no index here.
  Result<size_t> TensorCount() const;
  Result<size_t> FileCount() const;

  // In the order of names. DATA_LOSS: damaged; nullptr: `i` is beyond the count.
  Result<const index::Tensor*> Tensor(size_t i) const;
  Result<const index::File*> File(size_t i) const;

  // Binary searches; nullptr: not there.
  Result<const index::Tensor*> FindTensor(std::string_view name) const;
  Result<const index::File*> FindFile(std::string_view name) const;
  Result<const index::Metadata*> FindMetadata(std::string_view key) const;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace trims::wire

#endif  // TRIMS_WIRE_INDEX_READER_H_

// IsAligned: whether a FlatBuffers vector may be read in place.
//
// The verifier checks that a vector's length lies at a multiple of 4, not that its elements of 8
// bytes lie at one of 8.
#ifndef TRIMS_WIRE_ALIGNMENT_H_
#define TRIMS_WIRE_ALIGNMENT_H_

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>

namespace trims::wire {

// True for no vector and for an empty one.
template <typename Element>
bool IsAligned(const flatbuffers::Vector<Element>* vector) {
  return vector == nullptr || vector->size() == 0 ||
         reinterpret_cast<uintptr_t>(vector->Data()) % alignof(uint64_t) == 0;
}

}  // namespace trims::wire

#endif  // TRIMS_WIRE_ALIGNMENT_H_

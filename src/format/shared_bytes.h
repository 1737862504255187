// SharedBytes: how much of what one image is made of another is made of, too.
//
//   SharedBytes(fine_tune, base);  // of the fine-tune's bytes, those that are the base's
//
// Thread-safety: pure functions.
#ifndef TRIMS_FORMAT_SHARED_BYTES_H_
#define TRIMS_FORMAT_SHARED_BYTES_H_

#include <cstdint>

#include "format/image.h"

namespace trims {

// Bytes of parts that both map; each counts once, however often either has it. Equal images share all of their bytes.
uint64_t SharedBytes(const ImagePtr& one, const ImagePtr& other);

// What it is in a client's range, in whole pages, with its index: what it would take if it shared nothing.
uint64_t MappedBytes(const Image& image);

}  // namespace trims

#endif  // TRIMS_FORMAT_SHARED_BYTES_H_

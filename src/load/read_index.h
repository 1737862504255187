// ReadIndex: the index of an image, compared with what was recorded of it.
//
//   ImageFiles files(*image, prepared_root);
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<std::byte> index, ReadIndex(*image, &files));
//
// Blocks. Thread-safety: safe, for distinct files.
#ifndef TRIMS_LOAD_READ_INDEX_H_
#define TRIMS_LOAD_READ_INDEX_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

#include "format/image.h"
#include "load/image_files.h"
#include "store/host_memory.h"

namespace trims {

// DATA_LOSS, with that hint: it has another length or digest; errors as ImageFiles::Open's.
Result<std::vector<std::byte>> ReadIndex(const Image& image, ImageFiles* files,
                                         const std::string& hint = {});

// As it will be shared. DATA_LOSS, with that hint: it leads out of the image's extents.
Result<SealedExtent> SealIndex(const Image& image, std::span<const std::byte> bytes,
                               const std::string& hint = {});

}  // namespace trims

#endif  // TRIMS_LOAD_READ_INDEX_H_

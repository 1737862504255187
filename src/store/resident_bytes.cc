#include "store/resident_bytes.h"

#include <utility>

namespace trims {

Handle HandleOf(SealedExtent extent) {
  const uint64_t length = extent.length();
  const Pages pages = extent.pages();
  return {.fd = std::move(extent).TakeFd(),
          .length = length,
          .pages = pages,
          .kind = HandleKind::kHostMemory};
}

}  // namespace trims

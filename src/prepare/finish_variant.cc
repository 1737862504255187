#include "prepare/finish_variant.h"

#include <span>
#include <utility>

#include "base/macros.h"
#include "base/sha256.h"

namespace trims {

Result<ManifestVariant> FinishVariant(const OutFolder& out, Variant kind, std::string key,
                                      std::vector<ManifestExtent> extents, IndexContent content) {
  for (const ManifestExtent& extent : extents) content.extent_lengths.push_back(extent.length);
  TRIMS_ASSIGN_OR_RETURN(const std::string index, BuildIndex(std::move(content)));
  TRIMS_ASSIGN_OR_RETURN(Written written,
                         out.WriteFile(std::string(VariantName(kind)) + ".index", index));
  ManifestVariant variant;
  variant.kind = kind;
  variant.key = std::move(key);
  variant.index_path = std::move(written.name);
  variant.index_length = written.length;
  variant.index_sha256 = Sha256Hex(std::as_bytes(std::span(index)));
  variant.extents = std::move(extents);
  return variant;
}

ManifestExtent WholeFileExtent(const Written& file) {
  return {.length = file.length,
          .xxh3 = file.xxh3,
          .pieces = {{.origin = PieceOrigin::kPrepared,
                      .path = file.name,
                      .offset = 0,
                      .length = file.length,
                      .at = 0}}};
}

}  // namespace trims

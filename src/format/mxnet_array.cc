#include "format/mxnet_array.h"

#include <array>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "format/tensor_entry.h"

namespace trims {
namespace {

// Before V1 an array began with the number of its dimensions.
constexpr uint32_t kV1 = 0xF993FAC8;  // dimensions of 64 bits
constexpr uint32_t kV2 = 0xF993FAC9;  // a storage type before them
constexpr uint32_t kV3 = 0xF993FACA;  // as V2; no dimensions are a scalar; -1: not known, no value

// mshadow's type flags, in their order.
constexpr std::array kTypes = {DType::kF32, DType::kF64, DType::kF16,  DType::kU8,  DType::kI32,
                               DType::kI8,  DType::kI64, DType::kBool, DType::kI16, DType::kU16,
                               DType::kU32, DType::kU64, DType::kBF16};

enum Storage : uint32_t { kDense = 0, kRowSparse = 1, kCsr = 2 };

Status BrokenArray(const std::string& which, std::string what,
                   StatusCode code = StatusCode::kInvalidArgument) {
  return Status(code, "mxnet: " + which + " " + std::move(what));
}

Status CheckStorage(uint32_t storage, const std::string& which) {
  if (storage == kDense) return Status();
  if (storage == kRowSparse || storage == kCsr) {
    return BrokenArray(which,
                       std::string("is stored as ") + (storage == kCsr ? "csr" : "row_sparse") +
                           ": only dense arrays can be shared",
                       StatusCode::kUnimplemented);
  }
  return BrokenArray(which, "has the storage type " +
                                std::to_string(static_cast<int32_t>(storage)) +
                                ": expected 0 (dense), 1 (row_sparse) or 2 (csr)");
}

// How a version writes dimensions.
struct ShapeForm {
  bool wide = false;      // of 64 bits
  bool may_lack = false;  // -1 is a dimension that isn't known
};

Status WrongDimension(const std::string& which, int64_t came, ShapeForm form) {
  return BrokenArray(which, "has a dimension of " + std::to_string(came) + ": expected at least " +
                                (form.may_lack ? "-1 (not known)" : "0"));
}

// The shape; nothing: it isn't known, and the array has no value.
Result<std::optional<std::vector<uint64_t>>> ReadShape(MxnetCursor& cursor, uint32_t rank,
                                                       ShapeForm form, const std::string& which) {
  if (rank > kMaxTensorRank) {
    return BrokenArray(which, "has " + std::to_string(rank) + " dimensions: expected at most " +
                                  std::to_string(kMaxTensorRank) + ", or the mark of a version");
  }
  std::vector<uint64_t> shape(rank);
  bool known = true;
  for (uint64_t& extent : shape) {
    if (form.wide) {
      TRIMS_ASSIGN_OR_RETURN(extent, cursor.U64("a dimension"));
    } else {
      TRIMS_ASSIGN_OR_RETURN(extent, cursor.U32("a dimension"));
    }
    if (extent <= INT64_MAX) continue;
    const auto came = static_cast<int64_t>(extent);
    if (came != -1 || !form.may_lack) return WrongDimension(which, came, form);
    known = false;
  }
  return known ? std::optional(std::move(shape)) : std::nullopt;
}

Result<std::optional<std::vector<uint64_t>>> ReadShapeOfVersion(MxnetCursor& cursor, uint32_t mark,
                                                                const std::string& which) {
  const bool wide = mark == kV1 || mark == kV2 || mark == kV3;
  if (mark == kV2 || mark == kV3) {
    TRIMS_ASSIGN_OR_RETURN(const uint32_t storage, cursor.U32("a storage type"));
    TRIMS_RETURN_IF_ERROR(CheckStorage(storage, which));
  }
  uint32_t rank = mark;
  if (wide) {
    TRIMS_ASSIGN_OR_RETURN(rank, cursor.U32("a number of dimensions"));
  }
  if (mark == kV3 && rank == UINT32_MAX) return std::optional<std::vector<uint64_t>>();
  if (mark != kV3 && rank == 0) return std::optional<std::vector<uint64_t>>();
  return ReadShape(cursor, rank, {.wide = wide, .may_lack = mark == kV3}, which);
}

}  // namespace

Result<MxnetArrayHead> ReadMxnetArrayHead(MxnetCursor& cursor, const std::string& which) {
  TRIMS_ASSIGN_OR_RETURN(const uint32_t mark, cursor.U32("an array"));
  MxnetArrayHead head;
  TRIMS_ASSIGN_OR_RETURN(std::optional<std::vector<uint64_t>> shape,
                         ReadShapeOfVersion(cursor, mark, which));
  if (!shape) return head;
  TRIMS_RETURN_IF_ERROR(cursor.U32("a kind of device").status());
  TRIMS_RETURN_IF_ERROR(cursor.U32("a device").status());
  TRIMS_ASSIGN_OR_RETURN(const uint32_t type, cursor.U32("an element type"));
  if (type >= kTypes.size()) {
    return BrokenArray(which, "has the element type " + std::to_string(type) + ": expected 0 to " +
                                  std::to_string(kTypes.size() - 1));
  }
  const std::optional<uint64_t> bytes = TensorBytes(kTypes[type], *shape);
  if (!bytes) return BrokenArray(which, "has a shape whose size overflows");
  head = {.has_value = true, .dtype = kTypes[type], .shape = *std::move(shape), .length = *bytes};
  return head;
}

}  // namespace trims

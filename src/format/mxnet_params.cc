#include "format/mxnet_params.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/macros.h"
#include "base/shown_name.h"
#include "format/mxnet_array.h"
#include "format/mxnet_cursor.h"

namespace trims {
namespace {

constexpr uint64_t kListMagic = 0x112;
constexpr uint64_t kLeastArrayBytes = 4;
constexpr uint64_t kLeastNameBytes = 8;

struct MxnetArray {
  MxnetArrayHead head;
  uint64_t offset = 0;
  std::string name;
};

Status BrokenList(std::string what) {
  return Status(StatusCode::kInvalidArgument, "mxnet: " + std::move(what));
}

// A number of things that each take at least so many bytes.
Result<uint64_t> ReadCount(MxnetCursor& cursor, const char* what, uint64_t least_bytes) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t count, cursor.U64(what));
  if (count > kMaxTensors) {
    return BrokenList(std::string(what) + " of " + std::to_string(count) + ": expected at most " +
                      std::to_string(kMaxTensors));
  }
  if (count <= cursor.left() / least_bytes) return count;
  return Status(StatusCode::kDataLoss, std::string("mxnet: truncated, expected ") + what + " of " +
                                           std::to_string(count) + ", the file has " +
                                           std::to_string(cursor.left()) + " bytes more");
}

Result<std::vector<MxnetArray>> ReadArrays(MxnetCursor& cursor) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t count,
                         ReadCount(cursor, "a number of arrays", kLeastArrayBytes));
  std::vector<MxnetArray> arrays;
  arrays.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string which = "array " + std::to_string(i) + " of " + std::to_string(count);
    TRIMS_ASSIGN_OR_RETURN(MxnetArrayHead head, ReadMxnetArrayHead(cursor, which));
    const uint64_t offset = cursor.offset();
    TRIMS_RETURN_IF_ERROR(cursor.Skip(head.length, which));
    arrays.push_back({std::move(head), offset, std::to_string(i)});
  }
  return arrays;
}

// Names that are too long aren't kept whole: only that they are too long counts.
Result<std::string> ReadName(MxnetCursor& cursor) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t length, cursor.U64("the length of a name"));
  const uint64_t kept = std::min<uint64_t>(length, kMaxTensorNameBytes + 1);
  TRIMS_RETURN_IF_ERROR(cursor.Expect(length, "a name"));
  TRIMS_ASSIGN_OR_RETURN(std::string name, cursor.Text(kept, "a name"));
  TRIMS_RETURN_IF_ERROR(cursor.Skip(length - kept, "a name"));
  return name;
}

Status ReadNames(MxnetCursor& cursor, std::vector<MxnetArray>* arrays) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t count,
                         ReadCount(cursor, "a number of names", kLeastNameBytes));
  if (count == 0) return Status();
  if (count != arrays->size()) {
    return BrokenList(std::to_string(count) + " names for " + std::to_string(arrays->size()) +
                      " arrays: expected as many, or none");
  }
  for (MxnetArray& array : *arrays) {
    TRIMS_ASSIGN_OR_RETURN(array.name, ReadName(cursor));
  }
  return Status();
}

void GiveArray(MxnetArray array, MxnetParams* model) {
  const char* why = nullptr;
  if (!array.head.has_value) why = "without a value";
  if (!CheckTensorName(array.name).ok()) why = "without a usable name";
  if (why != nullptr) return AddLeftOut(&model->left_out, array.name, why);
  TensorEntry entry;
  entry.name = std::move(array.name);
  entry.dtype = array.head.dtype;
  entry.shape = std::move(array.head.shape);
  entry.offset = array.offset;
  entry.length = array.head.length;
  model->tensors.push_back(std::move(entry));
}

}  // namespace

Result<bool> HasMxnetMagic(const RandomAccess& file) {
  MxnetCursor cursor(file);
  if (cursor.left() < sizeof(kListMagic)) return false;
  TRIMS_ASSIGN_OR_RETURN(const uint64_t magic, cursor.U64("the mark of a list"));
  return magic == kListMagic;
}

Result<MxnetParams> ReadMxnetParams(const RandomAccess& file) {
  MxnetCursor cursor(file);
  TRIMS_ASSIGN_OR_RETURN(const uint64_t magic, cursor.U64("the mark of a list"));
  if (magic != kListMagic) {
    return BrokenList("not a list of arrays: expected the mark 274 first, came " +
                      std::to_string(magic));
  }
  TRIMS_RETURN_IF_ERROR(cursor.U64("a reserved number").status());
  TRIMS_ASSIGN_OR_RETURN(std::vector<MxnetArray> arrays, ReadArrays(cursor));
  TRIMS_RETURN_IF_ERROR(ReadNames(cursor, &arrays));
  std::unordered_map<std::string, size_t> last;
  for (size_t i = 0; i < arrays.size(); ++i) last[arrays[i].name] = i;
  MxnetParams model;
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (last.at(arrays[i].name) == i) GiveArray(std::move(arrays[i]), &model);
  }
  return model;
}

}  // namespace trims

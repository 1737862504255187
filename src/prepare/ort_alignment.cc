#include "prepare/ort_alignment.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/macros.h"
#include "prepare/ort_schema.h"

namespace trims {
namespace {

static_assert(std::endian::native == std::endian::little, "as FlatBuffers are");

constexpr uint64_t kOffsetBytes = 4;
constexpr uint64_t kOutlineHead = 4;  // two lengths; then the place of each field
constexpr uint64_t kPlaceBytes = 2;
constexpr uint64_t kLargestBuffer = 0x7fffffff;
constexpr uint64_t kScalarAlignment = 8;  // of everything but weights
constexpr int kMaxDepth = 200;
constexpr OrtTable kTypeValues[] = {OrtTable::kTensorType, OrtTable::kSequenceType,
                                    OrtTable::kMapType};  // 1, 2, 3

Status Malformed(const char* what) {
  return Status(StatusCode::kDataLoss, std::string("the optimised model is malformed: ") + what);
}

Status UnknownField() {
  return Status(StatusCode::kUnimplemented, "the optimised model has a field that isn't known");
}

// A vector of weights: its length, and its bytes.
struct Weights {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// What leads from one place of the file to another.
class OrtWalk {
 public:
  explicit OrtWalk(std::span<const std::byte> model) : model_(model) {}

  Status Run() {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t root, Follow(0));
    return Table(root, OrtTable::kSession, 0);
  }

  template <typename T>
  Result<T> At(uint64_t place) const {
    if (place > model_.size() || model_.size() - place < sizeof(T))
      return Malformed("it ends early");
    T value;
    std::memcpy(&value, model_.data() + place, sizeof(T));
    return value;
  }

  std::vector<uint64_t> offsets;  // where a distance forward is
  std::vector<uint64_t> tables;   // where a distance back to a table's outline is
  std::vector<Weights> weights;

 private:
  using Kind = OrtField::Kind;

  Result<uint64_t> Follow(uint64_t offset) {
    TRIMS_ASSIGN_OR_RETURN(const auto distance, At<uint32_t>(offset));
    if (offsets.size() > model_.size() / kOffsetBytes) return Malformed("offsets overlap");
    offsets.push_back(offset);
    return offset + distance;
  }

  Status Table(uint64_t table, OrtTable kind, int depth) {
    if (!seen_.insert(table).second) return Status();
    if (depth > kMaxDepth) return Malformed("it is nested too deeply");
    TRIMS_ASSIGN_OR_RETURN(const auto distance, At<int32_t>(table));
    tables.push_back(table);
    const auto outline = static_cast<uint64_t>(static_cast<int64_t>(table) - distance);
    TRIMS_ASSIGN_OR_RETURN(const auto outline_bytes, At<uint16_t>(outline));
    const std::span<const OrtField> fields = OrtFieldsOf(kind);
    // It ends with the last field that is there: a longer one is of another version. Else a short file could
    // name a long outline again and again.
    if (outline_bytes > kOutlineHead + kPlaceBytes * fields.size()) return UnknownField();
    uint64_t before = 0;
    for (size_t i = 0; kOutlineHead + kPlaceBytes * (i + 1) <= outline_bytes; ++i) {
      TRIMS_ASSIGN_OR_RETURN(const auto place,
                             At<uint16_t>(outline + kOutlineHead + kPlaceBytes * i));
      if (place != 0) TRIMS_RETURN_IF_ERROR(Field(table + place, fields[i], before, depth));
      before = table + place;
    }
    return Status();
  }

  // `before`: the place of the field before it.
  Status Field(uint64_t place, OrtField field, uint64_t before, int depth) {
    if (field.kind == Kind::kPlain) return Status();
    if (field.kind == Kind::kUnknown) return UnknownField();
    TRIMS_ASSIGN_OR_RETURN(const uint64_t target, Follow(place));
    if (field.kind == Kind::kText) return Status();
    if (field.kind == Kind::kTable) return Table(target, field.table, depth + 1);
    if (field.kind == Kind::kTypeValue) return TypeValue(target, before, depth);
    if (!seen_.insert(target).second) return Status();
    TRIMS_ASSIGN_OR_RETURN(const auto count, At<uint32_t>(target));
    const uint64_t first = target + kOffsetBytes;
    if (field.kind == Kind::kWeights) return AddWeights({target, first + count});
    for (uint64_t i = 0; i < count; ++i) {
      TRIMS_ASSIGN_OR_RETURN(const uint64_t element, Follow(first + i * kOffsetBytes));
      if (field.kind != Kind::kTables) continue;
      TRIMS_RETURN_IF_ERROR(Table(element, field.table, depth + 1));
    }
    return Status();
  }

  Status TypeValue(uint64_t target, uint64_t type, int depth) {
    TRIMS_ASSIGN_OR_RETURN(const auto kind, At<uint8_t>(type));
    if (kind == 0 || kind > std::size(kTypeValues)) {
      return Status(StatusCode::kUnimplemented, "the optimised model has a type that isn't known");
    }
    return Table(target, kTypeValues[kind - 1], depth + 1);
  }

  Status AddWeights(Weights found) {
    if (found.end > model_.size()) return Malformed("a weight ends after it");
    if (found.end - found.begin - kOffsetBytes >= kOrtWeightMinBytes) weights.push_back(found);
    return Status();
  }

  std::span<const std::byte> model_;
  std::unordered_set<uint64_t> seen_;  // tables and vectors
};

// A distance that becomes another one, or room that is added.
struct Edit {
  uint64_t at = 0;
  uint32_t room = 0;
  uint32_t distance = 0;
};

class OrtAligner {
 public:
  explicit OrtAligner(std::span<const std::byte> model) : model_(model), walk_(model) {}

  Result<bool> Run(const std::function<Status(std::span<const std::byte>)>& sink) {
    TRIMS_RETURN_IF_ERROR(walk_.Run());
    TRIMS_RETURN_IF_ERROR(MakeRoom());
    if (edits_.empty()) return false;
    if (model_.size() + shifts_.back().bytes > kLargestBuffer) {
      return Status(StatusCode::kTooLarge, "the optimised model would pass 2 GiB");
    }
    TRIMS_RETURN_IF_ERROR(CorrectDistances());
    TRIMS_RETURN_IF_ERROR(Write(sink));
    return true;
  }

 private:
  // From here on, what was there lies so many bytes further.
  struct Shift {
    uint64_t from = 0;
    uint64_t bytes = 0;
  };

  // Before a weight so that its bytes are aligned, after it so that the rest is as it was.
  Status MakeRoom() {
    const auto earlier = [](const Weights& a, const Weights& b) { return a.begin < b.begin; };
    std::sort(walk_.weights.begin(), walk_.weights.end(), earlier);
    uint64_t last = 0;
    for (const Weights& weights : walk_.weights) {
      if (weights.begin < last) return Malformed("weights overlap");
      last = weights.end;
      AddRoom(weights.begin, weights.begin + kOffsetBytes, kOrtWeightAlignment);
      AddRoom(weights.end, 0, kScalarAlignment);
    }
    return Status();
  }

  // At `at`, so that what is at `place` comes to a multiple of `alignment`.
  void AddRoom(uint64_t at, uint64_t place, uint64_t alignment) {
    const uint64_t shift = shifts_.empty() ? 0 : shifts_.back().bytes;
    const uint64_t room = (alignment - (place + shift) % alignment) % alignment;
    if (room == 0) return;
    edits_.push_back({.at = at, .room = static_cast<uint32_t>(room)});
    shifts_.push_back({at, shift + room});
  }

  uint64_t PlaceOf(uint64_t old) const {
    const auto after = std::upper_bound(shifts_.begin(), shifts_.end(), old,
                                        [](uint64_t at, const Shift& s) { return at < s.from; });
    return after == shifts_.begin() ? old : old + std::prev(after)->bytes;
  }

  Status CorrectDistances() {
    for (const uint64_t offset : walk_.offsets) {
      TRIMS_ASSIGN_OR_RETURN(const auto distance, walk_.At<uint32_t>(offset));
      Correct(offset, PlaceOf(offset + distance) - PlaceOf(offset));
    }
    for (const uint64_t table : walk_.tables) {
      TRIMS_ASSIGN_OR_RETURN(const auto distance, walk_.At<int32_t>(table));
      const auto outline = static_cast<uint64_t>(static_cast<int64_t>(table) - distance);
      Correct(table, PlaceOf(table) - PlaceOf(outline));
    }
    const auto earlier = [](const Edit& a, const Edit& b) {
      return a.at != b.at ? a.at < b.at : a.room > b.room;
    };
    std::stable_sort(edits_.begin(), edits_.end(), earlier);
    return Status();
  }

  void Correct(uint64_t at, uint64_t distance) {
    edits_.push_back({.at = at, .distance = static_cast<uint32_t>(distance)});
  }

  Status Write(const std::function<Status(std::span<const std::byte>)>& sink) {
    static constexpr std::byte kZeros[kOrtWeightAlignment] = {};
    uint64_t from = 0;
    for (const Edit& edit : edits_) {
      if (edit.at < from) return Malformed("places overlap");
      TRIMS_RETURN_IF_ERROR(sink(model_.subspan(from, edit.at - from)));
      const auto distance = std::as_bytes(std::span(&edit.distance, 1));
      TRIMS_RETURN_IF_ERROR(sink(edit.room > 0 ? std::span(kZeros).first(edit.room) : distance));
      from = edit.room > 0 ? edit.at : edit.at + kOffsetBytes;
    }
    return sink(model_.subspan(from));
  }

  const std::span<const std::byte> model_;
  OrtWalk walk_;
  std::vector<Shift> shifts_;
  std::vector<Edit> edits_;
};

}  // namespace

Result<bool> AlignOrtWeights(std::span<const std::byte> model,
                             const std::function<Status(std::span<const std::byte>)>& sink) {
  return OrtAligner(model).Run(sink);
}

}  // namespace trims

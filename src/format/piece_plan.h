// PlanPieces: of which stretches of parts the pieces of a model are, that lie on a device (format/device_forms.h).
//
//   PartCuts cuts;
//   for (const ImagePtr& each : sharing) cuts.Add(*each);
//   for (const PlannedExtent& extent : PlanPieces(image, cuts, {.granule = 2 << 20}))
//     Allocate(extent.front().length);
//
// A range is cut wherever any of the models begins or ends to use a part, so that what two have of one part is cut alike for both.
// Thread-safety: none of its own; a plan keeps the parts of its model.
#ifndef TRIMS_FORMAT_PIECE_PLAN_H_
#define TRIMS_FORMAT_PIECE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "format/image.h"
#include "wire/protocol.h"

namespace trims {

struct DeviceFormOptions {
  uint64_t granule = 0;  // bytes; > 0: pieces begin at multiples of it, in each extent of a range
  size_t most_pieces =
      wire::kMaxExtents;  // with bytes, of one model; at least as many as it has extents
};

// An extent of a part, by the part's key.
using PartExtent = std::pair<std::string, uint32_t>;

// Where the models that were added begin or end to use a part's extents. A cut is there as long as any of them has it.
class PartCuts {
 public:
  // Those of its extents that are cut otherwise now.
  std::set<PartExtent> Add(const Image& image);
  std::set<PartExtent> Remove(const Image& image);  // that was added

  // Whether anything is put together of what it has.
  bool Cuts(const Image& image) const;
  bool empty() const { return extents_.empty(); }

  // Offsets between `begin` and `end`, which are none of them, in order.
  std::vector<uint64_t> Between(const PartExtent& extent, uint64_t begin, uint64_t end) const;

 private:
  std::map<PartExtent, std::map<uint64_t, size_t>> extents_;  // how many have each
};

// Bytes of a part that lie side by side in a range.
struct Stretch {
  ImagePtr part;
  uint32_t extent = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
};

// The stretches of one allocation, in order.
struct PlannedPiece {
  std::vector<Stretch> stretches;
  uint64_t length = 0;
};

using PlannedExtent = std::vector<PlannedPiece>;

// One for each extent of the model's range. Where it would need more pieces than an open may send, short ones that lie side by side
// become one; in the end each extent is one piece.
std::vector<PlannedExtent> PlanPieces(const ImagePtr& image, const PartCuts& cuts,
                                      const DeviceFormOptions& options);

}  // namespace trims

#endif  // TRIMS_FORMAT_PIECE_PLAN_H_

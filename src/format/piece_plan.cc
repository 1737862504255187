#include "format/piece_plan.h"

#include "base/model_limits.h"

namespace trims {
namespace {

// One that is not put together is one run for each of its extents.
std::vector<Stretch> StretchesOf(const ImagePtr& image) {
  std::vector<Stretch> runs;
  for (const ManifestRun& run : image->variant.runs) {
    runs.push_back({image->parts[run.part], run.extent, run.offset, run.length});
  }
  if (!runs.empty()) return runs;
  for (uint32_t i = 0; i < image->variant.extents.size(); ++i) {
    runs.push_back({image, i, 0, image->variant.extents[i].length});
  }
  return runs;
}

std::vector<Stretch> CutUp(const Stretch& run, const PartCuts& cuts) {
  std::vector<Stretch> stretches;
  const uint64_t end = run.offset + run.length;
  uint64_t begin = run.offset;
  for (const uint64_t cut : cuts.Between({run.part->key, run.extent}, begin, end)) {
    stretches.push_back({run.part, run.extent, begin, cut - begin});
    begin = cut;
  }
  stretches.push_back({run.part, run.extent, begin, end - begin});
  return stretches;
}

bool GoesOn(const Stretch& last, const Stretch& next) {
  return last.part->key == next.part->key && last.extent == next.extent &&
         last.offset + last.length == next.offset;
}

void AddTo(const Stretch& stretch, PlannedPiece* piece) {
  piece->length += stretch.length;
  if (!piece->stretches.empty() && GoesOn(piece->stretches.back(), stretch)) {
    piece->stretches.back().length += stretch.length;
  } else {
    piece->stretches.push_back(stretch);
  }
}

// No piece begins where none can be mapped.
std::vector<PlannedExtent> PlanExtents(const ImagePtr& image, const PartCuts& cuts,
                                       uint64_t granule) {
  std::vector<PlannedExtent> extents;
  const std::vector<Stretch> runs = StretchesOf(image);
  size_t run = 0;
  for (const uint64_t length : image->variant.RangeLengths()) {
    PlannedExtent& extent = extents.emplace_back();
    for (uint64_t at = 0; at < length && run < runs.size(); ++run) {
      for (const Stretch& stretch : CutUp(runs[run], cuts)) {
        if (at % granule == 0) extent.emplace_back();
        AddTo(stretch, &extent.back());
        at += stretch.length;
      }
    }
  }
  return extents;
}

size_t PiecesIn(const std::vector<PlannedExtent>& extents) {
  size_t count = 0;
  for (const PlannedExtent& extent : extents) count += extent.size();
  return count;
}

// Those shorter than `shortest` that lie side by side become one.
PlannedExtent MergeShort(const PlannedExtent& extent, uint64_t shortest) {
  PlannedExtent merged;
  for (const PlannedPiece& piece : extent) {
    const bool joins =
        !merged.empty() && merged.back().length < shortest && piece.length < shortest;
    if (!joins) merged.emplace_back();
    for (const Stretch& stretch : piece.stretches) AddTo(stretch, &merged.back());
  }
  return merged;
}

}  // namespace

std::set<PartExtent> PartCuts::Add(const Image& image) {
  std::set<PartExtent> changed;
  for (const ManifestRun& run : image.variant.runs) {
    const PartExtent extent(image.parts[run.part]->key, run.extent);
    std::map<uint64_t, size_t>& cuts = extents_[extent];
    for (const uint64_t cut : {run.offset, run.offset + run.length}) {
      if (++cuts[cut] == 1) changed.insert(extent);
    }
  }
  return changed;
}

std::set<PartExtent> PartCuts::Remove(const Image& image) {
  std::set<PartExtent> changed;
  for (const ManifestRun& run : image.variant.runs) {
    const PartExtent extent(image.parts[run.part]->key, run.extent);
    const auto cuts = extents_.find(extent);
    if (cuts == extents_.end()) continue;
    for (const uint64_t offset : {run.offset, run.offset + run.length}) {
      const auto cut = cuts->second.find(offset);
      if (cut == cuts->second.end() || --cut->second > 0) continue;
      cuts->second.erase(cut);
      changed.insert(extent);
    }
    if (cuts->second.empty()) extents_.erase(cuts);
  }
  return changed;
}

bool PartCuts::Cuts(const Image& image) const {
  if (!image.parts.empty()) return true;
  const auto cut = extents_.lower_bound({image.key, 0});
  return cut != extents_.end() && cut->first.first == image.key;
}

std::vector<uint64_t> PartCuts::Between(const PartExtent& extent, uint64_t begin,
                                        uint64_t end) const {
  std::vector<uint64_t> between;
  const auto cuts = extents_.find(extent);
  if (cuts == extents_.end()) return between;
  for (auto cut = cuts->second.upper_bound(begin); cut != cuts->second.end() && cut->first < end;
       ++cut) {
    between.push_back(cut->first);
  }
  return between;
}

std::vector<PlannedExtent> PlanPieces(const ImagePtr& image, const PartCuts& cuts,
                                      const DeviceFormOptions& options) {
  std::vector<PlannedExtent> extents = PlanExtents(image, cuts, options.granule);
  uint64_t shortest = options.granule;
  while (PiecesIn(extents) > options.most_pieces && shortest <= kMaxModelBytes) {
    shortest *= 2;
    for (PlannedExtent& extent : extents) extent = MergeShort(extent, shortest);
  }
  return extents;
}

}  // namespace trims

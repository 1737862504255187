#include "format/device_forms.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/mapping.h"
#include "base/model_limits.h"
#include "base/sha256.h"

namespace trims {
namespace {

// Where stretches of a part's extent begin or end, by the part's key and the extent.
using Cuts = std::map<std::pair<std::string, uint32_t>, std::set<uint64_t>>;

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

Cuts CutsOf(std::span<const ImagePtr> sharing) {
  Cuts cuts;
  for (const ImagePtr& image : sharing) {
    for (const ManifestRun& run : image->variant.runs) {
      std::set<uint64_t>& of_extent = cuts[{image->parts[run.part]->key, run.extent}];
      of_extent.insert(run.offset);
      of_extent.insert(run.offset + run.length);
    }
  }
  return cuts;
}

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

std::vector<Stretch> CutUp(const Stretch& run, const Cuts& cuts) {
  const auto found = cuts.find({run.part->key, run.extent});
  if (found == cuts.end()) return {run};
  std::vector<Stretch> stretches;
  const uint64_t end = run.offset + run.length;
  uint64_t begin = run.offset;
  for (auto cut = found->second.upper_bound(begin); cut != found->second.end() && *cut < end;
       ++cut) {
    stretches.push_back({run.part, run.extent, begin, *cut - begin});
    begin = *cut;
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
std::vector<PlannedExtent> PlanExtents(const ImagePtr& image, const Cuts& cuts, uint64_t granule) {
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

// In the end each extent is one piece.
std::vector<PlannedExtent> Fit(std::vector<PlannedExtent> extents,
                               const DeviceFormOptions& options) {
  uint64_t shortest = options.granule;
  while (PiecesIn(extents) > options.most_pieces && shortest <= kMaxModelBytes) {
    shortest *= 2;
    for (PlannedExtent& extent : extents) extent = MergeShort(extent, shortest);
  }
  return extents;
}

// Of the model, but for its bytes.
Image NamedAs(const Image& model, std::string key) {
  Image image{.reference = model.reference,
              .digest = model.digest,
              .kind = model.kind,
              .variant_key = model.variant_key,
              .key = std::move(key),
              .source = model.source,
              .variant = {}};
  image.variant.kind = model.kind;
  image.variant.key = model.variant_key;
  image.variant.folder = model.variant.folder;
  return image;
}

// What several parts are when they are opened together.
ImagePtr Together(const Image& model, std::vector<ImagePtr> parts) {
  if (parts.size() == 1) return parts.front();
  Image together = NamedAs(model, model.key);
  for (const ImagePtr& part : parts) together.footprint += part->footprint;
  together.parts = std::move(parts);
  return std::make_shared<const Image>(std::move(together));
}

ImagePtr MakeIndexPiece(const Image& model, const ImagePtr& own) {
  Image piece = NamedAs(model, "index/" + own->key);
  piece.variant.index_length = own->variant.index_length;
  piece.variant.index_sha256 = own->variant.index_sha256;
  piece.footprint = ExtentFootprint(own->variant.index_length);
  piece.from = own;
  return std::make_shared<const Image>(std::move(piece));
}

std::string StretchText(const Stretch& stretch) {
  return stretch.part->key + "/" + std::to_string(stretch.extent) + "/" +
         std::to_string(stretch.offset) + "+" + std::to_string(stretch.length);
}

// Of what it has, and nothing else.
std::string PieceKey(const PlannedPiece& planned) {
  if (planned.stretches.size() == 1) return "piece/" + StretchText(planned.stretches.front());
  Sha256 hash;
  for (const Stretch& stretch : planned.stretches) hash.Update(StretchText(stretch) + "\n");
  return "pieces/" + hash.FinishHex();
}

ImagePtr MakePiece(const Image& model, const PlannedPiece& planned, std::string key,
                   uint64_t granule) {
  Image piece = NamedAs(model, std::move(key));
  std::vector<ImagePtr> parts;
  for (const Stretch& stretch : planned.stretches) {
    auto part = std::ranges::find(parts, stretch.part->key, &Image::key);
    if (part == parts.end()) part = parts.insert(parts.end(), stretch.part);
    piece.slices.push_back({.part = static_cast<size_t>(part - parts.begin()),
                            .extent = stretch.extent,
                            .offset = stretch.offset,
                            .length = stretch.length});
  }
  piece.variant.extents.push_back({.length = planned.length, .pieces = {}});
  piece.footprint = AlignUp(planned.length, granule);
  piece.from = Together(model, std::move(parts));
  return std::make_shared<const Image>(std::move(piece));
}

// One that a model has several times is one part, with several runs.
ImagePtr MakeForm(const ImagePtr& image, const std::vector<PlannedExtent>& extents,
                  uint64_t granule) {
  Image form = *image;
  form.parts = {MakeIndexPiece(*image, PartsOf(image).front())};
  form.variant.lengths = image->variant.RangeLengths();
  form.variant.extents.clear();
  form.variant.borrowed.clear();
  form.variant.runs.clear();
  form.footprint = form.parts.front()->footprint;
  std::unordered_map<std::string, uint32_t> numbers;
  for (const PlannedExtent& extent : extents) {
    for (const PlannedPiece& planned : extent) {
      const auto [number, is_new] =
          numbers.emplace(PieceKey(planned), static_cast<uint32_t>(form.parts.size()));
      if (is_new) {
        form.parts.push_back(MakePiece(*image, planned, number->first, granule));
        form.footprint += form.parts.back()->footprint;
      }
      form.variant.runs.push_back({.part = number->second, .length = planned.length});
    }
  }
  return std::make_shared<const Image>(std::move(form));
}

bool IsCut(const ImagePtr& image, const Cuts& cuts) {
  if (!image->parts.empty()) return true;
  for (uint32_t i = 0; i < image->variant.extents.size(); ++i) {
    if (cuts.contains({image->key, i})) return true;
  }
  return false;
}

// Bytes by the part's key and the extent.
using BytesOfParts =
    std::map<std::pair<std::string, uint32_t>, std::vector<std::pair<uint64_t, uint64_t>>>;

void AddBytesOf(const Image& image, BytesOfParts* bytes) {
  if (image.from == nullptr) {
    for (uint32_t i = 0; i < image.variant.extents.size(); ++i) {
      (*bytes)[{image.key, i}].push_back({0, image.variant.extents[i].length});
    }
    return;
  }
  for (const ImageSlice& slice : image.slices) {
    (*bytes)[{PartsOf(image.from)[slice.part]->key, slice.extent}].push_back(
        {slice.offset, slice.offset + slice.length});
  }
}

// Of the bytes of one extent, those that are there once more.
uint64_t Repeated(std::vector<std::pair<uint64_t, uint64_t>>* intervals) {
  std::ranges::sort(*intervals);
  uint64_t repeated = 0;
  uint64_t covered = 0;  // all before it has been seen
  for (const auto& [begin, end] : *intervals) {
    if (begin < covered) repeated += std::min(covered, end) - begin;
    covered = std::max(covered, end);
  }
  return repeated;
}

}  // namespace

DeviceForms MakeDeviceForms(std::span<const ImagePtr> sharing, const DeviceFormOptions& options) {
  const Cuts cuts = CutsOf(sharing);
  DeviceForms forms;
  for (const ImagePtr& image : sharing) {
    if (!IsCut(image, cuts) || forms.contains(image->key)) continue;
    const std::vector<PlannedExtent> extents =
        Fit(PlanExtents(image, cuts, options.granule), options);
    forms.emplace(image->key, MakeForm(image, extents, options.granule));
  }
  return forms;
}

bool HaveSameParts(const Image& one, const Image& other) {
  const auto have_one_key = [](const ImagePtr& a, const ImagePtr& b) { return a->key == b->key; };
  return std::ranges::equal(one.parts, other.parts, have_one_key);
}

uint64_t WastedBytes(std::span<const OnDevice> resident) {
  uint64_t wasted = 0;
  BytesOfParts parts;
  for (const OnDevice& each : resident) {
    AddBytesOf(*each.image, &parts);
    const uint64_t bytes = each.image->variant.ExtentBytes();
    if (!each.image->slices.empty() && each.footprint > bytes) wasted += each.footprint - bytes;
  }
  for (auto& [extent, of_extent] : parts) wasted += Repeated(&of_extent);
  return wasted;
}

}  // namespace trims

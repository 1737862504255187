#include "format/shared_bytes.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace trims {
namespace {

struct Interval {
  uint64_t begin = 0;
  uint64_t end = 0;
};

using ExtentOfPart = std::pair<std::string, uint32_t>;  // the part's key
using Intervals = std::map<ExtentOfPart, std::vector<Interval>>;

void Disjoin(std::vector<Interval>* intervals) {
  std::ranges::sort(*intervals, {}, &Interval::begin);
  std::vector<Interval> disjoint;
  for (const Interval& next : *intervals) {
    if (disjoint.empty() || next.begin > disjoint.back().end) {
      disjoint.push_back(next);
    } else {
      disjoint.back().end = std::max(disjoint.back().end, next.end);
    }
  }
  *intervals = std::move(disjoint);
}

Intervals IntervalsOf(const ImagePtr& image) {
  Intervals intervals;
  const std::span<const ImagePtr> parts = PartsOf(image);
  for (const ManifestRun& run : image->variant.runs) {
    intervals[{parts[run.part]->key, run.extent}].push_back({run.offset, run.offset + run.length});
  }
  if (image->parts.empty()) {
    for (uint32_t i = 0; i < image->variant.extents.size(); ++i) {
      intervals[{image->key, i}].push_back({0, image->variant.extents[i].length});
    }
  }
  for (auto& [extent, of_extent] : intervals) Disjoin(&of_extent);
  return intervals;
}

uint64_t Common(const std::vector<Interval>& one, const std::vector<Interval>& other) {
  uint64_t bytes = 0;
  for (size_t i = 0, j = 0; i < one.size() && j < other.size();) {
    const uint64_t begin = std::max(one[i].begin, other[j].begin);
    const uint64_t end = std::min(one[i].end, other[j].end);
    if (begin < end) bytes += end - begin;
    one[i].end < other[j].end ? ++i : ++j;
  }
  return bytes;
}

}  // namespace

uint64_t SharedBytes(const ImagePtr& one, const ImagePtr& other) {
  const Intervals of_other = IntervalsOf(other);
  uint64_t bytes = 0;
  for (const auto& [extent, intervals] : IntervalsOf(one)) {
    const auto found = of_other.find(extent);
    if (found != of_other.end()) bytes += Common(intervals, found->second);
  }
  return bytes;
}

uint64_t MappedBytes(const Image& image) {
  uint64_t bytes = ExtentFootprint(image.variant.index_length);
  for (const uint64_t length : image.variant.RangeLengths()) bytes += ExtentFootprint(length);
  return bytes;
}

}  // namespace trims

#include "ingest/share_plan.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/granularity.h"
#include "base/mapping.h"
#include "wire/protocol.h"

namespace trims {
namespace {

struct HashOfDigest {
  size_t operator()(const Sha256::Digest& digest) const {
    size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof(hash));
    return hash;
  }
};

// Where a block lies, or will lie.
struct Place {
  uint32_t part = 0;
  uint32_t extent = 0;
  uint64_t offset = 0;
};

struct Block {
  size_t extent = 0;
  uint64_t at = 0;
  uint64_t length = 0;
  Sha256::Digest digest = {};
  std::optional<Place> borrowed;

  bool whole() const { return length == kShareBlockBytes; }
};

std::vector<Block> BlocksOf(const std::vector<uint64_t>& lengths,
                            const std::vector<std::vector<Sha256::Digest>>& digests) {
  std::vector<Block> blocks;
  for (size_t extent = 0; extent < lengths.size(); ++extent) {
    size_t number = 0;
    for (uint64_t at = 0; at < lengths[extent]; at += kShareBlockBytes) {
      blocks.push_back({.extent = extent,
                        .at = at,
                        .length = std::min(kShareBlockBytes, lengths[extent] - at),
                        .digest = digests[extent][number++],
                        .borrowed = {}});
    }
  }
  return blocks;
}

using PlacesByDigest = std::unordered_map<Sha256::Digest, Place, HashOfDigest>;

PlacesByDigest PlacesIn(const Image& candidate) {
  PlacesByDigest places;
  const std::vector<ManifestExtent>& extents = candidate.variant.extents;
  for (uint32_t extent = 0; extent < extents.size(); ++extent) {
    uint64_t offset = 0;
    for (const Sha256::Digest& digest : extents[extent].blocks) {
      places.emplace(digest, Place{.extent = extent, .offset = offset});
      offset += kShareBlockBytes;
    }
  }
  return places;
}

// What would be borrowed of it now, in bytes of it.
uint64_t Gain(const PlacesByDigest& places, const std::vector<Block>& blocks) {
  uint64_t gain = 0;
  for (const Block& block : blocks) {
    if (block.whole() && !block.borrowed && places.contains(block.digest)) gain += block.length;
  }
  return gain;
}

bool IsWorthIt(uint64_t gain, const Image& candidate) {
  return gain > 0 && 2 * gain >= candidate.variant.ExtentBytes();
}

void Borrow(const PlacesByDigest& places, uint32_t part, std::vector<Block>* blocks) {
  for (Block& block : *blocks) {
    if (!block.whole() || block.borrowed) continue;
    const auto found = places.find(block.digest);
    if (found == places.end()) continue;
    block.borrowed = found->second;
    block.borrowed->part = part;
  }
}

// The one that gives most, again and again.
std::vector<ImagePtr> ChooseParts(std::vector<ImagePtr> candidates, std::vector<Block>* blocks) {
  std::vector<PlacesByDigest> places;
  for (const ImagePtr& candidate : candidates) places.push_back(PlacesIn(*candidate));
  std::vector<ImagePtr> chosen;
  size_t extents = 1;
  while (chosen.size() < kMaxBorrowed) {
    size_t best = candidates.size();
    uint64_t most = 0;
    for (size_t i = 0; i < candidates.size(); ++i) {
      const uint64_t gain = Gain(places[i], *blocks);
      const bool fits = extents + candidates[i]->variant.extents.size() <= wire::kMaxExtents;
      if (gain <= most || !fits || !IsWorthIt(gain, *candidates[i])) continue;
      best = i;
      most = gain;
    }
    if (best == candidates.size()) break;
    chosen.push_back(candidates[best]);
    extents += candidates[best]->variant.extents.size();
    Borrow(places[best], static_cast<uint32_t>(chosen.size()), blocks);
  }
  return chosen;
}

bool Follows(const ManifestRun& run, const Place& place) {
  return run.part == place.part && run.extent == place.extent &&
         run.offset + run.length == place.offset;
}

// Blocks that are new lie one after the other, the whole ones first, so that those lie on huge pages; equal ones lie there once.
void PlaceOwn(std::vector<Block>* blocks, SharePlan* plan, std::vector<Place>* places) {
  std::unordered_map<Sha256::Digest, Place, HashOfDigest> written;
  places->resize(blocks->size());
  for (const bool whole : {true, false}) {
    for (size_t i = 0; i < blocks->size(); ++i) {
      const Block& block = (*blocks)[i];
      if (block.borrowed || block.whole() != whole) continue;
      if (const auto again = written.find(block.digest); whole && again != written.end()) {
        (*places)[i] = again->second;
        continue;
      }
      const uint64_t to = AlignUp(plan->own_length, kPageSize);
      (*places)[i] = {.part = 0, .extent = 0, .offset = to};
      written.emplace(block.digest, (*places)[i]);
      plan->own.push_back(
          {.extent = block.extent, .at = block.at, .length = block.length, .to = to});
      plan->own_length = to + block.length;
      if (whole) plan->blocks.push_back(block.digest);
    }
  }
}

// Whether it is nothing else than one extent that was written as it is.
bool IsPlain(const SharePlan& plan, const std::vector<uint64_t>& lengths) {
  return lengths.size() == 1 && plan.borrowed.empty() && plan.runs.size() == 1 &&
         plan.runs.front() == ManifestRun{.length = lengths.front()};
}

std::vector<ManifestRun> RunsOf(const std::vector<Block>& blocks,
                                const std::vector<Place>& own_places) {
  std::vector<ManifestRun> runs;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    const Place place = block.borrowed.value_or(own_places[i]);
    if (block.at > 0 && Follows(runs.back(), place)) {
      runs.back().length += block.length;
    } else {
      runs.push_back({.part = place.part,
                      .extent = place.extent,
                      .offset = place.offset,
                      .length = block.length});
    }
  }
  return runs;
}

// Parts that no run is of.
void DropUnused(SharePlan* plan) {
  std::vector<uint32_t> number(plan->borrowed.size() + 1, 0);
  for (const ManifestRun& run : plan->runs) number[run.part] = 1;
  std::vector<ImagePtr> used;
  for (size_t part = 1; part < number.size(); ++part) {
    if (number[part] == 0) continue;
    used.push_back(plan->borrowed[part - 1]);
    number[part] = static_cast<uint32_t>(used.size());
  }
  for (ManifestRun& run : plan->runs) run.part = run.part == 0 ? 0 : number[run.part];
  plan->borrowed = std::move(used);
}

SharePlan PlanOf(std::vector<Block> blocks, std::vector<ImagePtr> borrowed) {
  // There is always something of its own: what has no bytes would be no segment.
  const bool any = std::ranges::any_of(blocks, [](const Block& block) { return !block.borrowed; });
  if (!any && !blocks.empty()) blocks.back().borrowed.reset();
  SharePlan plan{.own = {}, .runs = {}, .borrowed = std::move(borrowed), .blocks = {}};
  std::vector<Place> own_places;
  PlaceOwn(&blocks, &plan, &own_places);
  plan.runs = RunsOf(blocks, own_places);
  DropUnused(&plan);
  return plan;
}

// Runs of borrowed blocks shorter than `shortest` are written anew: what is borrowed in small pieces costs mappings.
void DropShortRuns(size_t shortest, std::vector<Block>* blocks) {
  size_t begin = 0;
  while (begin < blocks->size()) {
    size_t end = begin + 1;
    const auto& first = (*blocks)[begin].borrowed;
    while (end < blocks->size() && first && (*blocks)[end].borrowed && (*blocks)[end].at > 0 &&
           (*blocks)[end].borrowed->part == first->part) {
      ++end;
    }
    if (first && end - begin < shortest) {
      for (size_t i = begin; i < end; ++i) (*blocks)[i].borrowed.reset();
    }
    begin = end;
  }
}

}  // namespace

SharePlan PlanSharing(const std::vector<uint64_t>& lengths,
                      const std::vector<std::vector<Sha256::Digest>>& digests,
                      const std::vector<ImagePtr>& candidates) {
  std::vector<Block> blocks = BlocksOf(lengths, digests);
  const std::vector<ImagePtr> borrowed = ChooseParts(candidates, &blocks);
  SharePlan plan = PlanOf(blocks, borrowed);
  for (size_t shortest = 2; plan.runs.size() > wire::kMaxRuns; shortest *= 2) {
    if (shortest > blocks.size()) return {};
    DropShortRuns(shortest, &blocks);
    plan = PlanOf(blocks, borrowed);
  }
  if (IsPlain(plan, lengths)) plan.runs.clear();
  return plan;
}

}  // namespace trims

#include "base/near_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace trims {
namespace {

constexpr size_t kMaxLookedAt = 4096;
constexpr size_t kMaxLength = 128;
constexpr size_t kMaxCells = 200'000;  // of all distances together: some tenths of a millisecond
constexpr size_t kLeastPart = 2;       // a single character is part of too many names
constexpr size_t kFar = static_cast<size_t>(-1);

// 0 is nearest; kFar beyond `allowed`. What a distance costs is taken from `cells`; without them there is none.
size_t Remoteness(std::string_view wanted, std::string_view name, size_t allowed, size_t* cells) {
  if (wanted.size() >= kLeastPart && name.starts_with(wanted)) return 0;
  const bool part = wanted.size() >= kLeastPart && name.find(wanted) != std::string_view::npos;
  const size_t longer = std::max(wanted.size(), name.size());
  const size_t shorter = std::min(wanted.size(), name.size());
  const bool may_be_near = longer - shorter <= allowed && longer * shorter <= *cells;
  if (may_be_near) *cells -= longer * shorter;
  const size_t distance = may_be_near ? EditDistance(wanted, name) : kFar;
  if (part) return std::min(distance, allowed);
  return distance <= allowed ? distance : kFar;
}

}  // namespace

size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> before_last(to.size() + 1);
  std::vector<size_t> last(to.size() + 1);
  std::vector<size_t> row(to.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[to.size()];
}

std::vector<std::string> NearNames(std::string_view wanted, size_t count,
                                   const std::function<std::string_view(size_t)>& name_at,
                                   size_t most) {
  if (wanted.empty() || wanted.size() > kMaxLength) return {};
  const size_t allowed = std::max<size_t>(1, wanted.size() / 3);
  size_t cells = kMaxCells;
  std::vector<std::pair<size_t, std::string>> near;
  for (size_t i = 0; i < std::min(count, kMaxLookedAt); ++i) {
    const std::string_view name = name_at(i);
    if (name.empty() || name.size() > kMaxLength) continue;
    const size_t remoteness = Remoteness(wanted, name, allowed, &cells);
    if (remoteness != kFar) near.emplace_back(remoteness, name);
  }
  std::ranges::stable_sort(near, {}, &std::pair<size_t, std::string>::first);
  std::vector<std::string> names;
  for (auto& [remoteness, name] : near) {
    if (names.size() == most) break;
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> NearNames(std::string_view wanted, std::span<const std::string> known,
                                   size_t most) {
  return NearNames(
      wanted, known.size(), [known](size_t i) -> std::string_view { return known[i]; }, most);
}

std::string NearestName(std::string_view wanted, std::span<const std::string> known) {
  std::vector<std::string> near = NearNames(wanted, known, 1);
  return near.empty() ? std::string() : std::move(near.front());
}

std::string Alternatives(std::span<const std::string> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "'" + names[i] + "'";
  }
  return text;
}

}  // namespace trims

#include "manager/near_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace trims {
namespace {

constexpr size_t kMaxLookedAt = 4096;

}  // namespace

size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::vector<std::string> NearNames(std::string_view name, const std::vector<std::string>& known,
                                   size_t limit) {
  const size_t allowed = std::max<size_t>(1, name.size() / 3);
  std::vector<std::pair<size_t, std::string>> near;
  for (size_t i = 0; i < std::min(known.size(), kMaxLookedAt); ++i) {
    size_t distance = EditDistance(name, known[i]);
    if (known[i].find(name) != std::string::npos) distance = std::min(distance, allowed);
    if (distance <= allowed) near.emplace_back(distance, known[i]);
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), limit));
  std::vector<std::string> names;
  for (auto& [distance, found] : near) names.push_back(std::move(found));
  return names;
}

}  // namespace trims

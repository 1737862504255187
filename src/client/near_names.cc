#include "client/near_names.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace trims::client {
namespace {

constexpr size_t kMaxCompared = 4096;
constexpr size_t kMaxLength = 128;
constexpr size_t kMaxSuggested = 3;

// Levenshtein distance of two names of at most kMaxLength bytes.
size_t Distance(std::string_view a, std::string_view b) {
  std::array<size_t, kMaxLength + 1> row;
  std::iota(row.begin(), row.begin() + b.size() + 1, size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

struct Candidate {
  size_t distance;
  std::string_view name;
};

std::string Joined(const std::vector<Candidate>& candidates) {
  std::string text;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) text += i + 1 == candidates.size() ? " or " : ", ";
    text += "'" + std::string(candidates[i].name) + "'";
  }
  return text;
}

}  // namespace

std::string NearNames(std::string_view wanted, size_t count,
                      const std::function<std::string_view(size_t)>& name_at) {
  if (wanted.empty() || wanted.size() > kMaxLength) return {};
  const size_t limit = std::max<size_t>(2, wanted.size() / 4);
  std::vector<Candidate> near;
  for (size_t i = 0; i < std::min(count, kMaxCompared); ++i) {
    const std::string_view name = name_at(i);
    if (name.empty() || name.size() > std::min(kMaxLength, wanted.size() + limit) ||
        name.size() + limit < wanted.size()) {
      continue;
    }
    const size_t distance = Distance(wanted, name);
    if (distance <= limit) near.push_back({distance, name});
  }
  std::ranges::stable_sort(near, {}, &Candidate::distance);
  if (near.size() > kMaxSuggested) near.resize(kMaxSuggested);
  return Joined(near);
}

}  // namespace trims::client

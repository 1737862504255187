#include "store/eviction_policy.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace trims {
namespace {

class NeverPolicy final : public EvictionPolicy {
 public:
  std::string_view name() const override { return "never"; }
  std::vector<uint64_t> Choose(std::span<const EvictionCandidate>, uint64_t) const override {
    return {};
  }
};

// The one used longest ago goes first; of those used at the same time the one with the lower id, so
// that a decision can be repeated.
class LruPolicy final : public EvictionPolicy {
 public:
  std::string_view name() const override { return "lru"; }

  std::vector<uint64_t> Choose(std::span<const EvictionCandidate> candidates,
                               uint64_t needed) const override {
    std::vector<EvictionCandidate> oldest(candidates.begin(), candidates.end());
    std::sort(oldest.begin(), oldest.end(), [](const auto& a, const auto& b) {
      return std::tie(a.last_used, a.segment) < std::tie(b.last_used, b.segment);
    });
    std::vector<uint64_t> chosen;
    for (auto next = oldest.begin(); needed > 0 && next != oldest.end(); ++next) {
      if (next->bytes == 0) continue;
      chosen.push_back(next->segment);
      needed -= std::min(needed, next->bytes);
    }
    if (needed > 0) chosen.clear();
    return chosen;
  }
};

}  // namespace

Result<std::unique_ptr<EvictionPolicy>> MakeEvictionPolicy(std::string_view name) {
  if (name == "never") return std::unique_ptr<EvictionPolicy>(std::make_unique<NeverPolicy>());
  if (name == "lru") return std::unique_ptr<EvictionPolicy>(std::make_unique<LruPolicy>());
  return Status(StatusCode::kInvalidArgument,
                "there is no eviction policy '" + std::string(name) + "'", "use never or lru");
}

}  // namespace trims

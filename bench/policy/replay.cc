#include "policy/replay.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "store/evictor.h"

namespace trims::bench {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

class Replay {
 public:
  Replay(const TierPolicy& policy, const std::vector<PaperModel>& models, uint64_t budget)
      : evictor_(policy),
        models_(models),
        uses_(models.size()),
        resident_(models.size()),
        free_(budget) {
    for (size_t model = 0; model < models.size(); ++model) {
      uses_[model].segment = model;
      uses_[model].bytes = models[model].bytes;
    }
  }

  void Open(size_t model) {
    now_ += std::chrono::milliseconds(1);
    EvictionCandidate& use = uses_[model];
    if (resident_[model]) {
      evictor_.Withdraw(model);
    } else if (!Load(model)) {
      return;
    }
    evictor_.Opened(&use);
    use.last_used = now_;
    if (evictor_.policy().Keeps()) return evictor_.Offer(use);
    Leave(model, false);
  }

  const ReplayCost& cost() const { return cost_; }

 private:
  bool Load(size_t model) {
    cost_.seconds += Seconds(models_[model].load_time);
    ++cost_.loads;
    EvictionCandidate& use = uses_[model];
    use.admitted = true;
    if (use.bytes > free_ && !MakeRoom(use.bytes - free_, &use)) return false;
    free_ -= use.bytes;
    resident_[model] = true;
    evictor_.Entered(std::to_string(model), now_, models_[model].load_time, &use);
    return true;
  }

  bool MakeRoom(uint64_t needed, EvictionCandidate* newcomer) {
    const std::vector<Victim> victims = evictor_.Choose(needed);
    std::vector<EvictionCandidate> uses;
    for (const Victim& victim : victims) uses.push_back(uses_[victim.segment]);
    newcomer->admitted = evictor_.Admits(std::to_string(newcomer->segment), newcomer->bytes, uses);
    for (const Victim& victim : victims) {
      evictor_.Evicted(uses_[victim.segment], victim.rank);
      Leave(victim.segment, true);
    }
    return !victims.empty();
  }

  void Leave(size_t model, bool evicted) {
    evictor_.Left(std::to_string(model), uses_[model], evicted);
    resident_[model] = false;
    free_ += models_[model].bytes;
  }

  Evictor evictor_;
  const std::vector<PaperModel>& models_;
  std::vector<EvictionCandidate> uses_;
  std::vector<bool> resident_;
  uint64_t free_;
  TimePoint now_;
  ReplayCost cost_;
};

// For each open, when its model is opened next.
std::vector<size_t> NextOpens(size_t models, const Trace& trace) {
  std::vector<size_t> next(trace.size());
  std::vector<size_t> seen(models, 2 * trace.size());
  for (size_t i = trace.size(); i-- > 0;) next[i] = std::exchange(seen[trace[i]], i);
  return next;
}

}  // namespace

ReplayCost CostOf(const TierPolicy& policy, const std::vector<PaperModel>& models,
                  const Trace& trace, uint64_t budget) {
  Replay replay(policy, models, budget);
  for (const size_t model : trace) {
    if (models[model].bytes <= budget) replay.Open(model);
  }
  return replay.cost();
}

double OptimumSeconds(const std::vector<PaperModel>& models, const Trace& trace, uint64_t budget) {
  const std::vector<size_t> next = NextOpens(models.size(), trace);
  std::vector<size_t> next_of(models.size());
  std::vector<size_t> resident;
  uint64_t free = budget;
  double seconds = 0;
  for (size_t i = 0; i < trace.size(); ++i) {
    const size_t model = trace[i];
    if (models[model].bytes > budget) continue;
    next_of[model] = next[i];
    if (std::find(resident.begin(), resident.end(), model) != resident.end()) continue;
    seconds += Seconds(models[model].load_time);
    const auto worth = [&](size_t one) {
      return Seconds(models[one].load_time) / static_cast<double>(models[one].bytes) /
             static_cast<double>(next_of[one] - i);
    };
    while (models[model].bytes > free) {
      const auto least = std::min_element(resident.begin(), resident.end(),
                                          [&](size_t a, size_t b) { return worth(a) < worth(b); });
      free += models[*least].bytes;
      resident.erase(least);
    }
    free -= models[model].bytes;
    resident.push_back(model);
  }
  return seconds;
}

}  // namespace trims::bench

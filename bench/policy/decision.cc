#include "policy/decision.h"

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "store/evictor.h"

namespace trims::bench {
namespace {

class Residents {
 public:
  Residents(const TierPolicy& policy, size_t count) : evictor_(policy), uses_(count) {
    for (size_t i = 0; i < count; ++i) {
      uses_[i].segment = i;
      keys_.push_back("sha256-of-a-variant-that-is-as-long-as-real-ones-are-" + std::to_string(i));
      Come(i);
    }
  }

  void Decide() {
    const std::vector<Victim> victims = evictor_.Choose(uses_[random_() % uses_.size()].bytes);
    std::vector<EvictionCandidate> uses;
    for (const Victim& victim : victims) uses.push_back(uses_[victim.segment]);
    if (victims.empty()) return;
    const bool admitted =
        evictor_.Admits(keys_[victims[0].segment], uses_[victims[0].segment].bytes, uses);
    for (const Victim& victim : victims) {
      evictor_.Evicted(uses_[victim.segment], victim.rank);
      evictor_.Left(keys_[victim.segment], uses_[victim.segment], true);
    }
    for (const Victim& victim : victims) {  // as many come back as went
      uses_[victim.segment].admitted = admitted;
      Come(victim.segment);
    }
  }

  void Lease() {
    EvictionCandidate& use = uses_[random_() % uses_.size()];
    evictor_.Withdraw(use.segment);
    evictor_.Opened(&use);
    use.last_used = now_ += std::chrono::microseconds(10);
    evictor_.Offer(use);
  }

 private:
  void Come(size_t i) {
    EvictionCandidate& use = uses_[i];
    use.bytes = (1 + random_() % 512) << 20;
    now_ += std::chrono::microseconds(10);
    evictor_.Entered(keys_[i], now_, std::chrono::milliseconds(1 + random_() % 500), &use);
    evictor_.Opened(&use);
    evictor_.Offer(use);
  }

  Evictor evictor_;
  std::vector<EvictionCandidate> uses_;
  std::vector<std::string> keys_;
  std::mt19937_64 random_{1};
  TimePoint now_;
};

template <typename Call>
double MeanMicroseconds(size_t rounds, Call call) {
  const auto began = std::chrono::steady_clock::now();
  for (size_t i = 0; i < rounds; ++i) call();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  return took.count() / static_cast<double>(rounds);
}

}  // namespace

DecisionTimes TimeDecisions(const TierPolicy& policy, size_t residents, size_t rounds) {
  Residents all(policy, residents);
  for (size_t i = 0; i < residents; ++i) all.Lease();
  DecisionTimes times;
  times.decision_us = MeanMicroseconds(rounds, [&] { all.Decide(); });
  times.lease_us = MeanMicroseconds(rounds, [&] { all.Lease(); });
  return times;
}

}  // namespace trims::bench

// UseClock, and frequencies by it: how often something is used, where a use counts for less the longer it is past.
//
//   clock.Tick(known);
//   frequency = AddUse(frequency, clock.now());
//
// The clock goes by uses, not by seconds: on a busy node and on a quiet one a use fades by half while
// everything that is known is used kUsesPerHalfLife times on average. A frequency is kept as the
// binary logarithm of what it was worth at the clock's beginning. All of them fade alike, so their
// order stands still until one of them is used, whatever the clock shows: that is what lets them be kept
// sorted. Thread-safety: values.
#ifndef TRIMS_STORE_USE_FREQUENCY_H_
#define TRIMS_STORE_USE_FREQUENCY_H_

#include <cstddef>
#include <limits>

namespace trims {

inline constexpr double kNeverUsed = -std::numeric_limits<double>::infinity();

class UseClock {
 public:
  // Short enough to follow a day's rhythm, long enough to tell apart what is used nearly as often:
  // docs/residency.md.
  static constexpr double kUsesPerHalfLife = 16;

  // One use, of something among `known` things.
  void Tick(size_t known);
  double now() const { return now_; }  // in half-lives

 private:
  double now_ = 0;
};

// Of two frequencies together.
double AddFrequencies(double a, double b);
// After one more use at `now`.
inline double AddUse(double frequency, double now) { return AddFrequencies(frequency, now); }

}  // namespace trims

#endif  // TRIMS_STORE_USE_FREQUENCY_H_

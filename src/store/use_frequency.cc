#include "store/use_frequency.h"

#include <algorithm>
#include <cmath>

namespace trims {

void UseClock::Tick(size_t known) {
  now_ += 1 / (kUsesPerHalfLife * static_cast<double>(std::max<size_t>(known, 1)));
}

double AddFrequencies(double a, double b) {
  const auto [less, more] = std::minmax(a, b);
  if (std::isinf(less)) return more;
  return more + std::log2(1 + std::exp2(less - more));
}

}  // namespace trims

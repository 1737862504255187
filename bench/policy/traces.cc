#include "policy/traces.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace trims::bench {
namespace {

using Random = std::mt19937_64;

double Uniform(Random* random) { return static_cast<double>((*random)() >> 11) * 0x1p-53; }

Trace Shuffled(size_t count, Random* random) {
  Trace order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[(*random)() % i]);
  return order;
}

// Ranks are popularity: which models have them is drawn.
Trace Renamed(Trace ranks, size_t models, Random* random) {
  const Trace names = Shuffled(models, random);
  for (size_t& rank : ranks) rank = names[rank];
  return ranks;
}

class Zipf {
 public:
  Zipf(double exponent, size_t models) {
    for (size_t i = 0; i < models; ++i) {
      sums_.push_back((sums_.empty() ? 0 : sums_.back()) +
                      std::pow(static_cast<double>(i + 1), -exponent));
    }
  }
  size_t Draw(Random* random) const {
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), Uniform(random) * sums_.back());
    return std::min<size_t>(static_cast<size_t>(found - sums_.begin()), sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

TraceKind ZipfKind(std::string name, double exponent) {
  return {std::move(name), [exponent](size_t models, size_t length, Random* random) {
            const Zipf zipf(exponent, models);
            Trace trace(length);
            for (size_t& open : trace) open = zipf.Draw(random);
            return Renamed(std::move(trace), models, random);
          }};
}

// The models lie evenly on [0, span) of what `quantile` draws from; what falls beyond is drawn anew.
TraceKind DrawnKind(std::string name, double span, std::function<double(double)> quantile) {
  return {std::move(name), [=](size_t models, size_t length, Random* random) {
            Trace trace;
            while (trace.size() < length) {
              const double at = quantile(Uniform(random)) / span;
              if (at < 1) trace.push_back(static_cast<size_t>(at * static_cast<double>(models)));
            }
            return Renamed(std::move(trace), models, random);
          }};
}

TraceKind Pareto(std::string name, double shape) {
  return DrawnKind(std::move(name), 10, [=](double u) { return std::pow(1 - u, -1 / shape) - 1; });
}
TraceKind Exponential(std::string name, double rate) {
  return DrawnKind(std::move(name), 4, [=](double u) { return -std::log(1 - u) / rate; });
}
TraceKind Weibull(std::string name, double shape, double span) {
  return DrawnKind(std::move(name), span,
                   [=](double u) { return std::pow(-std::log(1 - u), 1 / shape); });
}

// Ordinary use, and now and then each model once (a test of all, a report).
TraceKind Scans(std::string name, size_t between) {
  return {std::move(name), [between](size_t models, size_t length, Random* random) {
            const Zipf zipf(0.9, models);
            Trace trace;
            while (trace.size() < length) {
              for (size_t i = 0; i < between; ++i) trace.push_back(zipf.Draw(random));
              for (const size_t model : Shuffled(models, random)) trace.push_back(model);
            }
            trace.resize(length);
            return Renamed(std::move(trace), models, random);
          }};
}

Trace Loop(size_t models, size_t length, Random* random) {
  Trace trace(length);
  for (size_t i = 0; i < length; ++i) trace[i] = i % models;
  return Renamed(std::move(trace), models, random);
}

// Some models by day and others by night, one fading into the other; a tenth of the opens goes to
// those that are hardly ever used.
TraceKind Diurnal(std::string name, double opens_a_day) {
  return {std::move(name), [opens_a_day](size_t models, size_t length, Random* random) {
            const size_t half = models * 3 / 8;
            const Zipf zipf(0.9, half);
            Trace trace(length);
            for (size_t i = 0; i < length; ++i) {
              const double hour = 2 * std::numbers::pi * static_cast<double>(i) / opens_a_day;
              const bool cold = Uniform(random) < 0.1;
              const bool day = Uniform(random) < (std::sin(hour) + 1) / 2;
              trace[i] = cold ? 2 * half + (*random)() % (models - 2 * half)
                              : zipf.Draw(random) + (day ? 0 : half);
            }
            return Renamed(std::move(trace), models, random);
          }};
}

// What is popular changes for good, a few models at a time.
Trace Shift(size_t models, size_t length, Random* random) {
  constexpr size_t kStays = 2000;
  constexpr size_t kMoves = 7;
  const Zipf zipf(0.9, models);
  Trace trace(length);
  for (size_t i = 0; i < length; ++i) {
    trace[i] = (zipf.Draw(random) + i / kStays * kMoves) % models;
  }
  return Renamed(std::move(trace), models, random);
}

}  // namespace

std::vector<TraceKind> TraceKinds() {
  return {ZipfKind("zipf-0.6", 0.6),
          ZipfKind("zipf-0.8", 0.8),
          ZipfKind("zipf-1.0", 1.0),
          ZipfKind("zipf-1.2", 1.2),
          Pareto("pareto-1-1", 1),
          Pareto("pareto-1-2", 2),
          Pareto("pareto-1-3", 3),
          ZipfKind("uniform", 0),
          Exponential("exponential-0.5", 0.5),
          Exponential("exponential-1", 1),
          Exponential("exponential-1.5", 1.5),
          Weibull("weibull-0.5", 0.5, 4),
          Weibull("weibull-1", 1, 4),
          Weibull("weibull-1.5", 1.5, 4),
          Weibull("weibull-5", 5, 2),
          Scans("scan-each-400", 400),
          Scans("scan-each-100", 100),
          {"loop", Loop},
          Diurnal("diurnal-2000", 2000),
          Diurnal("diurnal-5000", 5000),
          {"shift", Shift}};
}

Result<Trace> MakeTrace(std::string_view kind, size_t models, size_t length, uint64_t seed) {
  for (const TraceKind& one : TraceKinds()) {
    if (one.name != kind) continue;
    Random random(seed);
    return one.make(models, length, &random);
  }
  return Status(StatusCode::kInvalidArgument, "there is no trace '" + std::string(kind) + "'");
}

}  // namespace trims::bench

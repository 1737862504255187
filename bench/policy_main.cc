// bench_policy: eviction policies replayed and timed. docs/residency.md says how to read it.
//
//   bench_policy replay FIRST_SEED SEEDS LENGTH     reload seconds and loads by policy, trace and budget
//   bench_policy decision RESIDENTS ROUNDS          microseconds of a decision and of a lease
//   bench_policy predict TRACE SEED LENGTH BUDGET BYTES:LOAD_US…
//                                                   reload seconds by policy, of these models and one trace
//
// Prints JSON.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "policy/decision.h"
#include "policy/paper_models.h"
#include "policy/replay.h"
#include "policy/traces.h"

namespace trims::bench {
namespace {

using Json = nlohmann::json;

constexpr double kBudgets[] = {0.1, 0.2, 0.4, 0.6, 0.8};  // of all models together

struct Contender {
  std::string name;
  TierPolicy policy;
};

std::vector<Contender> Contenders() {
  std::vector<Contender> all;
  for (const EvictionPolicy& eviction : EvictionPolicies()) {
    all.push_back({std::string(eviction.name), {.eviction = &eviction}});
  }
  for (const char* name : {"lru", "gdsf", "worth"}) {
    all.push_back(
        {std::string(name) + "+tinylfu",
         {.eviction = *FindEvictionPolicy(name), .admission = *FindAdmissionPolicy("tinylfu")}});
  }
  return all;
}

// What each policy, and the optimum, needs for one trace with one budget: the mean of the logarithms
// over all seeds, since it is ratios that are compared.
Json ReplayAll(const TraceKind& kind, double share, uint64_t first_seed, uint64_t seeds,
               size_t length) {
  const std::vector<PaperModel> models = PaperModels();
  double total = 0;
  for (const PaperModel& model : models) total += static_cast<double>(model.bytes);
  const auto budget = static_cast<uint64_t>(share * total);
  Json seconds = Json::object();
  Json loads = Json::object();
  const auto add = [&](Json* into, const std::string& name, double value) {
    (*into)[name] = into->value(name, 0.0) + std::log(value) / static_cast<double>(seeds);
  };
  for (uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    std::mt19937_64 random(seed);
    const Trace trace = kind.make(models.size(), length, &random);
    for (const Contender& one : Contenders()) {
      const ReplayCost cost = CostOf(one.policy, models, trace, budget);
      add(&seconds, one.name, cost.seconds);
      add(&loads, one.name, static_cast<double>(cost.loads));
    }
    add(&seconds, "optimum", OptimumSeconds(models, trace, budget));
  }
  for (Json* logarithms : {&seconds, &loads}) {
    for (auto& value : *logarithms) value = std::exp(value.get<double>());
  }
  return {{"trace", kind.name}, {"budget", share}, {"seconds", seconds}, {"loads", loads}};
}

using Words = std::vector<std::string>;

uint64_t NumberOf(const std::string& word) { return std::strtoull(word.c_str(), nullptr, 10); }

// Of what was measured elsewhere (bench_live), for the trace that was played there.
int Predict(const Words& words) {
  constexpr size_t kBeforeModels = 5;
  std::vector<PaperModel> models;
  for (size_t i = kBeforeModels; i < words.size(); ++i) {
    const size_t at = words[i].find(':');
    if (at == std::string::npos) return 2;
    models.push_back({.bytes = NumberOf(words[i]),
                      .load_time = std::chrono::microseconds(NumberOf(words[i].substr(at + 1)))});
  }
  const Result<Trace> trace =
      MakeTrace(words[1], models.size(), NumberOf(words[3]), NumberOf(words[2]));
  if (!trace.ok()) {
    std::cerr << "bench_policy: " << trace.status().ToString() << "\n";
    return 2;
  }
  Json policies = Json::object();
  for (const Contender& one : Contenders()) {
    const ReplayCost cost = CostOf(one.policy, models, *trace, NumberOf(words[4]));
    policies[one.name] = {{"seconds", cost.seconds}, {"loads", cost.loads}};
  }
  std::cout << Json{{"default", DefaultEvictionPolicy()->name}, {"policies", policies}} << "\n";
  return 0;
}

int Main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  const auto number = [&](size_t at) { return NumberOf(words[at]); };
  if (words.size() == 4 && words[0] == "replay") {
    Json replays = Json::array();
    for (const TraceKind& kind : TraceKinds()) {
      for (const double share : kBudgets) {
        replays.push_back(ReplayAll(kind, share, number(1), number(2), number(3)));
      }
    }
    std::cout << Json{{"default", DefaultEvictionPolicy()->name}, {"replays", replays}} << "\n";
    return 0;
  }
  if (words.size() == 3 && words[0] == "decision") {
    Json times = Json::object();
    for (const Contender& one : Contenders()) {
      if (one.policy.eviction->rank == nullptr || one.policy.eviction->takes_all) continue;
      const DecisionTimes took = TimeDecisions(one.policy, number(1), number(2));
      times[one.name] = {{"decision_us", took.decision_us}, {"lease_us", took.lease_us}};
    }
    std::cout << times << "\n";
    return 0;
  }
  if (words.size() > 5 && words[0] == "predict") return Predict(words);
  std::cerr << "usage: bench_policy replay FIRST_SEED SEEDS LENGTH | decision RESIDENTS ROUNDS | "
               "predict TRACE SEED LENGTH BUDGET BYTES:LOAD_US…\n";
  return 2;
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) { return trims::bench::Main(argc, argv); }

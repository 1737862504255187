#include "trace/trace_summary.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "trace/event_text.h"

namespace trims {
namespace {

using Json = nlohmann::json;

constexpr double kLongestCounted =
    1e12;  // eleven days: what is longer is a mistake, and sums stay whole
constexpr const char* kOther = "(other)";

std::optional<Duration> TookOf(const Json& event) {
  const auto found = event.find("dur");
  if (found == event.end() || !found->is_number()) return std::nullopt;
  const double micros = found->get<double>();
  if (!(micros >= 0 && micros <= kLongestCounted)) return std::nullopt;
  return Duration(std::llround(micros * 1000));
}

std::string ModelOf(const Json& event) {
  const auto args = event.find("args");
  return args != event.end() && args->is_object() ? TextIn(*args, "model") : "";
}

double Micros(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

Json RowOf(const DurationHistogram& took, Duration whole) {
  const double count = static_cast<double>(took.count());
  Json row = {{"count", took.count()},
              {"total_us", Micros(took.total())},
              {"mean_us", Micros(took.total()) / std::max(count, 1.0)},
              {"p50_us", Micros(took.Quantile(0.5))},
              {"p95_us", Micros(took.Quantile(0.95))},
              {"max_us", Micros(took.longest())}};
  row["share"] = whole.count() == 0 ? Json() : Json(Micros(took.total()) / Micros(whole));
  return row;
}

}  // namespace

void TraceSummary::AddTo(Named* named, const std::string& name, Duration took) {
  const bool known = named->size() < kMostNames || named->contains(name);
  (*named)[known ? name : kOther].Add(took);
}

void TraceSummary::Add(const Json& event) {
  if (TextIn(event, "ph") != "X") return;
  const std::optional<Duration> took = TookOf(event);
  if (!took) return;
  const std::string name = TextIn(event, "name");
  AddTo(&spans_, name, *took);
  const std::string model = ModelOf(event);
  if (model.empty()) return;
  const std::string category = TextIn(event, "cat");
  if (name == "open" && category == "trims.client") AddTo(&opened_, model, *took);
  if (name == "serve" && category == "trims.open") AddTo(&served_, model, *took);
}

const char* TraceSummary::OpensName() const {
  if (!opened_.empty()) return "open";
  return served_.empty() ? nullptr : "serve";
}

Json TraceSummary::Rows(const Named& named, const char* title, Duration whole) const {
  std::vector<std::pair<std::string, const DurationHistogram*>> sorted;
  for (const auto& [name, took] : named) sorted.emplace_back(name, &took);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second->total() > b.second->total();
  });
  Json rows = Json::array();
  for (const auto& [name, took] : sorted) {
    Json row = RowOf(*took, whole);
    row[title] = name;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json TraceSummary::Document() const {
  const char* const opens = OpensName();
  const Named& models = opened_.empty() ? served_ : opened_;
  Duration whole{0};
  for (const auto& [model, took] : models) whole += took.total();
  return {{"opens", opens == nullptr ? Json() : Json(opens)},
          {"opens_us", Micros(whole)},
          {"spans", Rows(spans_, "name", whole)},
          {"models", Rows(models, "model", whole)}};
}

}  // namespace trims

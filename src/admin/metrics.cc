#include "admin/metrics.h"

#include <array>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "admin/json_fields.h"
#include "admin/prometheus_text.h"

namespace trims::admin {
namespace {

// One number of the status: where it stands and what it is called.
struct Metric {
  const char* name;
  const char* type;
  const char* help;
  const char* field;
  double unit = 1;  // what 1 of the field is
};

constexpr std::array kTierMetrics = std::to_array<Metric>({
    {"trims_tier_budget_bytes", "gauge", "What the tier may hold.", "budget_bytes"},
    {"trims_tier_used_bytes", "gauge", "What of the budget is taken.", "used_bytes"},
    {"trims_tier_leased_bytes", "gauge", "Resident and leased.", "leased_bytes"},
    {"trims_tier_pinned_bytes", "gauge", "Pinned and resident, leased or not.", "pinned_bytes"},
    {"trims_tier_idle_bytes", "gauge", "Resident with neither lease nor pin: may go.",
     "idle_bytes"},
    {"trims_tier_loading_bytes", "gauge", "Room of loads in flight.", "loading_bytes"},
    {"trims_tier_draining_bytes", "gauge", "On the way out.", "draining_bytes"},
    {"trims_tier_lingering_bytes", "gauge", "Out of the tier, and still mapped by some process.",
     "lingering_bytes"},
    {"trims_tier_saved_bytes", "gauge",
     "What resident models would take besides if they shared nothing.", "saved_bytes"},
    {"trims_tier_wasted_bytes", "gauge",
     "Of models that share, there more often than once or left empty by pieces.", "wasted_bytes"},
});

constexpr std::array kNowMetrics = std::to_array<Metric>({
    {"trims_models", "gauge", "Models (versions) in the catalog.", "models"},
    {"trims_leases", "gauge", "Leases held now.", "leases"},
    {"trims_loads_in_flight", "gauge", "Segments that load or wait for room.", "loads_in_flight"},
    {"trims_open_waiters", "gauge", "Opens that wait for a load.", "waiters"},
    {"trims_preparations_in_flight", "gauge", "Models that are being added.",
     "preparations_in_flight"},
    {"trims_prepared_bytes", "gauge", "What prepared models take on the disk.", "prepared_bytes"},
});

constexpr std::array kPressureMetrics = std::to_array<Metric>({
    {"trims_pressure_events_total", "counter", "Times the machine was short of memory.", "events"},
    {"trims_pressure_given_up_bytes_total", "counter",
     "Bytes of models that went for memory pressure.", "bytes_given_up"},
});

constexpr std::array kCounterMetrics = std::to_array<Metric>({
    {"trims_loads_total", "counter", "Loads that ended well.", "loads"},
    {"trims_load_failures_total", "counter", "Loads that failed.", "load_failures"},
    {"trims_load_seconds_total", "counter", "What the loads that ended well took together.",
     "load_ms", 1e-3},
    {"trims_loaded_bytes_total", "counter", "Bytes of the loads that ended well.", "bytes_loaded"},
    {"trims_taken_over_total", "counter", "Segments that were resident in the daemon before.",
     "taken_over"},
    {"trims_taken_over_bytes_total", "counter",
     "Bytes of the segments that were resident in the daemon before.", "bytes_taken_over"},
    {"trims_evictions_total", "counter", "Segments that went to make room.", "evictions"},
    {"trims_evicted_bytes_total", "counter", "Bytes of the segments that went to make room.",
     "bytes_evicted"},
    {"trims_reclaims_total", "counter", "Segments that went with their last lease.", "reclaimed"},
    {"trims_open_deadlines_exceeded_total", "counter", "Opens whose deadline passed.",
     "deadline_exceeded"},
    {"trims_opens_cancelled_total", "counter", "Opens that were given up.", "cancelled"},
    {"trims_adds_total", "counter", "Models that were added.", "adds"},
    {"trims_add_failures_total", "counter", "Models that could not be added.", "add_failures"},
    {"trims_removes_total", "counter", "Models that were removed.", "removes"},
});

constexpr std::array kOpenOutcomes = std::to_array<std::pair<const char*, const char*>>(
    {{"hit", "hits"}, {"joined", "joined"}, {"miss", "misses"}, {"refused", "refused"}});

constexpr std::array kServerMetrics = std::to_array<Metric>({
    {"trims_uptime_seconds", "gauge", "Since the daemon started.", "uptime_ms", 1e-3},
    {"trims_connections", "gauge", "Connections now.", "connections"},
    {"trims_max_connections", "gauge", "Connections that the daemon takes.", "max_connections"},
    {"trims_requests_in_flight", "gauge", "Requests that wait for their reply.",
     "requests_in_flight"},
    {"trims_connections_accepted_total", "counter", "Connections since the start.", "accepted"},
    {"trims_connections_refused_total", "counter", "Connections beyond a limit.", "refused"},
    {"trims_requests_total", "counter", "Requests since the start.", "requests"},
    {"trims_violations_total", "counter", "Connections dropped for what they sent.", "violations"},
    {"trims_replies_failed_total", "counter", "Opens whose reply could not be sent.",
     "replies_failed"},
});

void PutNumber(const Metric& metric, const Labels& labels, const Json& number,
               PrometheusText* page) {
  if (!number.is_number()) return;
  if (metric.unit == 1 && number.is_number_unsigned()) {
    page->Sample(labels, number.get<uint64_t>());
  } else {
    page->Sample(labels, number.get<double>() * metric.unit);
  }
}

void PutAll(std::span<const Metric> metrics, const Json& object, PrometheusText* page) {
  for (const Metric& metric : metrics) {
    const Json& number = FieldOf(object, metric.field);
    if (!number.is_number()) continue;
    page->Family(metric.name, metric.type, metric.help);
    PutNumber(metric, {}, number, page);
  }
}

void PutTiers(const Json& tiers, PrometheusText* page) {
  if (tiers.empty()) return;
  for (const Metric& metric : kTierMetrics) {
    page->Family(metric.name, metric.type, metric.help);
    for (const Json& tier : tiers)
      PutNumber(metric, {{"tier", TextOf(tier, "name")}}, FieldOf(tier, metric.field), page);
  }
}

void PutDisk(const Json& disk, PrometheusText* page) {
  if (const Json& budget = FieldOf(disk, "budget_bytes"); budget.is_number_unsigned()) {
    page->Family("trims_disk_budget_bytes", "gauge", "What prepared models may take of the disk.");
    page->Sample({}, budget.get<uint64_t>());
  }
  if (const Json& evictions = FieldOf(disk, "evictions"); evictions.is_number_unsigned()) {
    page->Family("trims_disk_evictions_total", "counter",
                 "Copies of models that went from the disk to make room.");
    page->Sample({}, evictions.get<uint64_t>());
  }
}

void PutPressure(const Json& pressure, PrometheusText* page) {
  if (!FieldOf(pressure, "file").is_string()) return;
  PutAll(kPressureMetrics, pressure, page);
}

void PutOpens(const Json& counters, PrometheusText* page) {
  if (!FieldOf(counters, "opens").is_number()) return;
  page->Family("trims_opens_total", "counter", "Opens by how they were first answered.");
  for (const auto& [outcome, field] : kOpenOutcomes) {
    if (const Json& number = FieldOf(counters, field); number.is_number_unsigned())
      page->Sample({{"outcome", outcome}}, number.get<uint64_t>());
  }
}

// Where a series is not what this program knows, it is left out.
void PutLatencies(const Json& latency, PrometheusText* page) {
  const Json& bounds_us = FieldOf(latency, "bounds_us");
  const Json& series = FieldOf(latency, "series");
  if (!bounds_us.is_array() || !series.is_array()) return;
  std::vector<double> bounds;
  for (const Json& bound : bounds_us) {
    if (!bound.is_number()) return;
    bounds.push_back(bound.get<double>() / 1e6);
  }
  page->Family("trims_open_duration_seconds", "histogram",
               "How long opens took, from their request to their answer.");
  for (const Json& one : series) {
    const Json& counts = FieldOf(one, "counts");
    const Json& sum = FieldOf(one, "sum_ns");
    if (!counts.is_array() || counts.size() != bounds.size() + 1 || !sum.is_number()) continue;
    std::vector<uint64_t> numbers;
    for (const Json& count : counts)
      numbers.push_back(count.is_number_unsigned() ? count.get<uint64_t>() : 0);
    page->Histogram({{"tier", TextOf(one, "tier")}, {"outcome", TextOf(one, "outcome")}}, bounds,
                    numbers, sum.get<double>() / 1e9);
  }
}

struct OfModel {
  uint64_t bytes = 0;
  uint64_t leases = 0;
};
using Place = std::tuple<std::string, std::string, std::string>;  // tier, model, variant

uint64_t NumberOf(const Json& object, const char* name) {
  const Json& field = FieldOf(object, name);
  return field.is_number_unsigned() ? field.get<uint64_t>() : 0;
}

// Two segments may have one name: a version that was removed, which somebody still holds, and its successor.
std::map<Place, OfModel> ByModel(const Json& segments) {
  std::map<Place, OfModel> models;
  for (const Json& segment : segments) {
    if (TextOf(segment, "state") != "resident") continue;
    OfModel& model =
        models[{TextOf(segment, "tier"), TextOf(segment, "reference"), TextOf(segment, "kind")}];
    model.bytes += NumberOf(segment, "bytes");
    model.leases += NumberOf(segment, "leases");
  }
  return models;
}

void PutModels(const Json& segments, PrometheusText* page) {
  const std::map<Place, OfModel> models = ByModel(segments);
  const auto put = [&](uint64_t OfModel::*number) {
    for (const auto& [place, model] : models) {
      const auto& [tier, name, variant] = place;
      page->Sample({{"tier", tier}, {"model", name}, {"variant", variant}}, model.*number);
    }
  };
  if (models.empty()) return;
  page->Family("trims_model_resident_bytes", "gauge", "What a resident model takes of its tier.");
  put(&OfModel::bytes);
  page->Family("trims_model_leases", "gauge", "Leases of a resident model.");
  put(&OfModel::leases);
}

constexpr std::array kNamespaceMetrics = std::to_array<Metric>({
    {"trims_namespace_bytes", "gauge", "What was loaded for a namespace, of its tier.", "bytes"},
    {"trims_namespace_leases", "gauge", "Leases of a namespace, held or waited for.", "leases"},
    {"trims_namespace_loads_in_flight", "gauge", "Loads of a namespace.", "loads_in_flight"},
    {"trims_namespace_refused_total", "counter", "Opens beyond a namespace's quota.", "refused"},
});

// Only where there are quotas.
void PutNamespaces(const Json& namespaces, PrometheusText* page) {
  if (namespaces.empty()) return;
  for (const Metric& metric : kNamespaceMetrics) {
    page->Family(metric.name, metric.type, metric.help);
    for (const Json& each : namespaces) {
      PutNumber(metric, {{"tier", TextOf(each, "tier")}, {"namespace", TextOf(each, "namespace")}},
                FieldOf(each, metric.field), page);
    }
  }
}

void PutBuild(const Json& server, PrometheusText* page) {
  page->Family("trims_build_info", "gauge", "1, with the daemon's version.");
  page->Sample(
      {{"version", TextOf(server, "version")}, {"read_engine", TextOf(server, "read_engine")}},
      uint64_t{1});
}

}  // namespace

std::string MetricsPage(const Result<std::string>& status_document) {
  PrometheusText page;
  const Json status = status_document.ok() ? ParseJson(*status_document) : Json();
  page.Family("trims_up", "gauge", "Whether the daemon answered.");
  page.Sample({}, uint64_t{status.is_object()});
  if (!status.is_object()) return page.Take();
  const Json& counters = FieldOf(status, "counters");
  PutBuild(FieldOf(status, "server"), &page);
  PutTiers(ListOf(status, "tiers"), &page);
  PutAll(kNowMetrics, status, &page);
  PutDisk(FieldOf(status, "disk"), &page);
  PutPressure(FieldOf(status, "pressure"), &page);
  PutOpens(counters, &page);
  PutLatencies(FieldOf(status, "open_latency"), &page);
  PutAll(kCounterMetrics, counters, &page);
  PutAll(kServerMetrics, FieldOf(status, "server"), &page);
  PutModels(ListOf(status, "segments"), &page);
  PutNamespaces(ListOf(status, "namespaces"), &page);
  return page.Take();
}

}  // namespace trims::admin

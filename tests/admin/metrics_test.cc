// The metrics page, as Prometheus reads it.
#include "admin/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "admin/prometheus_text.h"

namespace trims::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PrometheusText, IsWrittenAsTheFormatSays) {
  PrometheusText page;
  page.Family("trims_leases", "gauge", "Leases held now.");
  page.Sample({{"tier", "host"}, {"model", "a\"b\\c\nd"}}, uint64_t{18446744073709551615u});
  page.Sample({}, 0.000025);
  page.Family("trims_open_duration_seconds", "histogram", "How long.");
  page.Histogram({{"tier", "host"}}, std::array{0.000005, 0.25, 300.0},
                 std::array<uint64_t, 4>{3, 0, 2, 1}, 1.5);
  EXPECT_EQ(page.Take(), R"(# HELP trims_leases Leases held now.
# TYPE trims_leases gauge
trims_leases{tier="host",model="a\"b\\c\nd"} 18446744073709551615
trims_leases 2.5e-05
# HELP trims_open_duration_seconds How long.
# TYPE trims_open_duration_seconds histogram
trims_open_duration_seconds_bucket{tier="host",le="5e-06"} 3
trims_open_duration_seconds_bucket{tier="host",le="0.25"} 3
trims_open_duration_seconds_bucket{tier="host",le="300"} 5
trims_open_duration_seconds_bucket{tier="host",le="+Inf"} 6
trims_open_duration_seconds_sum{tier="host"} 1.5
trims_open_duration_seconds_count{tier="host"} 6
)");
}

constexpr char kSmallStatus[] = R"({
  "tiers": [{"name":"host","budget_bytes":100,"used_bytes":60,"leased_bytes":40,"pinned_bytes":10,"idle_bytes":20,"loading_bytes":0,"draining_bytes":0,"lingering_bytes":5,"saved_bytes":7,"wasted_bytes":1}],
  "models": 3, "leases": 2, "counters": {"opens":7,"hits":4,"joined":1,"misses":1,"refused":1,"load_ms":1500},
  "disk": {"used_bytes": 5, "budget_bytes": null, "evictions": 0},
  "open_latency": {"bounds_us":[5,1000000],"series":[
     {"tier":"host","outcome":"hit","sum_ns":2500,"counts":[4,0,0]},
     {"tier":"host","outcome":"miss","sum_ns":1,"counts":[1]}]},
  "segments": [
    {"tier":"host","reference":"default/a:1","kind":"files","state":"resident","bytes":10,"leases":1},
    {"tier":"host","reference":"default/a:1","kind":"files","state":"resident","bytes":30,"leases":1},
    {"tier":"host","reference":"default/b:1","kind":"ort","state":"loading","bytes":20,"leases":0}],
  "server": {"version":"0.1.0","read_engine":"uring","uptime_ms":2500,"connections":1}})";

TEST(MetricsPage, ShowsTheStatus) {
  EXPECT_EQ(MetricsPage(std::string(kSmallStatus)), R"(# HELP trims_up Whether the daemon answered.
# TYPE trims_up gauge
trims_up 1
# HELP trims_build_info 1, with the daemon's version.
# TYPE trims_build_info gauge
trims_build_info{version="0.1.0",read_engine="uring"} 1
# HELP trims_tier_budget_bytes What the tier may hold.
# TYPE trims_tier_budget_bytes gauge
trims_tier_budget_bytes{tier="host"} 100
# HELP trims_tier_used_bytes What of the budget is taken.
# TYPE trims_tier_used_bytes gauge
trims_tier_used_bytes{tier="host"} 60
# HELP trims_tier_leased_bytes Resident and leased.
# TYPE trims_tier_leased_bytes gauge
trims_tier_leased_bytes{tier="host"} 40
# HELP trims_tier_pinned_bytes Pinned and resident, leased or not.
# TYPE trims_tier_pinned_bytes gauge
trims_tier_pinned_bytes{tier="host"} 10
# HELP trims_tier_idle_bytes Resident with neither lease nor pin: may go.
# TYPE trims_tier_idle_bytes gauge
trims_tier_idle_bytes{tier="host"} 20
# HELP trims_tier_loading_bytes Room of loads in flight.
# TYPE trims_tier_loading_bytes gauge
trims_tier_loading_bytes{tier="host"} 0
# HELP trims_tier_draining_bytes On the way out.
# TYPE trims_tier_draining_bytes gauge
trims_tier_draining_bytes{tier="host"} 0
# HELP trims_tier_lingering_bytes Out of the tier, and still mapped by some process.
# TYPE trims_tier_lingering_bytes gauge
trims_tier_lingering_bytes{tier="host"} 5
# HELP trims_tier_saved_bytes What resident models would take besides if they shared nothing.
# TYPE trims_tier_saved_bytes gauge
trims_tier_saved_bytes{tier="host"} 7
# HELP trims_tier_wasted_bytes Of models that share, there more often than once or left empty by pieces.
# TYPE trims_tier_wasted_bytes gauge
trims_tier_wasted_bytes{tier="host"} 1
# HELP trims_models Models (versions) in the catalog.
# TYPE trims_models gauge
trims_models 3
# HELP trims_leases Leases held now.
# TYPE trims_leases gauge
trims_leases 2
# HELP trims_disk_evictions_total Copies of models that went from the disk to make room.
# TYPE trims_disk_evictions_total counter
trims_disk_evictions_total 0
# HELP trims_opens_total Opens by how they were first answered.
# TYPE trims_opens_total counter
trims_opens_total{outcome="hit"} 4
trims_opens_total{outcome="joined"} 1
trims_opens_total{outcome="miss"} 1
trims_opens_total{outcome="refused"} 1
# HELP trims_open_duration_seconds How long opens took, from their request to their answer.
# TYPE trims_open_duration_seconds histogram
trims_open_duration_seconds_bucket{tier="host",outcome="hit",le="5e-06"} 4
trims_open_duration_seconds_bucket{tier="host",outcome="hit",le="1"} 4
trims_open_duration_seconds_bucket{tier="host",outcome="hit",le="+Inf"} 4
trims_open_duration_seconds_sum{tier="host",outcome="hit"} 2.5e-06
trims_open_duration_seconds_count{tier="host",outcome="hit"} 4
# HELP trims_load_seconds_total What the loads that ended well took together.
# TYPE trims_load_seconds_total counter
trims_load_seconds_total 1.5
# HELP trims_uptime_seconds Since the daemon started.
# TYPE trims_uptime_seconds gauge
trims_uptime_seconds 2.5
# HELP trims_connections Connections now.
# TYPE trims_connections gauge
trims_connections 1
# HELP trims_model_resident_bytes What a resident model takes of its tier.
# TYPE trims_model_resident_bytes gauge
trims_model_resident_bytes{tier="host",model="default/a:1",variant="files"} 40
# HELP trims_model_leases Leases of a resident model.
# TYPE trims_model_leases gauge
trims_model_leases{tier="host",model="default/a:1",variant="files"} 2
)");
}

TEST(MetricsPage, ADaemonThatIsAwayIsAMetricToo) {
  const std::string page = MetricsPage(Status(StatusCode::kUnavailable, "away"));
  EXPECT_THAT(page, HasSubstr("\ntrims_up 0\n"));
  EXPECT_THAT(page, Not(HasSubstr("trims_build_info")));
}

TEST(MetricsPage, WhatIsNoStatusIsNoMetric) {
  for (const char* document :
       {"", "7", "[]", "{",
        R"({"tiers":7,"segments":7,"counters":[],"server":"x","open_latency":1})",
        R"({"tiers":[7],"segments":[7],"disk":7,"open_latency":{"bounds_us":["x"],"series":[7]}})",
        R"({"open_latency":{"bounds_us":[1],"series":[7,{"counts":[-1,"x"],"sum_ns":0}]}})"}) {
    EXPECT_THAT(MetricsPage(std::string(document)), HasSubstr("trims_up ")) << document;
  }
}

}  // namespace
}  // namespace trims::admin

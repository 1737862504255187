#include <fmt/format.h>

#include <algorithm>

#include "tools/trims/humanise.h"
#include "tools/trims/render.h"
#include "tools/trims/table.h"

namespace trims::cli {
namespace {

constexpr size_t kTierBarWidth = 32;

std::string DaemonLine(const Json& server) {
  std::string text = "trimsd";
  if (const std::string version = Text(server, "version"); !version.empty()) text += " " + version;
  if (const uint64_t pid = Number(server, "pid"); pid != 0) text += fmt::format(", pid {}", pid);
  if (const std::chrono::milliseconds up(Number(server, "uptime_ms")); up.count() != 0) {
    text += ", up " + HumanDuration(std::chrono::duration_cast<std::chrono::seconds>(up));
  }
  return text;
}

std::string TierLine(const Json& tier) {
  const uint64_t used = Number(tier, "used_bytes");
  const uint64_t budget = Number(tier, "budget_bytes");
  return fmt::format("{} {} of {} ({})", Bar(used, budget, kTierBarWidth), HumanBytes(used),
                     HumanBytes(budget), Percent(used, budget));
}

// What computes on a simulated device is this machine's processor: nobody should take one for hardware.
std::string TierTitle(const Json& tier) {
  const std::string name = Text(tier, "name");
  const std::string device = Text(tier, "device");
  if (device.empty()) return name == "host" ? "host memory" : name;
  return name + " (" + device + (device.starts_with("sim:") ? ", simulated)" : ")");
}

// Of a tier, or of the document about its policy.
std::string PolicyWords(const Json& policy) {
  return fmt::format("reclaim {}, eviction {}, admission {}", Text(policy, "reclaim"),
                     Text(policy, "eviction_policy"), Text(policy, "admission"));
}

std::string TierParts(const Json& tier) {
  std::string text = fmt::format("{} leased, {} idle", HumanBytes(Number(tier, "leased_bytes")),
                                 HumanBytes(Number(tier, "idle_bytes")));
  if (const uint64_t pinned = Number(tier, "pinned_bytes"); pinned > 0) {
    text += fmt::format(", {} pinned", HumanBytes(pinned));
  }
  if (const uint64_t loading = Number(tier, "loading_bytes"); loading > 0) {
    text += fmt::format(", {} loading", HumanBytes(loading));
  }
  if (const uint64_t draining = Number(tier, "draining_bytes"); draining > 0) {
    text += fmt::format(", {} being freed", HumanBytes(draining));
  }
  return text + "; " + PolicyWords(tier);
}

std::string OpensLine(const Json& counters) {
  const uint64_t opens = Number(counters, "opens");
  const uint64_t hits = Number(counters, "hits");
  if (opens == 0) return "none yet";
  return fmt::format("{}: {} ({}), {}, {} joined a load, {} refused", opens, Counted(hits, "hit"),
                     Percent(hits, opens), Counted(Number(counters, "misses"), "miss", "misses"),
                     Number(counters, "joined"), Number(counters, "refused"));
}

std::string LoadsLine(const Json& counters) {
  return fmt::format("{} done ({}), {} failed; {} evicted", Number(counters, "loads"),
                     HumanBytes(Number(counters, "bytes_loaded")),
                     Number(counters, "load_failures"),
                     Counted(Number(counters, "evictions"), "segment"));
}

// How much of what is resident lies on huge pages.
std::string PagesLine(const Json& segments) {
  uint64_t huge = 0;
  uint64_t resident = 0;
  for (const Json& segment : segments) {
    if (Text(segment, "state") != "resident" || Text(segment, "pages").empty()) continue;
    resident += Number(segment, "bytes");
    if (Text(segment, "pages") != "4k") huge += Number(segment, "bytes");
  }
  if (resident == 0) return "nothing resident";
  std::string text = fmt::format("{} of {} resident", HumanBytes(huge), HumanBytes(resident));
  if (huge < resident) text += "; trims doctor says how to get more";
  return text;
}

std::string WorkLine(const Json& status) {
  return fmt::format("{}, {}, {}", Counted(Number(status, "loads_in_flight"), "load"),
                     Counted(Number(status, "preparations_in_flight"), "preparation"),
                     Counted(Number(status, "waiters"), "waiter"));
}

std::string SegmentState(const Json& segment) {
  const std::string state = Text(segment, "state");
  if (Flag(segment, "removed")) return state + " (removed)";
  if (Flag(segment, "pinned")) return state + " (pinned)";
  return Flag(segment, "leaving") ? state + " (leaving)" : state;
}

std::string IdleFor(const Json& segment) {
  if (Text(segment, "state") != "resident" || Number(segment, "leases") > 0) return "-";
  const std::chrono::milliseconds idle(Number(segment, "idle_ms"));
  return HumanDuration(std::chrono::duration_cast<std::chrono::seconds>(idle));
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string RenderSegments(const Json& segments) {
  Table table({{"SEGMENT"},
               {"VARIANT"},
               {"TIER"},
               {"STATE"},
               {"SIZE", Table::Align::kRight},
               {"PAGES"},
               {"LEASES", Table::Align::kRight},
               {"OPENS", Table::Align::kRight},
               {"IDLE", Table::Align::kRight}});
  for (const Json& segment : segments) {
    table.AddRow({ShortReference(Text(segment, "reference")), Text(segment, "kind"),
                  Text(segment, "tier"), SegmentState(segment),
                  HumanBytes(Number(segment, "bytes")), OrDash(Text(segment, "pages")),
                  std::to_string(Number(segment, "leases")),
                  std::to_string(Number(segment, "opens")), IdleFor(segment)});
  }
  return table.Render();
}

// What is still to come of a load, at its rate so far.
std::string Left(const Json& load) {
  if (Number(load, "bytes_per_second") == 0) return "-";
  return HumanDuration(std::chrono::ceil<std::chrono::seconds>(
      std::chrono::milliseconds(Number(load, "remaining_ms"))));
}

// The loads in flight; nothing where there is none.
std::string RenderLoads(const Json& segments) {
  Table table({{"LOAD"},
               {"VARIANT"},
               {"TIER"},
               {"DONE", Table::Align::kRight},
               {"OF", Table::Align::kRight},
               {"", Table::Align::kRight},
               {"RATE", Table::Align::kRight},
               {"LEFT", Table::Align::kRight}});
  bool any = false;
  for (const Json& segment : segments) {
    const Json& load = Object(segment, "load");
    if (load.empty()) continue;
    any = true;
    const uint64_t done = Number(load, "bytes_done");
    const uint64_t total = Number(load, "bytes_total");
    table.AddRow({ShortReference(Text(segment, "reference")), Text(segment, "kind"),
                  Text(load, "tier"), HumanBytes(done), HumanBytes(total), Percent(done, total),
                  HumanRate(Number(load, "bytes_per_second")), Left(load)});
  }
  return any ? '\n' + table.Render() : "";
}

std::string RenderFailures(const Json& segments) {
  std::string text;
  for (const Json& segment : segments) {
    const Json& error = Object(segment, "error");
    if (Number(segment, "failures") == 0 || error.empty()) continue;
    text += fmt::format("\n{}: {}\n", ShortReference(Text(segment, "reference")),
                        Text(error, "message"));
    if (const std::string hint = Text(error, "hint"); !hint.empty())
      text += "  next: " + hint + '\n';
  }
  return text;
}

std::string DiskLine(const Json& status) {
  const Json& disk = Object(status, "disk");
  const std::string used = HumanBytes(Number(status, "prepared_bytes")) + " of prepared variants";
  const uint64_t budget = Number(disk, "budget_bytes");
  return budget == 0 ? used : used + ", of " + HumanBytes(budget);
}

}  // namespace

std::string RenderPolicy(const Json& policy) {
  const std::string text = Text(policy, "tier") + ": " + PolicyWords(policy) + "\n\n";
  Table table({{"OPTION"}, {"NAME"}, {""}});
  for (const Json& each : List(policy, "eviction_policies")) {
    table.AddRow({"--eviction", Text(each, "name"), Text(each, "summary")});
  }
  for (const Json& each : List(policy, "admissions")) {
    table.AddRow({"--admission", Text(each, "name"), Text(each, "summary")});
  }
  return text + table.Render();
}

// What was done between the two.
std::string RenderTop(const Json& status, const Json& before) {
  const auto uptime = [](const Json& document) {
    return Number(Object(document, "server"), "uptime_ms");
  };
  const Json& now = Object(status, "counters");
  const Json& then = Object(before, "counters");
  std::string rates = "…";
  if (!then.empty() && uptime(status) > uptime(before)) {
    const auto since = [&](const char* field) {
      return Number(now, field) - std::min(Number(now, field), Number(then, field));
    };
    const double seconds = static_cast<double>(uptime(status) - uptime(before)) / 1000;
    const uint64_t opens = since("opens");
    rates = fmt::format("{:.0f} opens/s ({} hits), {}, {} loaded, {} evicted",
                        static_cast<double>(opens) / seconds, Percent(since("hits"), opens),
                        Counted(since("loads"), "load"), HumanBytes(since("bytes_loaded")),
                        since("evictions"));
  }
  return "since the last look: " + rates + "\n\n" + RenderStatus(status);
}

std::string RenderStatus(const Json& status) {
  const Json& server = Object(status, "server");
  const Json& segments = List(status, "segments");
  const Json& counters = Object(status, "counters");
  Fields fields;
  fields.Add("daemon", DaemonLine(server));
  fields.Add("socket", Text(server, "socket"));
  for (const Json& tier : List(status, "tiers")) {
    fields.Add(TierTitle(tier), TierLine(tier));
    fields.Add("", TierParts(tier));
  }
  fields.Add("on disk", DiskLine(status));
  fields.Add("huge pages", PagesLine(segments));
  fields.Add("models", std::to_string(Number(status, "models")));
  fields.Add("leases", fmt::format("{} on {}", Number(status, "leases"),
                                   Counted(Number(server, "connections"), "connection")));
  fields.Add("under way", WorkLine(status));
  if (Flag(status, "draining")) fields.Add("drains", "no new leases; trims drain --off ends that");
  fields.Add("opens", OpensLine(counters));
  fields.Add("loads", LoadsLine(counters));
  std::string text = fields.Render() + '\n';
  if (segments.empty()) return text + "No segments: the first open of a model makes one.\n";
  return text + RenderSegments(segments) + RenderLoads(segments) + RenderFailures(segments);
}

}  // namespace trims::cli

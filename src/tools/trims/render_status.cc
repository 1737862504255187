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

std::string BudgetWords(const Json& policy) {
  const uint64_t budget = Number(policy, "budget_bytes");
  return fmt::format("budget {}, {} used", budget == 0 ? "none" : HumanBytes(budget),
                     HumanBytes(Number(policy, "used_bytes")));
}

std::string TierParts(const Json& tier) {
  const uint64_t used = Number(tier, "used_bytes");
  const uint64_t budget = Number(tier, "budget_bytes");
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
  if (const uint64_t lingering = Number(tier, "lingering_bytes"); lingering > 0) {
    text += fmt::format(", {} lingering", HumanBytes(lingering));
  }
  if (const uint64_t saved = Number(tier, "saved_bytes"); saved > 0) {
    text += fmt::format(", {} saved by sharing", HumanBytes(saved));
  }
  if (const uint64_t wasted = Number(tier, "wasted_bytes"); wasted > 0) {
    text += fmt::format(", {} wasted by pieces", HumanBytes(wasted));
  }
  if (used > budget) text += fmt::format(", {} beyond the budget", HumanBytes(used - budget));
  text += "; " + PolicyWords(tier);
  if (const std::string copy = Text(tier, "host_copy"); !copy.empty())
    text += ", host copy " + copy;
  return text;
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
  std::string text =
      fmt::format("{} done ({}), {} failed; {} evicted", Number(counters, "loads"),
                  HumanBytes(Number(counters, "bytes_loaded")), Number(counters, "load_failures"),
                  Counted(Number(counters, "evictions"), "segment"));
  if (const uint64_t taken_over = Number(counters, "taken_over"); taken_over > 0) {
    text += fmt::format("; {} ({}) taken over from the daemon before", taken_over,
                        HumanBytes(Number(counters, "bytes_taken_over")));
  }
  return text;
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
  if (Flag(segment, "held_for_copy")) return state + " (held for its copy)";
  if (Flag(segment, "leaving")) return state + " (leaving)";
  if (Flag(segment, "held_from_before")) return state + " (held from before)";
  return Flag(segment, "taken_over") ? state + " (taken over)" : state;
}

std::string IdleFor(const Json& segment) {
  if (Text(segment, "state") != "resident" || Number(segment, "leases") > 0) return "-";
  const std::chrono::milliseconds idle(Number(segment, "idle_ms"));
  const std::string since = HumanDuration(std::chrono::duration_cast<std::chrono::seconds>(idle));
  const bool goes = segment.contains("goes_in_ms") && segment["goes_in_ms"].is_number();
  return goes ? since + " of " + Text(segment, "keep_alive") : since;
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
    const bool piece = segment.contains("piece") && segment["piece"] == true;
    table.AddRow({ShortReference(Text(segment, "reference")),
                  Text(segment, "kind") + (piece ? " (piece)" : ""), Text(segment, "tier"),
                  SegmentState(segment), HumanBytes(Number(segment, "bytes")),
                  OrDash(Text(segment, "pages")), std::to_string(Number(segment, "leases")),
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

std::string WhoText(const Json& who, const char* name) {
  const std::string called = Text(who, name);
  return fmt::format("{}pid {}, uid {}", called.empty() ? "" : called + " ", Number(who, "pid"),
                     Number(who, "uid"));
}

std::string Joined(const Json& list, const char* name) {
  std::string text;
  for (const Json& each : list) text += (text.empty() ? "" : "; ") + WhoText(each, name);
  return text;
}

// Those that were seen, or else those who had it leased last.
std::string KeptBy(const Json& lingering) {
  const Json& keepers = List(lingering, "kept_by");
  if (!keepers.empty()) return Joined(keepers, "program");
  const Json& last = List(lingering, "last_leased_by");
  return last.empty() ? "nobody seen" : "not seen; last leased by " + Joined(last, "client");
}

// What has left its tier and is still mapped; nothing where there is none.
std::string RenderLingering(const Json& list) {
  if (list.empty()) return "";
  Table table(
      {{"LINGERING"}, {"VARIANT"}, {"TIER"}, {"SIZE", Table::Align::kRight}, {"FOR"}, {"KEPT BY"}});
  for (const Json& each : list) {
    const std::chrono::milliseconds since(Number(each, "lingering_ms"));
    table.AddRow({ShortReference(Text(each, "reference")), Text(each, "kind"), Text(each, "tier"),
                  HumanBytes(Number(each, "bytes")),
                  HumanDuration(std::chrono::duration_cast<std::chrono::seconds>(since)),
                  KeptBy(each)});
  }
  return '\n' + table.Render();
}

std::string OfLimit(uint64_t used, const Json& quota, const char* limit, bool bytes) {
  const std::string text = bytes ? HumanBytes(used) : std::to_string(used);
  if (!quota.contains(limit) || !quota[limit].is_number()) return text;
  const uint64_t most = Number(quota, limit);
  return text + " of " + (bytes ? HumanBytes(most) : std::to_string(most));
}

// What namespaces take, where there are quotas.
std::string RenderNamespaces(const Json& namespaces) {
  if (namespaces.empty()) return "";
  Table table({{"NAMESPACE"},
               {"TIER"},
               {"BYTES", Table::Align::kRight},
               {"GUARANTEED", Table::Align::kRight},
               {"LEASES", Table::Align::kRight},
               {"LOADS", Table::Align::kRight},
               {"REFUSED", Table::Align::kRight}});
  for (const Json& each : namespaces) {
    const Json& quota = Object(each, "quota");
    table.AddRow({Text(each, "namespace"), Text(each, "tier"),
                  OfLimit(Number(each, "bytes"), quota, "bytes", true),
                  HumanBytes(Number(quota, "guaranteed")),
                  OfLimit(Number(each, "leases"), quota, "leases", false),
                  OfLimit(Number(each, "loads_in_flight"), quota, "loads", false),
                  std::to_string(Number(each, "refused"))});
  }
  return '\n' + table.Render();
}

// Who keeps what is to go.
std::string RenderHeld(const Json& segments) {
  std::string text;
  for (const Json& segment : segments) {
    const Json& holders = List(segment, "holders");
    if (holders.empty()) continue;
    text += fmt::format("\n{} goes when it is closed by {}\n",
                        ShortReference(Text(segment, "reference")), Joined(holders, "client"));
  }
  return text;
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

std::string PressureLine(const Json& pressure) {
  return fmt::format("{} so far, {} given up; {}", Counted(Number(pressure, "events"), "event"),
                     HumanBytes(Number(pressure, "bytes_given_up")), Text(pressure, "file"));
}

std::string DiskLine(const Json& status) {
  const Json& disk = Object(status, "disk");
  std::string line = HumanBytes(Number(status, "prepared_bytes")) + " of prepared variants";
  const uint64_t budget = Number(disk, "budget_bytes");
  if (budget != 0) line += ", of " + HumanBytes(budget);
  const Json& unfinished = Object(disk, "unfinished");
  const uint64_t fetches = Number(unfinished, "fetches");
  if (fetches != 0) {
    line += "; " + Counted(fetches, "fetch", "fetches") + " to go on with, " +
            HumanBytes(Number(unfinished, "bytes"));
  }
  return line;
}

// "quota team-a: 8 GiB, 100 leases", a line each.
std::string QuotaLines(const Json& quotas) {
  std::string text;
  for (const Json& each : quotas) {
    const Json& quota = Object(each, "quota");
    std::string limits;
    const auto add = [&](const char* limit, const std::string& words) {
      if (!quota.contains(limit) || !quota[limit].is_number()) return;
      limits += (limits.empty() ? "" : ", ") + words;
    };
    add("bytes", HumanBytes(Number(quota, "bytes")));
    add("leases", Counted(Number(quota, "leases"), "lease"));
    add("loads", Counted(Number(quota, "loads"), "load") + " at once");
    add("loads_per_minute", Counted(Number(quota, "loads_per_minute"), "load") + " a minute");
    if (const uint64_t bytes = Number(quota, "guaranteed"); bytes > 0) {
      add("guaranteed", HumanBytes(bytes) + " guaranteed");
    }
    text += "quota " + Text(each, "namespace") + ": " + limits + '\n';
  }
  return text;
}

}  // namespace

std::string RenderPolicy(const Json& policy) {
  std::string text = Text(policy, "tier") + ": " + BudgetWords(policy);
  if (List(policy, "eviction_policies").empty()) return text + '\n';
  text += ", " + PolicyWords(policy) + '\n' + QuotaLines(List(policy, "quotas")) + '\n';
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
  if (const Json& pressure = Object(status, "pressure"); !Text(pressure, "file").empty()) {
    fields.Add("pressure", PressureLine(pressure));
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
  const std::string lingering =
      RenderNamespaces(List(status, "namespaces")) + RenderLingering(List(status, "lingering"));
  if (segments.empty()) {
    return text + "No segments: the first open of a model makes one.\n" + lingering;
  }
  return text + RenderSegments(segments) + RenderLoads(segments) + lingering +
         RenderHeld(segments) + RenderFailures(segments);
}

}  // namespace trims::cli

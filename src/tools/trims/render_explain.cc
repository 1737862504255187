#include <fmt/format.h>

#include <string>

#include "tools/trims/humanise.h"
#include "tools/trims/render.h"
#include "tools/trims/table.h"

namespace trims::cli {
namespace {

std::string ServedLine(const Json& open) {
  const std::string from = Text(open, "served_from");
  if (from == "load") return "a load that is on its way";
  if (from == "disk") return "this disk";
  if (from == "remote") return "where it was pushed to, as far as it is not on this disk";
  return from == Text(open, "tier") ? "memory, at once: it is resident in " + from
                                    : "tier " + from + ", where it is resident";
}

std::string CostLine(const Json& open) {
  const std::string from = Text(open, "estimate_from");
  std::string text = HumanBytes(Number(open, "moves_bytes"));
  if (from.empty()) return text + "; how long that takes is not known: nothing was loaded yet";
  if (from == "load" && open["estimate_us"].is_null()) return text + "; how long is not known yet";
  text += " in about " + HumanMicroseconds(Number(open, "estimate_us"));
  if (from == "measured") return text + ", as earlier loads of it took";
  if (from == "average") return text + ", at the rate of other models' loads";
  return text;
}

std::string RenderEvicted(const Json& plans) {
  Table table({{"GOES FOR IT"},
               {"VARIANT"},
               {"TIER"},
               {"SIZE", Table::Align::kRight},
               {"POLICY"},
               {"SCORE", Table::Align::kRight}});
  bool any = false;
  for (const Json& plan : plans) {
    for (const Json& victim : List(plan, "evicts")) {
      any = true;
      const bool scored = victim.contains("score") && victim["score"].is_number();
      table.AddRow({ShortReference(Text(victim, "reference")), Text(victim, "kind"),
                    Text(plan, "tier"), HumanBytes(Number(victim, "bytes")),
                    Text(plan, "eviction_policy"),
                    scored ? fmt::format("{:.4g}", victim["score"].get<double>()) : "-"});
    }
  }
  return any ? '\n' + table.Render() : "";
}

}  // namespace

std::string RenderExplained(const Json& open) {
  const Json& plans = List(open, "tiers");
  Fields fields;
  fields.Add("model", fmt::format("{} ({}) in tier {}", ShortReference(Text(open, "reference")),
                                  Text(open, "kind"), Text(open, "tier")));
  for (const Json& plan : plans) {
    fields.Add(Text(plan, "tier"), fmt::format("{}, takes {}, {}{}", Text(plan, "state"),
                                               HumanBytes(Number(plan, "bytes")),
                                               Counted(Number(plan, "leases"), "lease"),
                                               Flag(plan, "pinned") ? ", pinned" : ""));
  }
  const Json& refused = Object(open, "refused");
  if (!refused.empty()) {
    fields.Add("refused", Text(refused, "code") + ": " + Text(refused, "message"));
    if (const std::string hint = Text(refused, "hint"); !hint.empty()) fields.Add("next", hint);
    return fields.Render() + RenderHolders(List(open, "holders"), "HELD BY");
  }
  fields.Add("from", ServedLine(open));
  if (Text(open, "estimate_from") != "resident") fields.Add("cost", CostLine(open));
  return fields.Render() + RenderEvicted(plans) + RenderHolders(List(open, "holders"), "HELD BY");
}

}  // namespace trims::cli

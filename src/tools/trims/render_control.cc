#include <fmt/format.h>

#include "tools/trims/humanise.h"
#include "tools/trims/render.h"
#include "tools/trims/table.h"

namespace trims::cli {
namespace {

std::string StayOf(const Json& variant) {
  if (Flag(variant, "pinned")) return "pinned";
  if (Flag(variant, "leaving")) return "goes with its last lease";
  return "-";
}

std::string AliasLine(const Json& alias) {
  return ShortReference(Text(alias, "alias")) + " means " +
         ShortReference(Text(alias, "reference"));
}

std::string Before(const Json& alias) {
  const Json& before = List(alias, "before");
  return before.empty() ? "" : ShortReference(Text(before.front(), "reference"));
}

}  // namespace

std::string RenderControlled(const Json& model) {
  const std::string name =
      ShortReference(Text(model, "reference")) + " in tier " + Text(model, "tier");
  const Json& variants = List(model, "variants");
  if (variants.empty()) return name + ": nothing to do\n";
  Table table({{"VARIANT"},
               {"SIZE", Table::Align::kRight},
               {"STATE"},
               {"LEASES", Table::Align::kRight},
               {"STAYS"}});
  for (const Json& variant : variants) {
    table.AddRow({Text(variant, "kind"), HumanBytes(Number(variant, "bytes")),
                  Text(variant, "state"), std::to_string(Number(variant, "leases")),
                  StayOf(variant)});
  }
  return name + '\n' + table.Render();
}

std::string RenderHolders(const Json& holders, const char* title) {
  if (holders.empty()) return "";
  Table table({{title},
               {"PID", Table::Align::kRight},
               {"UID", Table::Align::kRight},
               {"LEASES", Table::Align::kRight}});
  for (const Json& holder : holders) {
    const std::string client = Text(holder, "client");
    table.AddRow({client.empty() ? "-" : client, std::to_string(Number(holder, "pid")),
                  std::to_string(Number(holder, "uid")), std::to_string(Number(holder, "leases"))});
  }
  return '\n' + table.Render();
}

std::string RenderDrain(const Json& drain) {
  if (!Flag(drain, "draining")) return "the daemon gives leases again\n";
  const uint64_t leases = Number(drain, "leases");
  std::string text = "the daemon gives no new leases; ";
  if (leases == 0) return text + "nobody holds any\n";
  text += Counted(leases, "lease") + " still held\n";
  return text + RenderHolders(List(drain, "holders"), "CLIENT");
}

std::string RenderKeptAlive(const Json& kept) {
  const std::string time = Text(kept, "keep_alive");
  const std::string name = ShortReference(Text(kept, "name"));
  if (time.empty()) return name + ": as the policies of the tiers have it (trims policy)\n";
  if (time == "forever") return name + ": until its room is needed\n";
  if (time == "0s") return name + ": goes when nobody has it open any more\n";
  return name + ": goes " + time + " after nobody has it open any more\n";
}

std::string RenderAlias(const Json& alias) {
  const std::string before = Before(alias);
  return AliasLine(alias) + (before.empty() ? "" : " (before: " + before + ")") + '\n';
}

std::string RenderDeletedAlias(const Json& alias) {
  return "forgot " + ShortReference(Text(alias, "alias")) + ", which meant " +
         ShortReference(Text(alias, "reference")) + '\n';
}

std::string RenderAliases(const Json& document) {
  const Json& aliases = List(document, "aliases");
  if (aliases.empty()) {
    return "No aliases yet. Make one:\n  trims alias prod=NAME:VERSION\n";
  }
  Table table({{"ALIAS"}, {"MEANS"}, {"DIGEST"}, {"MOVED"}, {"BEFORE"}});
  for (const Json& alias : aliases) {
    const std::string before = Before(alias);
    table.AddRow({ShortReference(Text(alias, "alias")), ShortReference(Text(alias, "reference")),
                  Text(alias, "digest").substr(0, 12), Text(alias, "moved"),
                  before.empty() ? "-" : before});
  }
  return table.Render();
}

}  // namespace trims::cli

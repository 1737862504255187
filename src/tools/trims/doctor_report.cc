#include "tools/trims/doctor_report.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tools/trims/exit_codes.h"
#include "tools/trims/humanise.h"

namespace trims::cli {
namespace {

constexpr size_t kIndent = 25;  // where a check's text begins

size_t Count(std::span<const Check> checks, CheckLevel level) {
  return static_cast<size_t>(std::count_if(
      checks.begin(), checks.end(), [&](const Check& check) { return check.level == level; }));
}

Tint TintOf(CheckLevel level) {
  switch (level) {
    case CheckLevel::kOk:
      return Tint::kGood;
    case CheckLevel::kWarning:
      return Tint::kWarning;
    case CheckLevel::kFailure:
      return Tint::kBad;
  }
  return Tint::kBad;
}

std::string Verdict(std::span<const Check> checks) {
  const size_t failures = Count(checks, CheckLevel::kFailure);
  const size_t warnings = Count(checks, CheckLevel::kWarning);
  if (failures > 0) {
    return fmt::format("{} failed, {}: TrIMS does not work here yet\n", Counted(failures, "check"),
                       Counted(warnings, "warning"));
  }
  if (warnings > 0) return fmt::format("TrIMS works here, with {}\n", Counted(warnings, "warning"));
  return "TrIMS works here\n";
}

}  // namespace

std::string RenderChecks(std::span<const Check> checks, const Context& context) {
  std::string text;
  for (const Check& check : checks) {
    const std::string level =
        context.Tinted(TintOf(check.level), fmt::format("{:<4}", CheckLevelName(check.level)));
    text += fmt::format("{}  {:<18} {}\n", level, check.id, Printable(check.found));
    if (!check.mend.empty()) text += fmt::format("{:{}}→ {}\n", "", kIndent, Printable(check.mend));
  }
  return text + '\n' + Verdict(checks);
}

std::string ChecksDocument(std::span<const Check> checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    list.push_back({{"id", check.id},
                    {"level", CheckLevelName(check.level)},
                    {"found", check.found},
                    {"mend", check.mend}});
  }
  const nlohmann::ordered_json document = {{"checks", std::move(list)},
                                           {"ok", Count(checks, CheckLevel::kOk)},
                                           {"warnings", Count(checks, CheckLevel::kWarning)},
                                           {"failures", Count(checks, CheckLevel::kFailure)}};
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

int ChecksExitCode(std::span<const Check> checks) {
  return Count(checks, CheckLevel::kFailure) > 0 ? kExitFailure : kExitOk;
}

}  // namespace trims::cli

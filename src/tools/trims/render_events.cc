#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "tools/trims/humanise.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

// "ocr:3f1c (files) in host", as far as the event says so.
std::string SubjectOf(const Json& event) {
  std::string text;
  if (const std::string alias = Text(event, "alias"); !alias.empty()) text = ShortReference(alias);
  if (const std::string model = Text(event, "model"); !model.empty()) {
    text += (text.empty() ? "" : " means ") + ShortReference(model);
  }
  if (const std::string variant = Text(event, "variant"); !variant.empty()) {
    text += " (" + variant + ")";
  }
  if (const std::string tier = Text(event, "tier"); !tier.empty()) {
    text += (text.empty() ? "tier " : " in ") + tier;
  }
  return text;
}

std::string Because(const Json& event) {
  const std::string policy = Text(event, "eviction_policy");
  const std::string made_for = Text(event, "for");
  std::string text = Text(event, "reason");
  if (!made_for.empty()) text += " for " + ShortReference(made_for);
  if (event.contains("score") && event["score"].is_number()) {
    return text + fmt::format(", {} {:.4g}", policy, event["score"].get<double>());
  }
  if (policy.empty()) return text;
  return fmt::format("eviction {}, reclaim {}, admission {}", policy, Text(event, "reclaim"),
                     Text(event, "admission"));
}

std::string TimesOf(const Json& event) {
  if (!event.contains("took_us")) return "";
  std::string text = "in " + HumanMicroseconds(Number(event, "took_us"));
  if (const uint64_t rate = Number(event, "bytes_per_second"); rate > 0) {
    text += " (" + HumanRate(rate) + ")";
  }
  return text;
}

std::string ClientOf(const Json& event) {
  const uint64_t pid = Number(event, "pid");
  if (pid == 0) return "";
  const std::string name = Text(event, "client");
  return fmt::format("by {} (pid {})", name.empty() ? "a client" : name, pid);
}

std::string DetailsOf(const Json& event) {
  std::vector<std::string> parts = {SubjectOf(event)};
  if (const uint64_t bytes = Number(event, "bytes"); bytes > 0) parts.push_back(HumanBytes(bytes));
  parts.push_back(TimesOf(event));
  parts.push_back(Because(event));
  if (const std::string before = Text(event, "before"); !before.empty()) {
    parts.push_back("before: " + ShortReference(before));
  }
  parts.push_back(Text(event, "keep_alive"));
  parts.push_back(Text(event, "quota"));
  if (const uint64_t leases = Number(event, "leases"); leases > 0) {
    parts.push_back(Counted(leases, "lease"));
  }
  parts.push_back(ClientOf(event));
  const Json& error = Object(event, "error");
  if (!error.empty()) parts.push_back(Text(error, "code") + ": " + Text(error, "message"));
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

// "2026-11-23T10:00:00.123456Z" with milliseconds.
std::string ShortTime(const Json& event) {
  std::string time = Text(event, "time");
  const size_t dot = time.find('.');
  if (dot != std::string::npos && time.size() > dot + 4) time = time.substr(0, dot + 4) + "Z";
  return time;
}

}  // namespace

std::string RenderEvent(const Json& event) {
  return fmt::format("{} {:<20} {}\n", ShortTime(event), Text(event, "kind"), DetailsOf(event));
}

std::string RenderLost(uint64_t lost, uint64_t opens_lost) {
  std::string what = lost > 0 ? Counted(lost, "event") : "";
  if (opens_lost > 0) what += (what.empty() ? "" : " and ") + Counted(opens_lost, "open");
  return "(" + what + " came and went before they were read)\n";
}

}  // namespace trims::cli

#include "trace/chrome_tracks.h"

#include <algorithm>

#include "trace/chrome_text.h"

namespace trims {
namespace {

using Json = nlohmann::json;

// Of one client or tier; what overlaps more than that shares the last one.
constexpr size_t kMostTracks = 64;
constexpr size_t kMostClients = 65'536;
constexpr int64_t kFirstTid = ChromeTracks::kDaemonPid;

std::vector<ChromeArg> ArgsOf(const Span& span) {
  std::vector<ChromeArg> args;
  for (const auto& [name, value] : span.args.items()) {
    args.push_back({name, value.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }
  if (!span.error.empty()) args.push_back({"error", JsonString(span.error)});
  return args;
}

}  // namespace

ChromeTracks::Group* ChromeTracks::GroupOf(const SpanTree& tree, std::vector<std::string>* events) {
  if (tree.tier.empty()) {
    if (clients_.size() > kMostClients) clients_.clear();
    Group& group = clients_[tree.pid];
    if (!group.ends.empty()) return &group;
    group = {.pid = tree.pid, .first_tid = kFirstTid, .title = "in trimsd", .ends = {}};
    events->push_back(ChromeProcessName(tree.pid, tree.client));
    return &group;
  }
  if (tiers_.empty()) events->push_back(ChromeProcessName(kDaemonPid, "trimsd"));
  const auto number = static_cast<int64_t>(tiers_.size());
  const auto [found, is_new] = tiers_.try_emplace(tree.tier);
  if (is_new) {
    const int64_t first = kFirstTid + (number + 1) * static_cast<int64_t>(kMostTracks);
    found->second = {.pid = kDaemonPid, .first_tid = first, .title = tree.tier, .ends = {}};
  }
  return &found->second;
}

int64_t ChromeTracks::TrackFor(Group* group, const Span& span, std::vector<std::string>* events) {
  const auto is_free = [&](Micros end) { return end <= span.begin; };
  auto track = std::find_if(group->ends.begin(), group->ends.end(), is_free);
  if (track == group->ends.end() && group->ends.size() < kMostTracks) {
    const size_t number = group->ends.size();
    const std::string more = number == 0 ? "" : " " + std::to_string(number + 1);
    events->push_back(ChromeThreadName(group->pid, group->first_tid + static_cast<int64_t>(number),
                                       group->title + more));
    track = group->ends.insert(group->ends.end(), Micros(0));
  }
  if (track == group->ends.end()) --track;
  *track = std::max(*track, span.begin + span.took);
  return group->first_tid + (track - group->ends.begin());
}

std::vector<std::string> ChromeTracks::Text(const std::vector<SpanTree>& trees) {
  std::vector<std::string> events;
  for (const SpanTree& tree : trees) {
    Group* const group = GroupOf(tree, &events);
    const int64_t tid = TrackFor(group, tree.spans.front(), &events);
    for (const Span& span : tree.spans) {
      events.push_back(ChromeSpanText({.name = span.name,
                                       .category = tree.tier.empty() ? "trims.open" : "trims.tier",
                                       .begin = span.begin,
                                       .took = span.took,
                                       .pid = group->pid,
                                       .tid = tid,
                                       .args = ArgsOf(span)}));
    }
  }
  return events;
}

}  // namespace trims

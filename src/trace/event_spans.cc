#include "trace/event_spans.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/traceparent.h"
#include "trace/event_text.h"

namespace trims {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;

// What identifiers are of.
enum Kind : uint64_t {
  kServe,
  kResolve,
  kWait,
  kAnswer,
  kLoad,
  kQueue,
  kTransfer,
  kTraceHigh,
  kTraceLow
};

// Of more than that something is wrong, and sums must not overflow.
constexpr int64_t kLongestMicros = int64_t{1} << 50;

int64_t NumberOf(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_integer()) return 0;
  return std::clamp(found->get<int64_t>(), int64_t{0}, kLongestMicros);
}

// The number of an event, which begins with the microseconds since 1970.
uint64_t SequenceOf(const Json& event) {
  const auto found = event.find("sequence");
  return found != event.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0;
  for (const char c : text) hash = MixBits(hash ^ static_cast<unsigned char>(c));
  return hash;
}

void CopyArgs(const Json& event, std::initializer_list<const char*> fields, Json* args) {
  for (const char* field : fields) {
    const auto found = event.find(field);
    if (found != event.end()) (*args)[field] = *found;
  }
}

std::string ErrorOf(const Json& event) {
  const auto error = event.find("error");
  if (error == event.end() || !error->is_object()) return "";
  return TextIn(*error, "code") + ": " + TextIn(*error, "message");
}

std::string LoadName(const std::string& tier, int64_t load) {
  return tier + ":" + std::to_string(load);
}

// "open.joined" → "joined".
std::string EndOf(const std::string& kind) {
  const size_t dot = kind.find('.');
  return dot == std::string::npos ? kind : kind.substr(dot + 1);
}

bool EndsLoad(const std::string& kind) {
  return kind == "segment.resident" || kind == "segment.load_failed" ||
         kind == "segment.load_cancelled";
}

}  // namespace

std::string EventSpans::SpanId(uint64_t kind, uint64_t number) const {
  return SpanIdText(MixBits(MixBits(seed_ ^ kind) ^ number) | 1);  // none is of zeros
}

SpanTree EventSpans::OpenOf(const Json& event) const {
  const uint64_t number = SequenceOf(event);
  const microseconds began(NumberOf(event, "began_us"));
  const microseconds took(NumberOf(event, "took_us"));
  const microseconds found = std::min(microseconds(NumberOf(event, "queued_us")), took);
  const microseconds ready = std::clamp(microseconds(NumberOf(event, "ready_us")), found, took);
  SpanTree tree;
  tree.client = TextIn(event, "client");
  tree.pid = NumberOf(event, "pid");
  Span serve{.name = "serve", .begin = began, .took = took, .span_id = SpanId(kServe, number)};
  const Result<Traceparent> parent = ParseTraceparent(TextIn(event, "traceparent"));
  if (parent.ok()) {
    tree.trace_id = parent->trace_id;
    tree.sampled = parent->sampled;
    serve.parent_id = parent->span_id;
  } else {
    tree.trace_id = SpanId(kTraceHigh, number) + SpanId(kTraceLow, number);
  }
  serve.args["outcome"] = EndOf(TextIn(event, "kind"));
  serve.args["open"] = number;
  serve.args["trace_id"] = tree.trace_id;
  CopyArgs(event, {"model", "variant", "tier", "client", "uid"}, &serve.args);
  if (const int64_t load = NumberOf(event, "load"); load > 0) {
    serve.args["load"] = LoadName(TextIn(event, "tier"), load);
  }
  serve.error = ErrorOf(event);
  const std::string root = serve.span_id;
  tree.spans.push_back(std::move(serve));
  const auto part = [&](const char* name, Kind kind, microseconds from, microseconds to) {
    tree.spans.push_back({.name = name,
                          .begin = began + from,
                          .took = to - from,
                          .span_id = SpanId(kind, number),
                          .parent_id = root});
  };
  part("resolve", kResolve, microseconds(0), found);
  if (ready > found) part("wait", kWait, found, ready);
  part("answer", kAnswer, ready, took);
  return tree;
}

EventSpans::Load EventSpans::LoadOf(const Json& event) const {
  const std::string kind = TextIn(event, "kind");
  const std::string tier = TextIn(event, "tier");
  const int64_t number = NumberOf(event, "load");
  const uint64_t id = HashOf(tier) ^ SequenceOf(event);
  const microseconds began(NumberOf(event, "began_us"));
  const microseconds queued(NumberOf(event, "queued_us"));
  const microseconds took(NumberOf(event, "took_us"));
  Load load;
  load.number = static_cast<uint64_t>(number);
  load.beneath = static_cast<uint64_t>(NumberOf(event, "load_beneath"));
  load.beneath_under_way = event.value("load_beneath_under_way", Json()) == Json(true);
  load.tree.tier = tier;
  load.tree.trace_id = SpanId(kTraceHigh, id) + SpanId(kTraceLow, id);
  Span whole{.name = "load", .begin = began, .took = queued + took, .span_id = SpanId(kLoad, id)};
  whole.args["load"] = LoadName(tier, number);
  whole.args["outcome"] = EndOf(kind);
  if (load.beneath > 0) whole.args["load_beneath"] = load.beneath;
  CopyArgs(event, {"model", "variant", "tier", "bytes"}, &whole.args);
  whole.error = ErrorOf(event);
  Span transfer{.name = TextIn(event, "reason") == "taken_over" ? "take over" : "transfer",
                .begin = began + queued,
                .took = took,
                .span_id = SpanId(kTransfer, id),
                .parent_id = whole.span_id};
  CopyArgs(event, {"bytes", "bytes_per_second", "hashing_us"}, &transfer.args);
  Span queue{.name = "queue",
             .begin = began,
             .took = queued,
             .span_id = SpanId(kQueue, id),
             .parent_id = whole.span_id};
  load.tree.spans.push_back(std::move(whole));
  if (queued.count() > 0) load.tree.spans.push_back(std::move(queue));
  if (took.count() > 0) load.tree.spans.push_back(std::move(transfer));
  return load;
}

EventSpans::Load* EventSpans::FindLoad(const std::string& tier, uint64_t number) {
  if (number == 0) return nullptr;
  const auto found = std::find_if(loads_.rbegin(), loads_.rend(), [&](const Load& load) {
    return load.number == number && load.tree.tier == tier;
  });
  return found == loads_.rend() ? nullptr : &*found;
}

// What it was filled from as well, if no other open has that.
void EventSpans::Claim(Load* load, const Owner& owner, std::vector<SpanTree>* trees) {
  while (load != nullptr && !load->told) {
    load->told = true;
    load->tree.trace_id = owner.trace_id;
    load->tree.sampled = owner.sampled;
    load->tree.spans.front().parent_id = owner.span_id;
    trees->push_back(load->tree);
    if (load->tree.tier == "host") return;
    Load* const beneath = FindLoad("host", load->beneath);
    if (beneath == nullptr && load->beneath_under_way) Await(load->beneath, owner);
    load = beneath;
  }
}

void EventSpans::Await(uint64_t number, const Owner& owner) {
  awaited_.push_back({.number = number, .owner = owner});
  if (awaited_.size() > kMostLoads) awaited_.pop_front();
}

std::vector<SpanTree> EventSpans::TakeLoad(Load load) {
  std::vector<SpanTree> trees;
  loads_.push_back(std::move(load));
  Load& taken = loads_.back();
  // Several opens may wait for one load: it belongs to the first.
  std::erase_if(awaited_, [&](const Awaited& each) {
    const bool is_it = taken.tree.tier == "host" && each.number == taken.number;
    if (is_it) Claim(&taken, each.owner, &trees);
    return is_it;
  });
  if (loads_.size() <= kMostLoads) return trees;
  if (!loads_.front().told) trees.push_back(std::move(loads_.front().tree));
  loads_.pop_front();
  return trees;
}

std::vector<SpanTree> EventSpans::Take(const Json& event) {
  std::vector<SpanTree> trees;
  if (!event.is_object() || !event.contains("began_us")) return trees;
  const std::string kind = TextIn(event, "kind");
  if (EndsLoad(kind)) return TakeLoad(LoadOf(event));
  if (!kind.starts_with("open.")) return trees;
  SpanTree open = OpenOf(event);
  Load* const load =
      FindLoad(TextIn(event, "tier"), static_cast<uint64_t>(NumberOf(event, "load")));
  if (kind == "open.miss") {
    Claim(load, {open.trace_id, open.sampled, open.spans.front().span_id}, &trees);
  }
  if (kind == "open.joined" && load != nullptr) {
    open.linked_trace = load->tree.trace_id;
    open.linked_span = load->tree.spans.front().span_id;
  }
  trees.insert(trees.begin(), std::move(open));
  return trees;
}

std::vector<SpanTree> EventSpans::EndBatch() {
  std::vector<SpanTree> trees;
  for (Load& load : loads_) {
    if (load.told || ++load.batches < 2) continue;
    load.told = true;
    trees.push_back(load.tree);
  }
  return trees;
}

std::vector<SpanTree> EventSpans::End() {
  std::vector<SpanTree> trees;
  for (Load& load : loads_) {
    if (!std::exchange(load.told, true)) trees.push_back(load.tree);
  }
  return trees;
}

}  // namespace trims

// EventSpans: the spans that the daemon's events (docs/events.md) are.
//
//   EventSpans spans(seed);
//   for (const Json& event : batch["events"]) Write(spans.Take(event));
//   Write(spans.EndBatch());
//
// An open is a span "serve" with "resolve", "wait" and "answer" in it. A load is a span "load" with "queue" and "transfer" in it
// ("take over", where the daemon before had loaded it), and belongs to the trace of the open that began it; those that joined it are
// linked to it. A load that no open began (a prefetch, a pin) has a trace of its own. An event comes when what it is about has ended,
// a load's before that of its open, so loads are held back for a batch or two. Bounded. Identifiers follow from the seed and the
// events' numbers. Thread-safety: one thread at a time.
#ifndef TRIMS_TRACE_EVENT_SPANS_H_
#define TRIMS_TRACE_EVENT_SPANS_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace trims {

struct Span {
  std::string name;
  std::chrono::microseconds begin{0};  // since the monotonic clock's beginning
  std::chrono::microseconds took{0};
  std::string span_id;    // 16 hexadecimal digits
  std::string parent_id;  // empty: none
  nlohmann::json args = nlohmann::json::object();
  std::string error;  // empty: it went well
};

// The first holds all others, none of which overlap but by holding one another.
struct SpanTree {
  std::string trace_id;
  bool sampled = true;       // whether who asked for it records its own spans
  std::string tier;          // of a load
  std::string client;        // of an open: what it calls itself
  int64_t pid = 0;           // likewise
  std::string linked_trace;  // of an open that joined a load: the load's
  std::string linked_span;   // likewise; empty: none
  std::vector<Span> spans;
};

class EventSpans {
 public:
  static constexpr size_t kMostLoads = 1024;

  explicit EventSpans(uint64_t seed) : seed_(seed) {}

  // None for what is neither an open nor the end of a load.
  std::vector<SpanTree> Take(const nlohmann::json& event);
  // Loads that no open is expected to claim any more.
  std::vector<SpanTree> EndBatch();
  // All that are left.
  std::vector<SpanTree> End();
  // Whether a load is still to come that belongs to an open which was told: a device may have the last bytes before the host's
  // memory is complete.
  bool awaits_load() const { return !awaited_.empty(); }

 private:
  struct Load {
    SpanTree tree;
    uint64_t number = 0;
    uint64_t beneath = 0;
    bool beneath_under_way = false;
    int batches = 0;    // that ended since it came
    bool told = false;  // claimed, or given up
  };
  // Whose load it is.
  struct Owner {
    std::string trace_id;
    bool sampled = true;
    std::string span_id;
  };
  struct Awaited {
    uint64_t number = 0;  // of the host's load
    Owner owner;
  };

  SpanTree OpenOf(const nlohmann::json& event) const;
  Load LoadOf(const nlohmann::json& event) const;
  Load* FindLoad(const std::string& tier, uint64_t number);
  std::vector<SpanTree> TakeLoad(Load load);
  void Claim(Load* load, const Owner& owner, std::vector<SpanTree>* trees);
  void Await(uint64_t number, const Owner& owner);
  std::string SpanId(uint64_t kind, uint64_t number) const;

  const uint64_t seed_;
  std::deque<Load> loads_;  // the newest last
  std::deque<Awaited> awaited_;
};

}  // namespace trims

#endif  // TRIMS_TRACE_EVENT_SPANS_H_

// Event: one thing that the daemon did, as a value. docs/events.md gives the kinds and their fields.
//
//   events->Record({.kind = EventKind::kModelAdded, .model = "default/ocr:3f1c", .bytes = 57'000'000});
//
// What a kind is not about is empty. Views are of constant tables, or of the names of tiers, which outlive what records them.
// Thread-safety: values.
#ifndef TRIMS_EVENTS_EVENT_H_
#define TRIMS_EVENTS_EVENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

// Those of the log's lines of the same name; their order is that of kEventKindNames. Opens come last.
enum class EventKind : uint8_t {
  kSegmentLoading,
  kSegmentResident,
  kSegmentLoadFailed,
  kSegmentLoadCancelled,
  kSegmentEvicted,
  kSegmentReclaimed,
  kSegmentLingers,
  kModelAdded,
  kModelAddFailed,
  kModelRemoved,
  kModelRetired,
  kModelPinned,
  kModelUnpinned,
  kModelKeepAlive,
  kAliasMoved,
  kAliasDeleted,
  kPolicyChanged,
  kBudgetChanged,
  kQuotaChanged,
  kPressureRelieved,
  kDrainBegun,
  kDrainEnded,
  kLeasesEnded,
  kOpenHit,
  kOpenJoined,
  kOpenMiss,
  kOpenFailed,
};
inline constexpr size_t kEventKinds = static_cast<size_t>(EventKind::kOpenFailed) + 1;

std::string_view EventKindName(EventKind kind);  // "segment.resident"

// Opens are many, and recorded only while somebody asks for them.
constexpr bool IsOpen(EventKind kind) { return kind >= EventKind::kOpenHit; }

struct Event {
  EventKind kind = EventKind::kSegmentLoading;
  uint64_t sequence = 0;  // the feed fills this in, and the time
  int64_t unix_us = 0;

  std::string model;         // its reference
  std::string_view variant;  // "files", "tensors", "ort"
  std::string_view tier;
  uint64_t bytes = 0;  // of a segment what it takes of its tier; of a model what its files have
  std::string_view reason;  // why it went
  // Evicted: for which model; an alias: what it meant before; kept alive: how long; a quota: its text; a policy: its reclaim.
  std::string other;
  std::string_view policy;      // that chose, or that was chosen
  std::string_view admission;   // likewise chosen
  std::optional<double> score;  // by which it chose: the lowest goes first
  std::string alias;
  std::chrono::microseconds took{
      0};  // of a load since its bytes began to come; of an open until it was answered
  std::chrono::microseconds queued{
      0};  // of a load before that; of an open until the model was found
  std::chrono::microseconds ready{0};    // of an open until its bytes were there
  std::chrono::microseconds hashing{0};  // of a load: what its hashers took, who work side by side
  std::optional<int64_t> began_us;       // when all of that began, by the machine's monotonic clock
  uint64_t load =
      0;  // the number of a load, in its tier; of an open, of the one that brought its bytes
  uint64_t beneath = 0;            // of the load in the tier beneath that it was filled from
  bool beneath_under_way = false;  // that load has not ended yet: its last bytes came here first
  std::string traceparent;         // of an open: as its client gave it
  std::string client;              // what it calls itself
  uint64_t uid = 0;
  int64_t pid = 0;  // 0: no client's doing
  uint64_t leases = 0;
  Status error;
};

// Whatever tells what it does is given one.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Cheap, and never calls back.
  virtual void Record(Event event) = 0;
};

}  // namespace trims

#endif  // TRIMS_EVENTS_EVENT_H_

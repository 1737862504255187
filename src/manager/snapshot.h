// Snapshots: what the manager knows, as values. Whoever shows it (JSON, a table, metrics) makes its own
// form of them; server/documents.h makes the JSON.
//
// Thread-safety: values; taken on the loop, then anybody's.
#ifndef TRIMS_MANAGER_SNAPSHOT_H_
#define TRIMS_MANAGER_SNAPSHOT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

#include "format/manifest.h"
#include "ingest/registrar.h"
#include "residency/counters.h"
#include "residency/open_plan.h"
#include "residency/residency_options.h"
#include "residency/segment_state.h"
#include "residency/segment_table.h"

namespace trims {

// Where one variant of a model is, in the highest tier that has it.
struct VariantSnapshot {
  Variant kind = Variant::kFiles;
  std::string key;
  uint64_t bytes = 0;  // its footprint
  size_t extents = 0;
  std::string tier;  // empty where it is absent
  SegmentState state = SegmentState::kAbsent;
  uint64_t leases = 0;  // in all tiers
  bool pinned = false;  // in one of them
};

struct ModelSnapshot {
  std::string reference;
  std::string name;
  std::string version;
  bool newest = false;
  std::string digest;
  std::string format;
  std::string source;
  uint64_t source_bytes = 0;
  int64_t added_unix_seconds = 0;
  std::vector<std::string> aliases;  // that mean this version
  std::vector<VariantSnapshot> variants;
};

// One model with all that `trims show` tells.
struct ModelDetails {
  ModelSnapshot model;
  std::vector<ManifestFile> files;
  std::string sandbox;
  std::vector<std::string> notes;
  std::vector<std::string> retired;  // of an add: versions that left for it
};

struct SegmentSnapshot {
  uint64_t id = 0;
  std::string tier;
  std::string reference;
  std::string digest;
  Variant kind = Variant::kFiles;
  std::string key;
  SegmentState state = SegmentState::kAbsent;
  uint64_t bytes = 0;
  uint64_t bytes_loaded = 0;         // of a load in flight
  std::optional<LoadProgress> load;  // of one in flight, or that waits for room
  uint64_t leases = 0;
  uint64_t opens = 0;
  size_t waiters = 0;
  std::optional<Pages> pages;  // of its first extent, in the host's memory
  std::chrono::milliseconds idle{0};
  std::chrono::microseconds load_time{0};  // of its last load
  bool removed = false;
  bool pinned = false;
  bool leaving = false;  // with its last lease
  int failures = 0;      // in a row
  Status error;          // the last one
  std::chrono::milliseconds retry_in{0};
};

struct TierSnapshot {
  std::string name;
  std::string device;  // whose memory it is; empty: the host's
  uint64_t budget_bytes = 0;
  uint64_t used_bytes = 0;
  RoomUse use;
  TierPolicy policy;
};

// One variant in the tier that an operator's command was about.
struct ControlledVariant {
  Variant kind = Variant::kFiles;
  std::string key;
  uint64_t bytes = 0;  // its footprint
  SegmentState state = SegmentState::kAbsent;
  uint64_t leases = 0;
  bool pinned = false;
  bool leaving = false;
};

struct ControlledModel {
  std::string reference;
  std::string tier;
  std::vector<ControlledVariant> variants;
};

// Who holds leases, as far as they are a connection's.
struct LeaseHolder {
  std::string client;  // what it calls itself
  uint64_t uid = 0;
  int64_t pid = 0;
  uint64_t leases = 0;
};

// What an open would come to.
struct ExplainedOpen {
  std::string reference;
  Variant kind = Variant::kFiles;
  std::string key;
  std::string served_from =
      {};                    // a tier, "load" (one on its way), "disk", "remote"; empty: refused
  uint64_t moves_bytes = 0;  // before it could be answered
  std::optional<std::chrono::microseconds> estimate = {};  // until then
  std::string_view estimate_from =
      {};  // "resident", "load", "measured", "average"; empty: there is none
  Status refused = {};
  std::vector<OpenPlan> plans =
      {};  // of the tier that was asked for, and of those beneath that would take part
  std::vector<LeaseHolder> holders = {};  // in the tier that was asked for
};

struct DrainSnapshot {
  bool draining = false;
  uint64_t leases = 0;
  size_t waiters = 0;
  std::vector<LeaseHolder> holders;
};

struct ManagerSnapshot {
  std::vector<TierSnapshot> tiers;  // from the lowest up
  size_t models = 0;
  uint64_t prepared_bytes = 0;  // on disk
  uint64_t disk_budget = 0;     // of these; 0: none
  uint64_t disk_evictions = 0;  // of copies of what also lies elsewhere, since the start
  uint64_t leases = 0;
  size_t loads_in_flight = 0;
  size_t preparations_in_flight = 0;
  size_t waiters = 0;
  bool draining = false;  // gives no new leases
  std::vector<SegmentSnapshot> segments;
  Counters counters;
  IngestCounters ingest;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_SNAPSHOT_H_

// Snapshots: what the manager knows, as values. Whoever shows it (JSON, a table, metrics) makes its own
// form of them; server/documents.h makes the JSON.
//
// Thread-safety: values; taken on the loop, then anybody's.
#ifndef TRIMS_MANAGER_SNAPSHOT_H_
#define TRIMS_MANAGER_SNAPSHOT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

#include "format/manifest.h"
#include "ingest/registrar.h"
#include "residency/counters.h"
#include "residency/host_copy.h"
#include "residency/open_plan.h"
#include "residency/residency_options.h"
#include "residency/segment_state.h"
#include "residency/segment_table.h"
#include "store/prepared_store.h"

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
  Granularity granularity = Granularity::kModel;
  uint64_t own_bytes = 0;  // of the footprint, what nobody else brings; what it borrows is the rest
};

// Another model that has some of the same bytes in the same place.
struct SharerSnapshot {
  std::string reference;
  Variant kind = Variant::kFiles;  // of the model that is shown
  uint64_t bytes = 0;
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
  std::vector<SharerSnapshot> shared_with = {};  // by variant, then by reference
  std::optional<Reclaim> keep_alive = {};  // of the name; none: as the tiers' policies have it
  std::vector<std::string> retired;        // of an add: versions that left for it
};

// How long a name is kept.
struct KeptAlive {
  std::string name;                  // "namespace/name"
  std::optional<Reclaim> kept = {};  // none: as each tier's policy has it
};

// Who holds leases, as far as they are a connection's.
struct LeaseHolder {
  std::string client;  // what it calls itself
  uint64_t uid = 0;
  int64_t pid = 0;
  uint64_t leases = 0;
  // Processes that have it open since before this daemon started: it can't name them.
  bool from_before = false;
};

// Who holds leases of what has this key in this tier; with no key, of anything.
using FindHolders =
    std::function<std::vector<LeaseHolder>(std::string_view tier, std::string_view key)>;

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
  bool held_for_copy = false;  // as long as a device has its own
  bool leaving = false;        // with its last lease
  bool taken_over = false;     // from the daemon before
  bool piece = false;          // of a model that shares, on a device
  Reclaim keep_alive;          // how long it outlives its last lease
  // From now, unless it is opened or its room is needed; none: it is in use, or kept for ever.
  std::optional<std::chrono::milliseconds> goes_in;
  bool held_from_before = false;  // one of its leases stands for who has it open since then
  int failures = 0;               // in a row
  Status error;                   // the last one
  std::chrono::milliseconds retry_in{0};
  std::vector<LeaseHolder> holders;  // of one that is to go and can't, as long as it is leased
};

// Bytes that have left a tier and that some process still has.
struct LingeringSnapshot {
  std::string tier;
  std::string reference;
  std::string digest;
  Variant kind = Variant::kFiles;
  uint64_t bytes = 0;
  std::chrono::milliseconds since{0};
  std::vector<MemoryKeeper> keepers;  // found to have them, and alive
  std::vector<Holder> last_holders;   // whose leases ended last, the newest first
};

// What a namespace takes of a tier, where there are quotas.
struct NamespaceSnapshot {
  std::string tier;
  std::string name;
  NamespaceUse use;
};

struct TierSnapshot {
  std::string name;
  std::string device;  // whose memory it is; empty: the host's
  uint64_t budget_bytes = 0;
  uint64_t used_bytes = 0;
  RoomUse use;
  TierPolicy policy;
  Quotas quotas;                           // the same in every tier
  std::optional<HostCopy> host_copy = {};  // of a device's; of the host's there is none beneath
  uint64_t saved_bytes =
      0;  // what the models that are resident would take besides if they shared nothing
  uint64_t wasted_bytes = 0;  // of a device's: there more often than once, or left empty by pieces
};

// What prepared models take of the disk.
struct DiskSnapshot {
  uint64_t used_bytes = 0;
  uint64_t budget_bytes = 0;  // 0: none
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

// Times that the machine was short of memory, and what went then.
struct PressureSnapshot {
  uint64_t events = 0;
  uint64_t bytes_given_up = 0;
};

struct ManagerSnapshot {
  std::vector<TierSnapshot> tiers;  // from the lowest up
  size_t models = 0;
  uint64_t prepared_bytes = 0;  // on disk
  uint64_t disk_budget = 0;     // of these; 0: none
  uint64_t disk_evictions = 0;  // of copies of what also lies elsewhere, since the start
  PreparedStore::Unfinished disk_unfinished;  // fetches that were cut off and can be gone on with
  uint64_t leases = 0;
  size_t loads_in_flight = 0;
  size_t preparations_in_flight = 0;
  size_t waiters = 0;
  bool draining = false;  // gives no new leases
  std::string
      keeper;  // who keeps what is resident beyond the daemon's end: "process", "systemd"; empty: nobody
  std::vector<SegmentSnapshot> segments;
  std::vector<LingeringSnapshot> lingering;
  std::vector<NamespaceSnapshot> namespaces;
  Counters counters;
  IngestCounters ingest;
  PressureSnapshot pressure;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_SNAPSHOT_H_

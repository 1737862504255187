// Admin: what an operator asks of the model resource manager. Answers are JSON documents, the same
// that `trims --json` prints; docs/json.md gives their fields.
//
//     trims::Result<trims::Admin> admin = trims::Admin::Connect();
//     trims::Result<std::string> added = admin->Add("ocr", "file:///models/common.onnx");
//
// Whatever changes something is for the daemon's own user and for root: PERMISSION_DENIED for anybody else.
// Thread-safety: as Client.
#ifndef TRIMS_ADMIN_H_
#define TRIMS_ADMIN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/client.h"
#include "trims/export.h"
#include "trims/model.h"
#include "trims/status.h"

namespace trims {

struct Progress {
  std::string_view stage;  // "read", "optimise", "write", …
  uint64_t done = 0;
  uint64_t total = 0;  // 0: unknown
};

struct AddOptions {
  std::vector<Variant> variants;  // empty: all that the format allows
  std::string precision =
      {};  // of weights that are there in several, e.g. "fp16"; empty: the usual one
  // Absolute paths of libraries with custom operators, which ONNX Runtime loads while it optimises.
  std::vector<std::string> onnxruntime_extensions = {};
  // In which units it shares its bytes with other models of its namespace: "model", "block" or "layer"; empty: the daemon's default.
  std::string granularity = {};
  std::function<void(const Progress&)> on_progress;  // called on the calling thread
  std::chrono::milliseconds timeout{std::chrono::minutes(30)};
  // Of this name, once this one is there: the newest so many stay, and those that were added less long ago
  // than `keep_for` (at most a year); the others are forgotten, unless an alias means them, they are pinned, or
  // somebody has them open. Both 0: all stay.
  uint32_t keep_versions = 0;
  std::chrono::seconds keep_for{0};
};

struct VerifyOptions {
  uint64_t bytes_per_second = 0;                     // 0: as fast as it goes
  std::function<void(const Progress&)> on_progress;  // called on the calling thread
  std::chrono::milliseconds timeout{std::chrono::hours(24)};
};

struct PushOptions {
  std::function<void(const Progress&)> on_progress;  // called on the calling thread
  std::chrono::milliseconds timeout{std::chrono::hours(24)};
};

// Each empty: stays as it is.
struct PolicyOptions {
  std::string tier =
      {};  // empty: the host's memory; "disk" (the prepared models) has a budget only
  std::string eviction = {};  // "worth", "lru", …: docs/residency.md
  std::string admission = {};
  // "eager", "lazy", or how long a model stays that nobody has open: "10m".
  std::string reclaim = {};
  std::string budget = {};  // "8GiB", or "50%" of what the tier has; of tier "disk" also "none"
  // What a namespace may take, as --quota of trimsd: "team-a:bytes=8GiB"; "team-a:none". In every tier: `tier` is empty then.
  std::string quota = {};
};

// What Pin, Unpin, Prefetch, Evict, Demote and Explain are about.
struct ResidentOptions {
  std::string tier = {};               // empty: the host's memory
  std::vector<Variant> variants = {};  // empty: what each says
  bool wait = true;                    // Prefetch: until it is there
  bool when_idle = false;              // Evict: what is in use goes with its last lease
  std::function<void(const Progress&)> on_progress = {};  // called on the calling thread
  std::chrono::milliseconds timeout{std::chrono::hours(24)};
};

struct DrainOptions {
  bool on = true;     // false: serve again
  bool wait = false;  // until there is no lease
  std::chrono::milliseconds timeout{std::chrono::hours(24)};
};

// Which events are wanted, and from where on: docs/events.md.
struct EventsOptions {
  // Those after this number: `next` of the last document. 0: all that are kept; nothing: those that come from now on.
  std::optional<uint64_t> since = {};
  std::optional<uint64_t> opens_since = {};  // `opens_next` of the last document
  std::vector<std::string> kinds = {};       // "segment", "segment.evicted"; none: all but opens
  bool opens = false;      // opens, too: recorded only while somebody asks for them
  std::string model = {};  // its name, or its name and version; empty: any
  // How long at most, where there is nothing to tell yet; then the document has no events. At most 60 s.
  std::chrono::milliseconds wait{std::chrono::seconds(5)};
};

class Admin {
 public:
  TRIMS_EXPORT static Result<Admin> Connect(const ClientOptions& options = {});

  // Registers `source` (file:///absolute/path of a file or folder, a URL: ' ', '%', '#', '?' and
  // bytes beyond ASCII are written %XX) as `reference` and prepares its variants. Adding equal content under the same name again is OK and prepares what is missing.
  // The document describes the model, as Show().
  TRIMS_EXPORT Result<std::string> Add(std::string_view reference, std::string_view source,
                                       const AddOptions& options = {});
  // Forgets a model: running functions keep their pages, new opens get NOT_FOUND. FAILED_PRECONDITION: an
  // alias means it.
  TRIMS_EXPORT Result<std::string> Remove(std::string_view reference);
  TRIMS_EXPORT Result<std::string> List();
  TRIMS_EXPORT Result<std::string> Show(std::string_view reference);
  TRIMS_EXPORT Result<std::string> GetStatus();
  // Reads the files of a model, or of all where `reference` is empty, compares their digests with those
  // recorded when they were added, and prepares what is damaged again, from where it came from. Models
  // stay usable meanwhile. What was found is in the document. RESOURCE_EXHAUSTED: one is under way.
  TRIMS_EXPORT Result<std::string> Verify(std::string_view reference,
                                          const VerifyOptions& options = {});
  // Writes what is prepared of a model to `destination`, a folder (a file:/// URL) or a prefix of a bucket
  // (s3://BUCKET/PREFIX/), from which Add on another node, or from wherever that is copied to, takes it as
  // it is.
  TRIMS_EXPORT Result<std::string> Push(std::string_view reference, std::string_view destination,
                                        const PushOptions& options = {});
  // Changes what decides in a tier about what stays, and how much, from now on and until the daemon ends. Of a
  // budget that is lowered below what is used, unleased models go at once, the others with their leases. With nothing
  // to change it only asks, which anybody may. The document says what is in force, and what there is.
  TRIMS_EXPORT Result<std::string> Policy(const PolicyOptions& options = {});

  // Loads the variants named, or else the one that is most likely opened ("ort", "tensors", "files"), and
  // keeps them in the tier until Unpin, across restarts of the daemon: they are neither evicted nor
  // reclaimed. RESOURCE_EXHAUSTED, TOO_LARGE: there is no room for them, and what holds it.
  TRIMS_EXPORT Result<std::string> Pin(std::string_view reference,
                                       const ResidentOptions& options = {});
  // Those named, or else all that are pinned.
  TRIMS_EXPORT Result<std::string> Unpin(std::string_view reference,
                                         const ResidentOptions& options = {});
  // Loads the same variants as Pin, and lets them go as any other. FAILED_PRECONDITION: the tier keeps
  // nothing that nobody has open.
  TRIMS_EXPORT Result<std::string> Prefetch(std::string_view reference,
                                            const ResidentOptions& options = {});
  // Those named, or else all that are there, go. FAILED_PRECONDITION: one is pinned, on its way, or in use,
  // and by whom.
  TRIMS_EXPORT Result<std::string> Evict(std::string_view reference,
                                         const ResidentOptions& options = {});
  // Those named, or else all that are there, go one tier down: from a device's memory into the host's, where they are loaded
  // first if they aren't there; from the host's to the disk, which is what Evict does. Errors as of Prefetch and Evict: then all
  // is as it was, but for what came into the tier beneath.
  TRIMS_EXPORT Result<std::string> Demote(std::string_view reference,
                                          const ResidentOptions& options = {});
  // How long all versions of a model, in every tier of memory and across restarts, outlive the moment when nobody has them open
  // any more, unless their room is needed: "10m", "0", "forever", "default" (as the tiers' policies say). Empty: it only asks,
  // which anybody may. `name` is one without a version, or an alias. {"name", "keep_alive": null for default}.
  TRIMS_EXPORT Result<std::string> KeepAlive(std::string_view name, std::string_view keep_alive);
  // What an open would come to now, without making it: where it would be served from, what that would cost, what would go for it,
  // who has it open, or why it would be refused. Of the first variant named, or else of the one that is most likely opened. Anybody
  // may ask.
  TRIMS_EXPORT Result<std::string> Explain(std::string_view reference,
                                           const ResidentOptions& options = {});
  // From now on opens are UNAVAILABLE; leases end by themselves. It ends with the daemon.
  TRIMS_EXPORT Result<std::string> Drain(const DrainOptions& options = {});

  // An alias is a name, "prod" or "ocr:stable", that means a version of a model wherever that is opened,
  // shown or pushed. SetAlias moves it in one step: what is opened once it has returned is what
  // `reference` means now, and who has another version open keeps it. ALREADY_EXISTS: a model has that name.
  TRIMS_EXPORT Result<std::string> SetAlias(std::string_view alias, std::string_view reference);
  // Back to what it meant before. FAILED_PRECONDITION: nothing, or what is no longer there.
  TRIMS_EXPORT Result<std::string> Rollback(std::string_view alias);
  TRIMS_EXPORT Result<std::string> DeleteAlias(std::string_view alias);
  TRIMS_EXPORT Result<std::string> Aliases();

  // What the daemon did, or does next: one batch, and where to go on: {"events": […], "next", "opens_next", "lost", "opens_lost"}.
  // Anybody may ask. Whoever asks on, with `since` = "next" and `opens_since` = "opens_next", misses nothing, or is told how many
  // events went before it asked ("lost"): the daemon keeps the last 4096, and as many opens. Numbers rise across restarts of the
  // daemon. A caller who wants to stop soon waits for a short while at a time. INVALID_ARGUMENT: no such kind.
  TRIMS_EXPORT Result<std::string> Events(const EventsOptions& options = {});

 private:
  explicit Admin(Client client);
  Client client_;
};

}  // namespace trims

#endif  // TRIMS_ADMIN_H_

// Stand-ins for what the manager depends on, all driven by hand and stricter than the real ones.
#ifndef TRIMS_TESTS_SUPPORT_MANAGER_FAKES_H_
#define TRIMS_TESTS_SUPPORT_MANAGER_FAKES_H_

#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "format/chunk_digests.h"
#include "ingest/preparer.h"
#include "ingest/source_fetcher.h"
#include "load/landing_tier.h"
#include "load/tier.h"
#include "loop/timer_service.h"
#include "loop/worker.h"
#include "manager/manager.h"
#include "store/host_memory.h"
#include "support/fake_timers.h"

namespace trims::test {

inline ResidentBytes SmallBytes() {
  const std::byte bytes[8] = {};
  ResidentBytes resident{.index = HandleOf(SealedCopy("index", bytes).value()), .extents = {}};
  resident.extents.push_back(HandleOf(SealedCopy("extent", bytes).value()));
  return resident;
}

// Fills and releases end when the test says so.
class FakeTier final : public Tier {
 public:
  struct Job {
    FillRequest request;
    std::function<void(Result<ResidentBytes>)> done;
  };
  explicit FakeTier(uint64_t budget, std::string name = "host", std::string device = "")
      : name_(std::move(name)), device_(std::move(device)), budget_(name_, budget) {}

  std::string_view name() const override { return name_; }
  std::string_view device() const override { return device_; }
  bool feeds() const override { return feeding; }
  bool TakesFrom(const Tier& peer) const override { return peer.name() == takes_from; }
  bool peers_first() const override { return quicker_from_peers; }
  Budget& budget() override { return budget_; }
  uint64_t granule() const override { return piece_granule; }
  void Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) override {
    ++started;
    fills.push_back({std::move(request), std::move(done)});
  }
  void TakeIn(FillRequest request, Duration load_time, ResidentBytes bytes,
              std::function<void(Result<ResidentBytes>)> done) override {
    if (!taking_in_takes_time)
      return Tier::TakeIn({}, load_time, std::move(bytes), std::move(done));
    fills.push_back({std::move(request), std::move(done)});
  }
  void Release(ResidentBytes, LetGoCalls calls) override { releases.push_back(std::move(calls)); }
  void FindKeepers(std::vector<MemoryId> memory,
                   std::function<void(std::vector<MemoryKeeper>)> done) override {
    sought = std::move(memory);
    done(keepers);
  }

  void Finish(Result<ResidentBytes> result) {
    ASSERT_FALSE(fills.empty());
    Job job = std::move(fills.front());
    fills.pop_front();
    job.done(std::move(result));
  }
  void Finish() { Finish(SmallBytes()); }
  void Fail(StatusCode code) { Finish(Status(code, "the load failed")); }
  void FinishRelease() {
    ASSERT_FALSE(releases.empty());
    const LetGoCalls calls = std::move(releases.front());
    releases.pop_front();
    calls.freed();
  }
  // Of the oldest release that goes on.
  void KeepRelease(MemoryId memory) { releases.front().kept({memory}); }

  int started = 0;
  bool feeding = false;
  uint64_t piece_granule = kHugePageSize;
  std::string takes_from;  // the name of a tier
  bool quicker_from_peers = false;
  bool taking_in_takes_time = false;
  std::list<Job> fills;
  std::list<LetGoCalls> releases;
  std::vector<MemoryKeeper> keepers;  // who is found
  std::vector<MemoryId> sought;       // of what, last

 private:
  const std::string name_;
  const std::string device_;
  Budget budget_;
};

// Keeps entries newest first and can refuse the next change.
class FakeCatalog final : public Catalog {
 public:
  Result<const CatalogEntry*> Find(const ModelReference& reference) const override {
    for (const CatalogEntry& entry : entries) {
      const bool meant = reference.digest.empty()
                             ? reference.version.empty() || entry.version == reference.version
                             : entry.manifest.digest == reference.digest;
      if (entry.name == reference.name && meant) return &entry;
    }
    if (const Alias* alias = aliases.Find({reference.name, reference.version})) {
      return Find({alias->target().name, alias->target().version, ""});
    }
    return Status(StatusCode::kNotFound, "no model '" + reference.name + "'");
  }
  std::vector<const CatalogEntry*> All() const override {
    std::vector<const CatalogEntry*> all;
    for (const CatalogEntry& entry : entries) all.push_back(&entry);
    return all;
  }
  void Put(CatalogEntry entry, std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    Drop(entry.name, entry.version);
    entries.push_front(std::move(entry));
    done({});
  }
  void Erase(const std::string& name, const std::string& version,
             std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    Drop(std::string(name), std::string(version));
    done({});
  }
  const AliasTable& Aliases() const override { return aliases; }
  const std::set<PinnedVariant>& Pins() const override { return pins; }
  const std::map<std::string, KeepAlive>& KeepAlives() const override { return keep_alives; }
  void SetKeepAlive(const std::string& name, KeepAlive keep,
                    std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    keep_alives[name] = keep;
    done({});
  }
  void ClearKeepAlive(const std::string& name, std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    keep_alives.erase(name);
    done({});
  }
  void PutAlias(Alias alias, std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    aliases.Put(std::move(alias));
    done({});
  }
  void EraseAlias(const AliasName& name, std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    aliases.Erase(AliasName(name));
    done({});
  }
  void Pin(std::vector<PinnedVariant> pinned, std::function<void(Status)> done) override {
    if (hold_pins) return held_pins.push_back(std::move(done));
    if (!next.ok()) return done(std::exchange(next, {}));
    pins.insert(pinned.begin(), pinned.end());
    done({});
  }
  void Unpin(std::vector<PinnedVariant> pinned, std::function<void(Status)> done) override {
    if (!next.ok()) return done(std::exchange(next, {}));
    for (const PinnedVariant& pin : pinned) pins.erase(pin);
    done({});
  }
  void Drop(const std::string& name, const std::string& version) {
    std::erase_if(
        pins, [&](const PinnedVariant& pin) { return pin.name == name && pin.version == version; });
    entries.remove_if(
        [&](const CatalogEntry& entry) { return entry.name == name && entry.version == version; });
  }

  std::list<CatalogEntry> entries;
  AliasTable aliases;
  std::set<PinnedVariant> pins;
  std::map<std::string, KeepAlive> keep_alives;
  bool hold_pins = false;  // they are never written
  std::vector<std::function<void(Status)>> held_pins;
  Status next;  // what the next change answers
};

// Works at once, on the calling thread.
class InlineWorker final : public Worker {
 public:
  void Run(std::function<void()> work, std::function<void()> done) override {
    work();
    done();
  }
};

class FakePreparer final : public Preparer {
 public:
  struct Request {
    PrepareJob job;
    Progress progress;
    std::function<void(Result<Manifest>)> done;
  };
  Status Ready() const override { return ready; }
  void Prepare(PrepareJob job, Progress progress,
               std::function<void(Result<Manifest>)> done) override {
    requests.push_back({std::move(job), std::move(progress), std::move(done)});
  }
  void Finish(Result<Manifest> result) {
    ASSERT_FALSE(requests.empty());
    Request request = std::move(requests.front());
    requests.pop_front();
    const PrepareJob& job = request.job;
    if (result.ok())
      result->source = (job.downloaded ? job.downloaded->from : job.source).ToString();
    request.done(std::move(result));
  }
  std::list<Request> requests;
  Status ready;
};

class FakeFetcher final : public SourceFetcher {
 public:
  struct Request {
    FetchJob job;
    std::function<void(Result<Fetched>)> done;
  };
  void Fetch(FetchJob job, Preparer::Progress, std::function<void(Result<Fetched>)> done) override {
    requests.push_back({std::move(job), std::move(done)});
  }
  void Finish(Result<SourceUri> result) {
    result.ok() ? Finish(Fetched{*std::move(result)}) : FinishWith(result.status());
  }
  void Finish(const Status& why) { FinishWith(why); }
  void Finish(Fetched fetched) { FinishWith(std::move(fetched)); }
  std::list<Request> requests;

 private:
  void FinishWith(Result<Fetched> result) {
    ASSERT_FALSE(requests.empty());
    Request request = std::move(requests.front());
    requests.pop_front();
    request.done(std::move(result));
  }
};

// Counts what it is given.
class FakeLanding final : public LandingTier {
 public:
  Result<std::unique_ptr<LandingRoom>> TakeRoom(uint64_t) override {
    return std::make_unique<LandingRoom>();
  }
  void Adopt(const ImagePtr&, std::unique_ptr<LandingRoom>, ResidentBytes) override { ++adopted; }
  int adopted = 0;
};

inline std::string Digest(char digit) { return std::string(64, digit); }

// Takes (pages + 1) * 4096 bytes of budget: its extent and one page of index.
inline ManifestVariant MakeVariant(Variant kind, uint64_t pages, const std::string& key = "") {
  ManifestVariant variant;
  variant.kind = kind;
  variant.key = key;
  variant.folder = VariantName(kind);
  variant.index_path = "index";
  variant.index_length = 100;
  variant.index_sha256 = Digest('1');
  variant.extents.push_back(
      {.length = pages * 4096,
       .sha256 = Digest('2'),
       .xxh3 = std::vector<uint64_t>(ChunkCount(pages * 4096), 2),
       .pieces = {
           {.origin = PieceOrigin::kPrepared, .path = "data", .offset = 0, .length = 8, .at = 0}}});
  return variant;
}

inline Manifest MakeManifest(const std::string& digest, std::vector<ManifestVariant> variants) {
  Manifest manifest;
  manifest.digest = digest;
  manifest.format = "files";
  manifest.source = "file:///models/m";
  manifest.files = {{.name = "m", .length = 10, .sha256 = digest}};
  manifest.variants = std::move(variants);
  for (ManifestVariant& variant : manifest.variants) {
    for (ManifestExtent& extent : variant.extents) extent.sha256 = digest;
  }
  return manifest;
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_MANAGER_FAKES_H_

#include "ingest/adder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/shell_quote.h"
#include "catalog/resolve.h"
#include "ingest/aliaser.h"
#include "ingest/check_operator.h"
#include "ingest/choose_version.h"
#include "ingest/landed.h"
#include "ingest/merge_manifests.h"
#include "ingest/pushed_folder.h"
#include "loop/run_on.h"
#include "source/source_uri.h"

namespace trims {
namespace {

// As it is, without parsing: what can come into memory while it is downloaded.
bool OnlyFiles(const PrepareWishes& wishes) {
  return wishes.variants == std::vector<Variant>{Variant::kFiles};
}

// Freeing memory takes time: whoever lets go of it last, on the loop, has the worker do that.
std::shared_ptr<Landed> FreedBy(Worker* worker, std::shared_ptr<Landed> landed) {
  if (landed == nullptr) return nullptr;
  Landed* const at = landed.get();
  return {at, [worker, landed = std::move(landed)](Landed*) mutable {
            auto last = std::make_shared<std::shared_ptr<Landed>>(std::move(landed));
            worker->Run([last] { last->reset(); }, [] {});
          }};
}

// The image that was made of what landed; nullptr: none.
ImagePtr ImageOf(const CatalogEntry& entry, const Landed& landed) {
  for (const ImagePtr& image : entry.images) {
    const std::vector<ManifestExtent>& extents = image->variant.extents;
    if (image->kind == Variant::kFiles && extents.size() == 1 &&
        extents.front().sha256 == landed.content.digests.sha256)
      return image;
  }
  return nullptr;
}

// A model that another node has prepared is taken as it is.
Status CheckCanShare(const Located& located) {
  const bool asked =
      located.request.granularity.value_or(Granularity::kModel) != Granularity::kModel;
  if (!asked || !located.pushed) return Status();
  return Status(StatusCode::kUnimplemented,
                "a model that another node has pushed can't be cut into blocks",
                "leave --granularity out, or say model");
}

// Whoever may open one model of a namespace may open the others; across namespaces nothing is shared.
std::vector<ImagePtr> ImagesOfNamespace(const Catalog& catalog, std::string_view name) {
  const std::string_view wanted = name.substr(0, name.find('/') + 1);
  std::vector<ImagePtr> images;
  for (const CatalogEntry* entry : catalog.All()) {
    if (!entry->name.starts_with(wanted)) continue;
    std::ranges::copy_if(entry->images, std::back_inserter(images), [](const ImagePtr& image) {
      return image->variant.granularity != Granularity::kModel;
    });
  }
  return images;
}

std::vector<PreparedStore::Pin> PinAll(const std::vector<ImagePtr>& images, PreparedStore* store) {
  std::vector<PreparedStore::Pin> pins;
  for (const ImagePtr& image : images) {
    for (const ImagePtr& part : PartsOf(image))
      pins.push_back(store->PinFolder(part->variant.folder));
  }
  return pins;
}

CatalogEntry EntryOf(Published published) {
  Manifest manifest =
      MergeManifests(std::move(published.prepared.manifest), published.kept, published.old_notes);
  return MakeCatalogEntry(std::move(published.name), std::move(published.version),
                          std::move(manifest), UnixSecondsNow());
}

}  // namespace

struct Adder::Asker {
  std::string model;  // for the log, as is `source`
  std::string source;
  Preparer::Progress progress;
  AddCallback done;

  // "trims add …" in a hint stands for the command that was given.
  Status InFull(const Status& status) const {
    constexpr std::string_view kAgain = "trims add …";
    const size_t at = status.hint().find(kAgain);
    if (at == std::string::npos) return status;
    std::string hint = status.hint();
    hint.replace(at, kAgain.size(), "trims add " + ShellQuote(model) + " " + ShellQuote(source));
    return Status(status.code(), status.message(), std::move(hint));
  }

  void Tell(std::string_view stage, uint64_t at, uint64_t total) const {
    if (progress) progress(stage, at, total);
  }
};

void Adder::Add(const wire::Principal& principal, const std::string& requested,
                const std::string& source, const PrepareWishes& wishes, Preparer::Progress progress,
                AddCallback done) {
  if (const Status status = CheckCanAdd(principal); !status.ok()) return done(status);
  Result<Requested> request = CheckRequested(requested, source, wishes);
  if (!request.ok()) return done(request.status());
  // Before anything is read for it; ChooseVersion asks again.
  if (const Status status = CheckIsNoAlias(*dependencies_.catalog, request->reference.name,
                                           request->reference.version);
      !status.ok()) {
    return done(status);
  }
  const auto asker =
      std::make_shared<const Asker>(Asker{request->reference.ToString(), request->source.ToString(),
                                          std::move(progress), std::move(done)});
  ++in_flight_;
  if (request->source.is_remote()) return Download(asker, *std::move(request));
  RunOn(
      dependencies_.worker,
      [request = *std::move(request)]() mutable { return Locate(std::move(request)); },
      alive_.Only([this, asker](Result<Located> located) {
        located.ok() ? MakeIncoming(asker, *std::move(located)) : Fail(asker, located.status());
      }));
}

void Adder::Download(const AskerPtr& asker, Requested request) {
  if (dependencies_.fetcher == nullptr) {
    return Fail(asker, Status(StatusCode::kUnimplemented,
                              "this daemon can't download models: " + asker->source,
                              "download the model and add it as file:///absolute/path"));
  }
  dependencies_.prepared->OpenDownload(
      asker->source, alive_.Only([this, asker, request = std::move(request)](
                                     Result<PreparedStore::Download> download) mutable {
        if (!download.ok()) return Fail(asker, download.status());
        Fetch(asker, std::move(request), *std::move(download));
      }));
}

// What was downloaded stays for the next attempt, whatever comes of this one, until the model is there.
void Adder::Fetch(const AskerPtr& asker, Requested request, PreparedStore::Download download) {
  FetchJob job{.uri = request.source,
               .files = download.files(),
               .partial = download.partial(),
               .landing = OnlyFiles(request.wishes) && !SharesBlocks(request)
                              ? dependencies_.landing
                              : nullptr};
  auto fetched = [this, asker, request = std::move(request),
                  download = std::move(download)](Result<Fetched> fetched) mutable {
    if (!fetched.ok()) return Fail(asker, fetched.status());
    auto located = std::make_shared<Located>(
        Located{.request = std::move(request),
                .source = std::move(fetched->source),
                .download = std::move(download),
                .landed = FreedBy(dependencies_.worker, std::move(fetched->landed))});
    RunOn(
        dependencies_.worker, [path = located->source.path] { return IsPushed(path); },
        alive_.Only([this, asker, located](bool pushed) {
          located->pushed = pushed;
          MakeIncoming(asker, std::move(*located));
        }));
  };
  dependencies_.fetcher->Fetch(
      std::move(job), alive_.Only([asker](std::string_view stage, uint64_t at, uint64_t total) {
        asker->Tell(stage, at, total);
      }),
      alive_.Only(std::move(fetched)));
}

Status Adder::CheckCanAdd(const wire::Principal& principal) const {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (dependencies_.worker == nullptr || dependencies_.prepared == nullptr) {
    return Status(StatusCode::kFailedPrecondition, "this daemon has no folder for prepared models");
  }
  TRIMS_RETURN_IF_ERROR(dependencies_.preparer->Ready());
  if (in_flight_ < options_.max_adds) return {};
  return Status(StatusCode::kResourceExhausted,
                std::to_string(in_flight_) + " models are being added already",
                "wait for some of them: trims status");
}

Granularity Adder::GranularityOf(const Requested& request) const {
  return request.granularity.value_or(options_.granularity);
}

bool Adder::SharesBlocks(const Requested& request) const {
  return GranularityOf(request) != Granularity::kModel;
}

void Adder::MakeIncoming(const AskerPtr& asker, Located located) {
  dependencies_.prepared->NewIncoming(
      alive_.Only([this, asker,
                   located = std::move(located)](Result<PreparedStore::Incoming> incoming) mutable {
        if (!incoming.ok()) return Fail(asker, incoming.status());
        Prepare(asker, std::move(located), *std::move(incoming));
      }));
}

void Adder::Prepare(const AskerPtr& asker, Located located, PreparedStore::Incoming incoming) {
  if (const Status status = CheckCanShare(located); !status.ok()) {
    return Abandon(asker, std::move(incoming), status);
  }
  PrepareJob job{.source = located.source,
                 .out_folder = incoming.path(),
                 .wishes = std::move(located.request.wishes),
                 .downloaded = {},
                 .pushed = located.pushed,
                 .landed = located.landed};
  if (located.download) {
    job.downloaded = {.from = located.request.source, .folder = located.download->files()};
  }
  std::vector<PreparedStore::Pin> pins;
  if (SharesBlocks(located.request) && !located.pushed) {
    job.granularity = GranularityOf(located.request);
    job.share_with = ImagesOfNamespace(*dependencies_.catalog, located.request.reference.name);
    pins = PinAll(*job.share_with, dependencies_.prepared);
  }
  auto prepared = [this, asker, located = std::move(located), pins = std::move(pins),
                   incoming = std::move(incoming)](Result<Manifest> manifest) mutable {
    if (!manifest.ok()) return Abandon(asker, std::move(incoming), manifest.status());
    Prepared stage{
        std::move(located.request.reference), *std::move(manifest),      std::move(incoming),
        std::move(located.download),          std::move(located.landed), std::move(pins)};
    turns_->Take(alive_.Only([this, asker, stage = std::move(stage)](Turns::Turn turn) mutable {
      Publish(asker, std::move(stage), std::move(turn));
    }));
  };
  dependencies_.preparer->Prepare(
      std::move(job), alive_.Only([asker](std::string_view stage, uint64_t at, uint64_t total) {
        asker->Tell(stage, at, total);
      }),
      alive_.Only(std::move(prepared)));
}

void Adder::Publish(const AskerPtr& asker, Prepared prepared, Turns::Turn turn) {
  const Result<ChosenVersion> chosen =
      ChooseVersion(*dependencies_.catalog, prepared.reference, prepared.manifest);
  if (!chosen.ok()) return Abandon(asker, std::move(prepared.incoming), chosen.status());
  Published stage{.name = std::move(prepared.reference.name),
                  .version = chosen->version,
                  .prepared = {},
                  .kept = {},
                  .old_notes = {},
                  .download = std::move(prepared.download),
                  .landed = std::move(prepared.landed),
                  .borrowed_from = std::move(prepared.borrowed_from)};
  if (chosen->joined != nullptr) {
    stage.kept = ImagesToKeep(chosen->joined->images, prepared.manifest);
    stage.old_notes = chosen->joined->manifest.notes;
  }
  asker->Tell("sync", 0, 0);
  dependencies_.prepared->Publish(
      std::move(prepared.incoming), std::move(prepared.manifest),
      alive_.Only([this, asker, stage = std::move(stage),
                   turn = std::move(turn)](Result<PreparedStore::Published> published) mutable {
        if (!published.ok()) return Fail(asker, published.status());
        stage.prepared = *std::move(published);
        PutInCatalog(asker, std::move(stage), std::move(turn));
      }));
}

void Adder::PutInCatalog(const AskerPtr& asker, Published published, Turns::Turn turn) {
  std::vector<PreparedStore::Pin> pins = std::move(published.prepared.pins);
  std::ranges::move(published.borrowed_from, std::back_inserter(pins));
  std::optional<PreparedStore::Download> download = std::exchange(published.download, std::nullopt);
  auto merged = [this, asker, pins = std::move(pins), download = std::move(download),
                 landed = std::exchange(published.landed, nullptr),
                 turn = std::move(turn)](CatalogEntry entry) mutable {
    const ModelReference reference{.name = entry.name, .version = entry.version, .digest = {}};
    dependencies_.catalog->Put(
        std::move(entry), alive_.Only([this, asker, reference, pins = std::move(pins),
                                       download = std::move(download), landed = std::move(landed),
                                       turn = std::move(turn)](const Status& status) mutable {
          // Written perhaps, and not synced: a catalog that has the model must find its files.
          if (status.code() == StatusCode::kDataLoss) {
            for (PreparedStore::Pin& pin : pins) pin.Leave();
          }
          if (!status.ok()) return Abandon(asker, std::move(pins), status);
          dependencies_
              .catalog_changed();  // which keeps the folders that the pins have kept so far
          pins.clear();
          if (download) download->Discard();
          landed == nullptr ? Added(asker, reference) : Adopt(asker, reference, std::move(landed));
        }));
  };
  RunOn(
      dependencies_.worker,
      [published = std::move(published)]() mutable { return EntryOf(std::move(published)); },
      alive_.Only(std::move(merged)));
}

// The model is there whatever comes of this: without it, the first open reads the disk.
void Adder::Adopt(const AskerPtr& asker, const ModelReference& reference,
                  std::shared_ptr<Landed> landed) {
  const Result<const CatalogEntry*> entry = dependencies_.catalog->Find(reference);
  const ImagePtr image = entry.ok() ? ImageOf(**entry, *landed) : nullptr;
  if (image == nullptr) return Added(asker, reference);
  RunOn(
      dependencies_.worker,
      [image, root = dependencies_.prepared->root(), landed] {
        return TakeLanded(*image, root, landed.get());
      },
      alive_.Only([this, asker, reference, image, landed](Result<ResidentBytes> bytes) {
        if (bytes.ok()) {
          dependencies_.landing->Adopt(image, std::move(*landed->room), *std::move(bytes));
        } else {
          LogWarning("model.not_adopted", {{"model", asker->model}, {"error", bytes.status()}});
        }
        Added(asker, reference);
      }));
}

void Adder::Added(const AskerPtr& asker, const ModelReference& reference) {
  --in_flight_;
  ++counters_->adds;
  const Result<const CatalogEntry*> entry = dependencies_.catalog->Find(reference);
  if (!entry.ok()) return asker->done(entry.status());
  LogInfo("model.added", {{"model", ReferenceOf(**entry)},
                          {"digest", (*entry)->manifest.digest},
                          {"source", (*entry)->manifest.source}});
  dependencies_.Tell({.kind = EventKind::kModelAdded,
                      .model = ReferenceOf(**entry),
                      .bytes = (*entry)->manifest.SourceBytes()});
  asker->done(entry);
}

template <typename Made>
void Adder::Abandon(const AskerPtr& asker, Made made, const Status& why) {
  { const Made dropped = std::move(made); }
  // The store removes on the same worker, in order.
  dependencies_.worker->Run([] {}, alive_.Only([this, asker, why] { Fail(asker, why); }));
}

void Adder::Fail(const AskerPtr& asker, const Status& why) {
  --in_flight_;
  ++counters_->add_failures;
  LogWarning("model.add_failed",
             {{"model", asker->model}, {"source", asker->source}, {"error", why}});
  dependencies_.Tell({.kind = EventKind::kModelAddFailed, .model = asker->model, .error = why});
  asker->done(asker->InFull(why));
}

}  // namespace trims

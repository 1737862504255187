#include "manager/controller.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/bytes_text.h"
#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"
#include "manager/take_snapshot.h"

namespace trims {
namespace {

constexpr size_t kHoldersNamed = 3;

PinnedVariant PinOf(const CatalogEntry& entry, const Image& image, const SegmentTable& tier) {
  return {.name = entry.name,
          .version = entry.version,
          .kind = image.kind,
          .tier = std::string(tier.tier_name())};
}

// What it borrows and others use stays with them.
void EvictParts(const ImagePtr& image, SegmentTable* tier) {
  const ImagePtr form = tier->FormOf(image);
  const std::span<const ImagePtr> parts = PartsOf(form);
  const std::string& own = PartsOf(image).front()->key;
  const bool later = !tier->CheckMayEvict(parts.front()->key).ok();
  tier->EvictWhenIdle(parts.front()->key);
  for (const ImagePtr& part : parts.subspan(1)) {
    const bool is_own = part->from != nullptr && part->from->key == own;
    if ((later && is_own) || tier->CheckMayEvict(part->key).ok()) tier->EvictWhenIdle(part->key);
  }
}

std::string Named(const std::vector<LeaseHolder>& holders) {
  std::string text;
  for (size_t i = 0; i < std::min(holders.size(), kHoldersNamed); ++i) {
    const LeaseHolder& holder = holders[i];
    text += (text.empty() ? "" : ", ") + (holder.client.empty() ? "a client" : holder.client);
    if (holder.from_before) continue;
    text += " (pid " + std::to_string(holder.pid) + ", uid " + std::to_string(holder.uid) + ")";
  }
  if (holders.size() > kHoldersNamed) {
    text += " and " + std::to_string(holders.size() - kHoldersNamed) + " more";
  }
  return text;
}

}  // namespace

// Of the entry only what holds when the catalog changes.
struct Controller::Meant {
  SegmentTable* tier = nullptr;
  std::string reference;
  std::vector<ImagePtr> images;
  std::vector<PinnedVariant> pins;  // of the images, in their order
  bool named = false;               // the variants were

  ControlledModel Outcome() const {
    ControlledModel model{
        .reference = reference, .tier = std::string(tier->tier_name()), .variants = {}};
    for (const ImagePtr& image : images) model.variants.push_back(ControlledOf(image, *tier));
    return model;
  }
  // Whether that tier keeps them when nobody holds them.
  bool Kept(const SegmentTable& where) const {
    return std::all_of(images.begin(), images.end(), [&](const ImagePtr& image) {
      const std::span<const ImagePtr> parts = PartsOf(where.FormOf(image));
      return std::all_of(parts.begin(), parts.end(),
                         [&](const ImagePtr& part) { return where.Keeps(*part); });
    });
  }
  // Only those images that are wanted.
  template <typename Wanted>
  void Keep(Wanted wanted) {
    Meant kept{.tier = tier, .reference = reference, .images = {}, .pins = {}, .named = named};
    for (size_t i = 0; i < images.size(); ++i) {
      if (!wanted(images[i], pins[i])) continue;
      kept.images.push_back(images[i]);
      kept.pins.push_back(pins[i]);
    }
    *this = std::move(kept);
  }
  void KeepUsual() {
    if (named) return;
    const ImagePtr usual = UsualVariant(images);
    Keep([&](const ImagePtr& image, const PinnedVariant&) { return image == usual; });
  }
};

// All images, where no kinds are named.
Result<Controller::Meant> Controller::Find(const ControlWishes& wishes) const {
  TRIMS_ASSIGN_OR_RETURN(SegmentTable* const tier, FindTier(wishes.tier, *tiers_));
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(wishes.reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, catalog_->Find(parsed));
  Meant meant{.tier = tier,
              .reference = ReferenceOf(*entry),
              .images = {},
              .pins = {},
              .named = !wishes.variants.empty()};
  TRIMS_ASSIGN_OR_RETURN(meant.images, ImagesOf(*catalog_, *entry, wishes.variants));
  for (const ImagePtr& image : meant.images) meant.pins.push_back(PinOf(*entry, *image, *tier));
  if (meant.images.empty()) {
    return Status(StatusCode::kNotFound, "model '" + meant.reference + "' has no variants",
                  "trims ls shows what there is");
  }
  return meant;
}

void Controller::Preload(const std::string& reference) {
  Result<Meant> meant = Find({.reference = reference});
  if (!meant.ok()) {
    return LogNotBrought("preload", reference, meant.status());
  }
  Bring("preload", meant->tier, UsualVariant(meant->images));
}

void Controller::Bring(const std::string& why, SegmentTable* tier, const ImagePtr& image) {
  bringer_.Bring(tier, {image}, {}, [why, image](const Result<std::vector<Lease>>& leases) {
    if (!leases.ok()) LogNotBrought(why, image->reference, leases.status());
  });
}

Status Controller::CheckPinsFit(const Meant& meant) const {
  std::set<PinnedVariant> being_written;
  for (const auto& [id, pinning] : pinning_) {
    being_written.insert(pinning.pins.begin(), pinning.pins.end());
  }
  return pinned_->CheckFits(
      {.tier = meant.tier, .reference = meant.reference, .images = meant.images}, being_written);
}

void Controller::Pin(const wire::Principal& principal, const ControlWishes& wishes,
                     Preparer::Progress progress, ControlCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<Meant> meant = Find(wishes);
  if (!meant.ok()) return done(meant.status());
  meant->KeepUsual();
  if (const Status status = CheckPinsFit(*meant); !status.ok()) return done(status);
  bringer_.Bring(meant->tier, meant->images, std::move(progress),
                 [this, meant = *meant, done](Result<std::vector<Lease>> leases) {
                   if (!leases.ok()) return done(leases.status());
                   PinBrought(meant, *std::move(leases), done);
                 });
}

// The leases keep it there until the pins do. They are this object's: the catalog may outlive the tiers.
void Controller::PinBrought(const Meant& meant, std::vector<Lease> leases, ControlCallback done) {
  // Others may have been pinned while it came.
  if (const Status status = CheckPinsFit(meant); !status.ok()) return done(status);
  const uint64_t id = ++last_pinning_;
  pinning_.emplace(id, Pinning{.pins = meant.pins, .leases = std::move(leases)});
  catalog_->Pin(meant.pins,
                alive_.Only([this, meant, id, done = std::move(done)](const Status& status) {
                  if (status.ok()) {
                    pinned_->Apply();
                    TellPinned(true, meant.reference, meant.tier->tier_name());
                  }
                  pinning_.erase(id);
                  if (status.ok())
                    pinned_->Load();  // its content may have become another meanwhile
                  if (!status.ok()) return done(status);
                  done(meant.Outcome());
                }));
}

void Controller::TellPinned(bool pinned, const std::string& model, std::string_view tier) const {
  LogInfo(pinned ? "model.pinned" : "model.unpinned", {{"model", model}, {"tier", tier}});
  events_->Record({.kind = pinned ? EventKind::kModelPinned : EventKind::kModelUnpinned,
                   .model = model,
                   .tier = tier});
}

// As the catalog says: of a variant that is there no more there is no image.
std::vector<PinnedVariant> Controller::PinsOf(const std::string& reference, std::string_view tier,
                                              const std::vector<Variant>& kinds) const {
  std::vector<PinnedVariant> pins;
  for (const PinnedVariant& pin : catalog_->Pins()) {
    if (pin.name + ":" + pin.version != reference || pin.tier != tier) continue;
    const bool named = std::find(kinds.begin(), kinds.end(), pin.kind) != kinds.end();
    if (kinds.empty() || named) pins.push_back(pin);
  }
  return pins;
}

void Controller::Unpin(const wire::Principal& principal, const ControlWishes& wishes,
                       ControlCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  // A kind that the model has no more may be pinned still.
  ControlWishes of_all = wishes;
  of_all.variants.clear();
  Result<Meant> meant = Find(of_all);
  if (!meant.ok()) return UnpinInAbsentTier(wishes, meant.status(), std::move(done));
  const std::set<Variant> kinds(wishes.variants.begin(), wishes.variants.end());
  meant->Keep([&](const ImagePtr& image, const PinnedVariant& pin) {
    return catalog_->Pins().contains(pin) && (kinds.empty() || kinds.contains(image->kind));
  });
  std::vector<PinnedVariant> pins =
      PinsOf(meant->reference, meant->tier->tier_name(), wishes.variants);
  if (pins.empty()) return done(meant->Outcome());
  catalog_->Unpin(std::move(pins), alive_.Only([this, meant = *meant, done](const Status& status) {
    if (!status.ok()) return done(status);
    pinned_->Apply();
    TellPinned(false, meant.reference, meant.tier->tier_name());
    done(meant.Outcome());
  }));
}

// A daemon that was started without a device still knows what is pinned there.
void Controller::UnpinInAbsentTier(const ControlWishes& wishes, const Status& why_none,
                                   ControlCallback done) {
  const Result<ModelReference> parsed = ParseModelReference(wishes.reference);
  if (!parsed.ok() || FindTier(wishes.tier, *tiers_).ok()) return done(why_none);
  const Result<const CatalogEntry*> entry = catalog_->Find(*parsed);
  if (!entry.ok()) return done(entry.status());
  ControlledModel model{.reference = ReferenceOf(**entry), .tier = wishes.tier, .variants = {}};
  std::vector<PinnedVariant> pins = PinsOf(model.reference, wishes.tier, wishes.variants);
  if (pins.empty()) return done(why_none);
  catalog_->Unpin(std::move(pins), alive_.Only([this, model = std::move(model),
                                                done = std::move(done)](const Status& status) {
    if (!status.ok()) return done(status);
    TellPinned(false, model.reference, model.tier);
    done(model);
  }));
}

void Controller::Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                          Preparer::Progress progress, ControlCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<Meant> meant = Find(wishes);
  if (!meant.ok()) return done(meant.status());
  meant->KeepUsual();
  if (!meant->Kept(*meant->tier)) {
    return done(Status(StatusCode::kFailedPrecondition,
                       "tier '" + std::string(meant->tier->tier_name()) +
                           "' keeps nothing that nobody has open, so that it would go at once",
                       "trims pin " + meant->reference + ", or trims keep-alive " +
                           meant->pins.front().name + " 10m"));
  }
  // Whoever does not wait is told what is known at once; later the log is.
  const auto at_once = std::make_shared<std::optional<Status>>();
  if (!wishes.wait) progress = nullptr;  // what has been answered is told nothing more
  bringer_.Bring(
      meant->tier, meant->images, std::move(progress),
      [meant = *meant, wait = wishes.wait, at_once, done](Result<std::vector<Lease>> leases) {
        *at_once = leases.status();
        if (!leases.ok()) LogNotBrought("prefetch", meant.reference, leases.status());
        if (!wait) return;
        if (!leases.ok()) return done(leases.status());
        leases->clear();  // it stays as long as the policy keeps it
        done(meant.Outcome());
      });
  if (wishes.wait) return;
  if (const Status status = at_once->value_or(Status()); !status.ok()) return done(status);
  done(meant->Outcome());
}

Result<Controller::Meant> Controller::FindThere(const wire::Principal& principal,
                                                const ControlWishes& wishes) const {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  TRIMS_ASSIGN_OR_RETURN(Meant meant, Find(wishes));
  if (!meant.named) {
    meant.Keep([&](const ImagePtr& image, const PinnedVariant&) {
      // What others took along may be gone, and what is its own still be there.
      const ImagePtr& form = meant.tier->FormOf(image);
      return ControlledOf(image, *meant.tier).state != SegmentState::kAbsent ||
             meant.tier->FindByKey(PartsOf(form).front()->key) != nullptr;
    });
  }
  TRIMS_RETURN_IF_ERROR(CheckMayEvict(meant, wishes));
  return meant;
}

Result<ControlledModel> Controller::Evict(const Meant& meant) const {
  for (const ImagePtr& image : meant.images) EvictParts(image, meant.tier);
  if (meant.images.empty()) return meant.Outcome();
  LogInfo("model.evicted", {{"model", meant.reference}, {"tier", meant.tier->tier_name()}});
  return meant.Outcome();
}

Result<ControlledModel> Controller::Evict(const wire::Principal& principal,
                                          const ControlWishes& wishes) {
  TRIMS_ASSIGN_OR_RETURN(const Meant meant, FindThere(principal, wishes));
  return Evict(meant);
}

// It may have been opened while it came into the tier beneath.
void Controller::Demote(const wire::Principal& principal, const ControlWishes& wishes,
                        Preparer::Progress progress, ControlCallback done) {
  Result<Meant> found = FindThere(principal, wishes);
  if (!found.ok()) return done(found.status());
  SegmentTable* const host = tiers_->front().get();
  const bool passes = found->tier != host && found->Kept(*host);
  if (!passes || found->images.empty()) return done(Evict(*found));
  bringer_.Bring(host, found->images, std::move(progress),
                 [this, meant = *found, wishes, done](const Result<std::vector<Lease>>& leases) {
                   Status status = leases.status();
                   if (status.ok()) status = CheckMayEvict(meant, wishes);
                   if (!status.ok()) return done(status);
                   done(Evict(meant));
                 });
}

Status Controller::CheckMayEvict(const Meant& meant, const ControlWishes& wishes) const {
  for (const ImagePtr& image : meant.images) {
    const std::string& key = PartsOf(meant.tier->FormOf(image)).front()->key;
    const Status status = meant.tier->CheckMayEvict(key);
    if (status.ok()) continue;
    if (wishes.when_idle && !ControlledOf(image, *meant.tier).pinned) continue;
    if (!wishes.holders) return status;
    const std::string who = Named(wishes.holders(meant.tier->tier_name(), key));
    if (who.empty()) return status;
    return Status(status.code(), status.message() + ", held by " + who, status.hint());
  }
  return {};
}

}  // namespace trims

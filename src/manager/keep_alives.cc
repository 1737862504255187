#include "manager/keep_alives.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/duration_text.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/shown_name.h"
#include "catalog/model_reference.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"

namespace trims {
namespace {

constexpr std::string_view kForever = "forever";
constexpr std::string_view kDefault = "default";

// None: as the policies have it.
Result<std::optional<Reclaim>> ParseKeepAlive(std::string_view text) {
  if (text == kDefault) return std::optional<Reclaim>();
  if (text == kForever) return std::optional(Reclaim::kLazy);
  const Result<std::chrono::milliseconds> after = ParseDuration(text);
  if (after.ok() && text != "off") return std::optional(Reclaim{.after = *after});
  return Status(StatusCode::kInvalidArgument,
                "'" + ShownName(text) +
                    "' is no time to keep a model: expected a number with ms, s, m, h or "
                    "d, at most a year (10m), 0, forever or default",
                "say how long it stays when nobody has it open");
}

// What has segments of it, or will have, in whatever tier.
std::vector<ImagePtr> PartsInAnyOf(const Tiers& tiers, const ImagePtr& image) {
  std::vector<ImagePtr> all;
  const auto add = [&all](const ImagePtr& form) {
    const std::span<const ImagePtr> parts = PartsOf(form);
    all.insert(all.end(), parts.begin(), parts.end());
  };
  add(image);
  for (const auto& tier : tiers) {
    const ImagePtr& now = tier->FormNow(image);
    const ImagePtr& here = tier->FormOf(image);
    if (now != image) add(now);
    if (here != now) add(here);
  }
  return all;
}

}  // namespace

Result<std::string> KeepAlives::NameOf(const std::string& reference, std::string_view text) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* const entry, catalog_->Find(parsed));
  if (parsed.version.empty() && parsed.digest.empty()) return entry->name;
  return Status(StatusCode::kInvalidArgument,
                "'" + reference + "' names a version, but all versions of a model are kept alike",
                "trims keep-alive " + entry->name + (text.empty() ? "" : " " + std::string(text)));
}

void KeepAlives::Set(const wire::Principal& principal, const std::string& reference,
                     std::string_view text, KeptAliveCallback done) {
  if (const Status status = text.empty() ? Status() : CheckOperator(principal); !status.ok()) {
    return done(status);
  }
  const Result<std::optional<Reclaim>> kept = ParseKeepAlive(text.empty() ? kDefault : text);
  if (!kept.ok()) return done(kept.status());
  const Result<std::string> name = NameOf(reference, text);
  if (!name.ok()) return done(name.status());
  if (text.empty()) return done(KeptAlive{.name = *name, .kept = Of(*name)});
  std::function<void(Status)> told = Told({.name = *name, .kept = *kept}, std::move(done));
  if (!*kept) return catalog_->ClearKeepAlive(*name, std::move(told));
  catalog_->SetKeepAlive(*name, (*kept)->after, std::move(told));
}

std::function<void(Status)> KeepAlives::Told(KeptAlive kept, KeptAliveCallback done) {
  return alive_.Only([this, kept = std::move(kept), done = std::move(done)](const Status& status) {
    if (!status.ok()) return done(status);
    const std::string text = kept.kept ? KeepAliveText(*kept.kept) : std::string(kDefault);
    LogInfo("model.keep_alive", {{"model", kept.name}, {"keep_alive", text}});
    events_->Record({.kind = EventKind::kModelKeepAlive, .model = kept.name, .other = text});
    Apply();
    done(kept);
  });
}

std::optional<Reclaim> KeepAlives::Of(const std::string& name) const {
  const auto found = catalog_->KeepAlives().find(name);
  if (found == catalog_->KeepAlives().end()) return std::nullopt;
  return Reclaim{.after = found->second};
}

void KeepAlives::Apply() {
  std::map<std::string, OwnReclaim> by_key;
  if (!catalog_->KeepAlives().empty()) by_key = OfContents();
  for (const auto& tier : *tiers_) tier->SetKeepAlive(by_key);
}

std::map<std::string, OwnReclaim> KeepAlives::OfContents() const {
  std::map<std::string, OwnReclaim> by_key;
  std::vector<ImagePtr> others;  // of names of which nothing is said
  for (const CatalogEntry* entry : catalog_->All()) {
    const std::optional<Reclaim> kept = Of(entry->name);
    if (!kept) {
      others.insert(others.end(), entry->images.begin(), entry->images.end());
      continue;
    }
    for (const ImagePtr& image : entry->images) {
      for (const ImagePtr& part : PartsInAnyOf(*tiers_, image)) {
        const auto [place, first] = by_key.emplace(part->key, OwnReclaim{.reclaim = *kept});
        if (!first) place->second.reclaim = Longer(place->second.reclaim, *kept);
      }
    }
  }
  for (const ImagePtr& image : others) AddPolicyOf(image, &by_key);
  return by_key;
}

// What shares nothing with those of which something is said isn't looked at in each tier.
void KeepAlives::AddPolicyOf(const ImagePtr& image,
                             std::map<std::string, OwnReclaim>* by_key) const {
  const auto is_said_of = [by_key](const ImagePtr& part) { return by_key->contains(part->key); };
  if (std::ranges::none_of(PartsOf(image), is_said_of)) return;
  for (const ImagePtr& part : PartsInAnyOf(*tiers_, image)) {
    const auto said = by_key->find(part->key);
    if (said != by_key->end()) said->second.or_by_policy = true;
  }
}

}  // namespace trims

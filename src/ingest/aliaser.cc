#include "ingest/aliaser.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"

namespace trims {
namespace {

Status CheckIsNoModel(const Catalog& catalog, const AliasName& name) {
  for (const CatalogEntry* entry : catalog.All()) {
    if (entry->name != name.name) continue;
    if (!name.label.empty() && entry->version != name.label) continue;
    return Status(StatusCode::kAlreadyExists,
                  "'" + name.ToString() + "' is a model of its own, so it can't be an alias",
                  "give the alias another name, like " + name.name + ":prod");
  }
  return {};
}

// The version that a target was must still be there, with the content that it had.
Status CheckIsThere(const Catalog& catalog, const AliasName& name, const AliasTarget& target) {
  for (const CatalogEntry* entry : catalog.All()) {
    const bool meant = entry->name == target.name && entry->version == target.version;
    if (meant && entry->manifest.digest == target.digest) return {};
  }
  return Status(
      StatusCode::kFailedPrecondition,
      "alias '" + name.ToString() + "' meant " + target.ToString() + " (sha256:" + target.digest +
          ") before, which is no longer there",
      "add it again, or move the alias on: trims alias " + name.ToString() + "=REFERENCE");
}

}  // namespace

Status CheckIsNoAlias(const Catalog& catalog, const std::string& name, const std::string& version) {
  const Alias* alias = catalog.Aliases().Find({name, ""});
  if (alias == nullptr && !version.empty()) alias = catalog.Aliases().Find({name, version});
  if (alias == nullptr) return {};
  return Status(StatusCode::kAlreadyExists,
                "'" + alias->name.ToString() + "' is an alias of " + alias->target().ToString(),
                "give another name, or first: trims alias --delete " + alias->name.ToString());
}

void Aliaser::InTurn(const wire::Principal& principal, const std::string& alias, AliasCallback done,
                     Change change) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<AliasName> name = ParseAliasName(alias);
  if (!name.ok()) return done(name.status());
  ++in_flight_;
  turns_->Take(alive_.Only([this, name = *std::move(name), change = std::move(change),
                            done = std::move(done)](Turns::Turn turn) mutable {
    auto kept = std::make_shared<std::optional<Turns::Turn>>(std::move(turn));
    change(name, [this, kept, done = std::move(done)](Result<Alias> changed) mutable {
      --in_flight_;
      kept->reset();
      done(std::move(changed));
    });
  }));
}

void Aliaser::Set(const wire::Principal& principal, const std::string& alias,
                  const std::string& reference, AliasCallback done) {
  InTurn(principal, alias, std::move(done),
         [this, reference](const AliasName& name, AliasCallback answer) {
           Result<Alias> moved = Moved(name, reference);
           if (!moved.ok()) return answer(moved.status());
           // Asked for twice is as good as once.
           const Alias* now = dependencies_.catalog->Aliases().Find(name);
           if (now != nullptr && now->target().SameModel(moved->target())) return answer(*now);
           Put(*std::move(moved), std::move(answer));
         });
}

void Aliaser::Rollback(const wire::Principal& principal, const std::string& alias,
                       AliasCallback done) {
  InTurn(principal, alias, std::move(done), [this](const AliasName& name, AliasCallback answer) {
    Result<Alias> back = MovedBack(name);
    if (!back.ok()) return answer(back.status());
    Put(*std::move(back), std::move(answer));
  });
}

void Aliaser::Delete(const wire::Principal& principal, const std::string& alias,
                     AliasCallback done) {
  InTurn(principal, alias, std::move(done), [this](const AliasName& name, AliasCallback answer) {
    const Result<const Alias*> existing = dependencies_.catalog->Aliases().Existing(name);
    if (!existing.ok()) return answer(existing.status());
    const Alias was = **existing;
    dependencies_.catalog->EraseAlias(name, alive_.Only([this, was, answer](const Status& status) {
      if (!status.ok()) return answer(status);
      LogInfo("alias.deleted",
              {{"alias", was.name.ToString()}, {"meant", was.target().ToString()}});
      dependencies_.Tell({.kind = EventKind::kAliasDeleted,
                          .other = was.target().ToString(),
                          .alias = was.name.ToString()});
      answer(was);
    }));
  });
}

Result<Alias> Aliaser::Moved(const AliasName& name, const std::string& reference) const {
  const Catalog& catalog = *dependencies_.catalog;
  TRIMS_RETURN_IF_ERROR(CheckIsNoModel(catalog, name));
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, catalog.Find(parsed));
  const Alias* before = catalog.Aliases().Find(name);
  return MovedTo(before == nullptr ? Alias{.name = name, .targets = {}} : *before,
                 {.name = entry->name,
                  .version = entry->version,
                  .digest = entry->manifest.digest,
                  .moved_unix_seconds = UnixSecondsNow()});
}

Result<Alias> Aliaser::MovedBack(const AliasName& name) const {
  TRIMS_ASSIGN_OR_RETURN(const Alias* now, dependencies_.catalog->Aliases().Existing(name));
  if (now->targets.size() < 2) {
    return Status(StatusCode::kFailedPrecondition,
                  "alias '" + name.ToString() + "' means " + now->target().ToString() +
                      ", and there is nothing before that to go back to",
                  "trims alias " + name.ToString() + "=REFERENCE moves it");
  }
  Alias back = *now;
  back.targets.erase(back.targets.begin());
  TRIMS_RETURN_IF_ERROR(CheckIsThere(*dependencies_.catalog, name, back.target()));
  back.targets.front().moved_unix_seconds = UnixSecondsNow();
  return back;
}

void Aliaser::Put(Alias alias, AliasCallback done) {
  const Alias* now = dependencies_.catalog->Aliases().Find(alias.name);
  const std::string before = now == nullptr ? "" : now->target().ToString();
  auto written = [this, alias, before, done](const Status& status) {
    if (!status.ok()) return done(status);
    LogInfo("alias.moved",
            {{"alias", alias.name.ToString()}, {"means", alias.target().ToString()}});
    dependencies_.Tell({.kind = EventKind::kAliasMoved,
                        .model = alias.target().ToString(),
                        .other = before,
                        .alias = alias.name.ToString()});
    done(alias);
  };
  dependencies_.catalog->PutAlias(alias, alive_.Only(std::move(written)));
}

}  // namespace trims

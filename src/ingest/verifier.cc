#include "ingest/verifier.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"
#include "load/pacer.h"
#include "load/tier.h"
#include "load/verify_image.h"
#include "loop/run_on.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

constexpr std::chrono::milliseconds kTellEvery{200};

void LogDamage(const Image& image, const Status& damage) {
  LogWarning("model.damaged",
             {{"model", image.reference}, {"variant", VariantName(image.kind)}, {"error", damage}});
}

}  // namespace

std::string_view VerifiedStateName(VerifiedState state) {
  switch (state) {
    case VerifiedState::kIntact:
      return "intact";
    case VerifiedState::kMended:
      return "mended";
    case VerifiedState::kDamaged:
      return "damaged";
    case VerifiedState::kUnread:
      return "unread";
    case VerifiedState::kElsewhere:
      return "elsewhere";
  }
  return "unread";
}

struct Verifier::Run {
  Run(wire::Principal who, const VerifyWishes& wishes)
      : principal(who), pacer(wishes.bytes_per_second) {}

  wire::Principal principal;
  Preparer::Progress progress;
  VerifyCallback done;
  std::deque<ImagePtr> left;
  std::vector<VerifiedVariant> verified;
  uint64_t bytes_done = 0;  // of images that have been read to their end
  uint64_t bytes = 0;
  uint64_t reading = 0;        // of the image that is being read; 0 where it was counted before
  uint64_t control_began = 0;  // where the control was when that began
  FillControl control;
  Pacer pacer;
  uint64_t timer = 0;

  uint64_t BytesDone() const {
    return bytes_done + std::min(reading, control.bytes_done() - control_began);
  }
  void Tell() const {
    if (progress) progress("verify", BytesDone(), bytes);
  }
};

Verifier::Verifier(const IngestDependencies& dependencies, Adder* adder)
    : dependencies_(dependencies), adder_(adder) {}

Verifier::~Verifier() {
  if (run_ == nullptr) return;
  if (dependencies_.timers != nullptr) dependencies_.timers->Cancel(run_->timer);
  run_->control.Cancel();
  run_->pacer.Stop();
}

void Verifier::Verify(const wire::Principal& principal, const VerifyWishes& wishes,
                      Preparer::Progress progress, VerifyCallback done) {
  if (const Status status = CheckCanVerify(principal); !status.ok()) return done(status);
  Result<std::deque<ImagePtr>> targets = Targets(wishes.reference);
  if (!targets.ok()) return done(targets.status());
  run_ = std::make_shared<Run>(principal, wishes);
  run_->progress = std::move(progress);
  run_->done = std::move(done);
  run_->left = *std::move(targets);
  for (const ImagePtr& image : run_->left) run_->bytes += image->variant.ExtentBytes();
  VerifyNext();
}

Status Verifier::CheckCanVerify(const wire::Principal& principal) const {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (dependencies_.verifying == nullptr || dependencies_.prepared == nullptr) {
    return Status(StatusCode::kFailedPrecondition, "this daemon has no folder for prepared models");
  }
  if (run_ == nullptr) return {};
  return Status(StatusCode::kResourceExhausted, "models are being verified already",
                "wait until that has ended");
}

// Equal content lies in one place, whatever its names.
Result<std::deque<ImagePtr>> Verifier::Targets(const std::string& reference) const {
  std::vector<const CatalogEntry*> entries;
  if (reference.empty()) {
    entries = dependencies_.catalog->All();
  } else {
    TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
    TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, dependencies_.catalog->Find(parsed));
    entries.push_back(entry);
  }
  std::deque<ImagePtr> targets;
  std::set<std::pair<std::string, std::string>> places;
  for (const CatalogEntry* entry : entries) {
    for (const ImagePtr& image : entry->images) {
      for (const ImagePtr& part : PartsOf(image)) {
        const ImagePtr target = OwnerOf(part);
        if (places.emplace(target->variant.folder, target->source).second)
          targets.push_back(target);
      }
    }
  }
  return targets;
}

// Of what is borrowed the model that has it itself, if that is still there: it is mended by that.
ImagePtr Verifier::OwnerOf(const ImagePtr& part) const {
  const Result<ModelReference> reference = ParseModelReference(part->reference);
  if (reference.ok() && BorrowerOf(*part) == nullptr) return part;
  for (const CatalogEntry* entry : dependencies_.catalog->All()) {
    for (const ImagePtr& image : entry->images) {
      if (PartsOf(image).front()->key == part->key) return PartsOf(image).front();
    }
  }
  return part;
}

// The image, of the model that `part` says, that borrows it; nullptr: none does.
ImagePtr Verifier::BorrowerOf(const Image& part) const {
  const Result<ModelReference> reference = ParseModelReference(part.reference);
  if (!reference.ok()) return nullptr;
  const Result<const CatalogEntry*> entry = dependencies_.catalog->Find(*reference);
  if (!entry.ok()) return nullptr;
  for (const ImagePtr& image : (*entry)->images) {
    for (const ImagePtr& borrowed : PartsOf(image).subspan(1)) {
      if (borrowed->key == part.key) return image;
    }
  }
  return nullptr;
}

ImagePtr Verifier::Current(const Image& image) const {
  const Result<ModelReference> reference = ParseModelReference(image.reference);
  if (!reference.ok()) return nullptr;
  const Result<const CatalogEntry*> entry = dependencies_.catalog->Find(*reference);
  if (!entry.ok()) return nullptr;
  ImagePtr found;
  for (const ImagePtr& current : (*entry)->images) {
    for (const ImagePtr& part : PartsOf(current)) {
      if (part->key == image.key) return part;
    }
    if (current->kind == image.kind && current->variant_key == image.variant_key)
      found = PartsOf(current).front();
  }
  return found;
}

void Verifier::VerifyNext() {
  run_->Tell();
  while (!run_->left.empty()) {
    const ImagePtr image = Current(*run_->left.front());
    run_->left.pop_front();
    if (image == nullptr) continue;  // removed meanwhile
    run_->reading = image->variant.ExtentBytes();
    return Read(image, [this, image](const Status& status) { HasRead(image, status); });
  }
  const std::shared_ptr<Run> run = std::exchange(run_, nullptr);
  run->done(std::move(run->verified));
}

// The pin keeps the files there.
void Verifier::Read(const ImagePtr& image, std::function<void(Status)> done) {
  auto pin = dependencies_.prepared->PinFolder(image->variant.folder);
  run_->control_began = run_->control.bytes_done();
  TellWhileItReads();
  RunOn(
      dependencies_.verifying,
      [image, run = run_, root = dependencies_.prepared->root()] {
        return VerifyImage(*image, root, &run->control, &run->pacer);
      },
      alive_.Only(
          [this, done = std::move(done), pin = std::move(pin)](const Status& status) mutable {
            if (dependencies_.timers != nullptr) dependencies_.timers->Cancel(run_->timer);
            pin = {};
            done(status);
          }));
}

// Nobody asks for it: nothing to wake up for.
void Verifier::TellWhileItReads() {
  if (dependencies_.timers == nullptr || !run_->progress) return;
  run_->timer = dependencies_.timers->CallAfter(kTellEvery, [this] {
    run_->Tell();
    TellWhileItReads();
  });
}

void Verifier::HasRead(const ImagePtr& image, const Status& status) {
  run_->bytes_done += std::exchange(run_->reading, 0);
  if (TellsOfDamage(status) && image->variant.remote) return Discard(image, status);
  if (TellsOfDamage(status)) return Mend(image, status);
  Note(*image, status.ok() ? VerifiedState::kIntact : VerifiedState::kUnread, status);
  VerifyNext();
}

void Verifier::Mend(const ImagePtr& image, const Status& damage) {
  LogDamage(*image, damage);
  // Nobody can make what is borrowed again but the model that had it: who borrows it gets all of its own.
  const ImagePtr borrower = BorrowerOf(*image);
  const Image& again = borrower == nullptr ? *image : *borrower;
  const Granularity granularity =
      borrower == nullptr ? image->variant.granularity : Granularity::kModel;
  const PrepareWishes wishes{.variants = {again.kind},
                             .precision = again.variant.precision,
                             .onnxruntime_extensions = {},
                             .granularity = std::string(GranularityName(granularity))};
  adder_->Add(run_->principal, image->reference, image->source, wishes, run_->progress,
              alive_.Only([this, image, damage](const Result<const CatalogEntry*>& added) {
                if (added.ok()) return HasMended(image, damage);
                const std::string both =
                    damage.message() + "; preparing it again failed: " + added.status().message();
                Note(*image, VerifiedState::kDamaged,
                     Status(damage.code(), both, added.status().hint()));
                VerifyNext();
              }));
}

// What is damaged goes; without it the next open fetches it.
void Verifier::Discard(const ImagePtr& image, const Status& damage) {
  if (damage.code() == StatusCode::kNotFound) {
    const std::string why = "it is not on this disk; the next open fetches it from ";
    Note(*image, VerifiedState::kElsewhere,
         Status(StatusCode::kNotFound, why + image->variant.remote->source));
    return VerifyNext();
  }
  auto room = dependencies_.prepared->TakeRoom(image->variant.folder, 0);  // it is measured then
  if (!room.ok()) return Mend(image, damage);  // it is another model's, too
  LogDamage(*image, damage);
  RunOn(
      dependencies_.verifying,
      [folder = dependencies_.prepared->root() + "/" + image->variant.folder] {
        return prepared::RemoveFiles(folder, "");
      },
      alive_.Only([this, image, damage, room = std::make_shared<decltype(room)>(std::move(room))](
                      const Status& removed) {
        Note(*image, removed.ok() ? VerifiedState::kElsewhere : VerifiedState::kDamaged, damage);
        VerifyNext();
      }));
}

// What the preparer did not make again is what it was.
void Verifier::HasMended(const ImagePtr& image, const Status& damage) {
  const ImagePtr current = Current(*image);
  if (current == nullptr) return VerifyNext();
  Read(current, [this, current, damage](const Status& status) {
    status.ok() ? Note(*current, VerifiedState::kMended, damage)
                : Note(*current, VerifiedState::kDamaged, status);
    VerifyNext();
  });
}

void Verifier::Note(const Image& image, VerifiedState state, const Status& error) {
  run_->verified.push_back({.reference = image.reference,
                            .kind = image.kind,
                            .key = image.variant_key,
                            .bytes = image.variant.ExtentBytes(),
                            .state = state,
                            .error = error});
}

}  // namespace trims

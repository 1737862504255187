#include "manager/taken_over.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "keeper/lent_mark.h"

namespace trims {

TakenOver::~TakenOver() { dependencies_.timers->Cancel(timer_); }

void TakenOver::Begin(const std::vector<ImagePtr>& images, std::function<void()> done) {
  done_ = std::move(done);
  // Of several names of one content, it is that again for which it was loaded, and whose namespace pays.
  std::vector<ImagePtr> handed;
  std::ranges::copy_if(images, std::back_inserter(handed), [this](const ImagePtr& image) {
    return dependencies_.keeper->IsHanded(*image);
  });
  std::ranges::stable_partition(
      handed, [this](const ImagePtr& image) { return dependencies_.keeper->IsHandedFor(*image); });
  std::set<std::string_view> seen;
  for (const ImagePtr& image : handed) {
    if (seen.insert(image->key).second) waiting_.push_back(image);
  }
  std::stable_partition(waiting_.begin(), waiting_.end(), [this](const ImagePtr& image) {
    return dependencies_.keeper->IsHandedAndLent(*image);
  });
  BringNext();
}

void TakenOver::BringNext() {
  while (!waiting_.empty()) {
    const ImagePtr image = waiting_.front();
    waiting_.pop_front();
    if (!Bring(image)) return;
  }
  DropRest();
  done_();
}

bool TakenOver::Bring(const ImagePtr& image) {
  Result<OpenOutcome> outcome =
      dependencies_.host->Prefetch(image, [this, image](Result<Lease> lease) {
        wait_.reset();
        Arrived(image, std::move(lease));
        BringNext();
      });
  if (!outcome.ok()) {
    Arrived(image, outcome.status());
    return true;
  }
  if (Lease* lease = std::get_if<Lease>(&*outcome)) {
    Arrived(image, std::move(*lease));
    return true;
  }
  wait_.emplace(std::get<OpenWait>(*std::move(outcome)));
  return false;
}

void TakenOver::Arrived(const ImagePtr& image, Result<Lease> lease) {
  if (lease.ok()) return Hold(*std::move(lease));
  LogInfo("model.not_taken_over", {{"model", image->reference}, {"error", lease.status()}});
}

void TakenOver::DropRest() {
  SegmentKeeper* const keeper = dependencies_.keeper;
  dependencies_.worker->Run([keeper] { keeper->DropHanded(); }, [] {});
}

// The watch comes first: who closes between it and the look is seen by the look.
void TakenOver::Hold(Lease lease) {
  Held held{.lease = std::move(lease), .watches = {}};
  const Status watched = Watch(&held);
  if (!IsLentByAnother(held.lease.bytes())) return EndHold(held);
  if (!watched.ok()) {
    LogWarning("model.not_watched", {{"model", held.lease.image().reference}, {"error", watched}});
  }
  LogInfo("model.held_from_before", {{"model", held.lease.image().reference}});
  std::string key = held.lease.image().key;
  held_.emplace(std::move(key), std::move(held));
}

Status TakenOver::Watch(Held* held) {
  TRIMS_RETURN_IF_ERROR(WatchCloses());
  Status status;
  for (const int fd : DescriptorsOf(held->lease.bytes())) {
    const Result<int> watch = closes_->Add(fd);
    if (watch.ok()) {
      held->watches.push_back(*watch);
    } else {
      status = watch.status();
    }
  }
  return status;
}

Status TakenOver::WatchCloses() {
  if (watch_ != nullptr) return Status();
  TRIMS_ASSIGN_OR_RETURN(closes_, CloseWatch::Create());
  TRIMS_ASSIGN_OR_RETURN(watch_, dependencies_.watcher->WatchReadable(closes_->fd(), [this] {
    closes_->Clear();
    next_look_ = kFirstLook;
    LookAgain();
  }));
  return Status();
}

// The end of a lease may free, and call others.
void TakenOver::LookAgain() {
  std::vector<Held> gone;
  for (auto held = held_.begin(); held != held_.end();) {
    if (IsLentByAnother(held->second.lease.bytes())) {
      ++held;
      continue;
    }
    LogInfo("model.let_go", {{"model", held->second.lease.image().reference}});
    gone.push_back(std::move(held->second));
    held = held_.erase(held);
  }
  for (const Held& held : gone) EndHold(held);
  if (!held_.empty()) LookSoon();
}

// The kernel tells of a close a moment before it takes the mark away.
void TakenOver::LookSoon() {
  dependencies_.timers->Cancel(std::exchange(timer_, 0));
  if (next_look_ > kLastLook) return;
  timer_ = dependencies_.timers->CallAfter(std::exchange(next_look_, next_look_ * 2), [this] {
    timer_ = 0;
    LookAgain();
  });
}

void TakenOver::EndHold(const Held& held) {
  for (const int watch : held.watches) closes_->Remove(watch);
}

void TakenOver::AddTo(ManagerSnapshot* snapshot) const {
  snapshot->keeper = dependencies_.keeper->name();
  std::set<uint64_t> held;
  for (const auto& [key, one] : held_) {
    if (const Segment* segment = dependencies_.host->FindByKey(key)) held.insert(segment->id());
  }
  for (SegmentSnapshot& segment : snapshot->segments) {
    segment.held_from_before =
        segment.tier == dependencies_.host->tier_name() && held.contains(segment.id);
  }
}

void TakenOver::AddHolders(std::string_view tier, std::string_view key,
                           std::vector<LeaseHolder>* holders) const {
  if (!key.empty() && tier != dependencies_.host->tier_name()) return;
  const uint64_t leases = key.empty() ? held_.size() : held_.count(std::string(key));
  if (leases > 0) {
    holders->push_back({.client = "processes from before this daemon started",
                        .leases = leases,
                        .from_before = true});
  }
}

}  // namespace trims

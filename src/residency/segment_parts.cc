// Opening what is put together: a lease on each of its parts, or none.
//
// On a device its parts are pieces (segment_forms.cc); the rest is the same.
//
// Each part has a segment of its own, which is loaded, shared, evicted and pinned as any other. Of the whole there is nothing but
// the leases of who has it open, so that what nobody has open is idle part by part, and goes part by part.
//
// Two opens that need each other's room can't wait for each other. A part is admitted at once or refused at once, and what is
// admitted waits for nothing but memory that is being freed already: never for a lease to end. Who is refused one part lets go of
// the others. What is resident is leased first, and then room for all that is missing is looked for at once, so that nothing is
// evicted for an open that fails for room.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {

namespace {

bool IsResident(const Segment* segment) {
  return segment != nullptr && segment->state() == SegmentState::kResident;
}

// Whether a lease on it needs no room that isn't its own already, or will be.
bool HasRoom(const Segment* segment) {
  return segment != nullptr && IsThereOrComes(segment->state());
}

}  // namespace

Result<OpenOutcome> SegmentTable::AcquireParts(const ImagePtr& image,
                                               std::chrono::milliseconds deadline,
                                               OpenCallback done, Asker asker, Answered* answered) {
  TRIMS_RETURN_IF_ERROR(CheckParts(image, asker));
  const uint64_t id = ++last_segment_;
  const size_t count = image->parts.size();
  Gathering gathering{.image = image, .asker = asker, .leases = {}, .waits = {}};
  gathering.leases.resize(count);
  gathering.waits.resize(count);
  TRIMS_RETURN_IF_ERROR(GatherParts(id, /*resident=*/true, &gathering));
  const Status room = CheckRoomForParts(*image);
  CountIfQuota(room, *image);
  TRIMS_RETURN_IF_ERROR(room);
  TRIMS_RETURN_IF_ERROR(GatherParts(id, /*resident=*/false, &gathering));
  const bool all =
      std::ranges::all_of(gathering.leases, [](const auto& lease) { return lease.has_value(); });
  if (all) {
    *answered = Answered::kHit;
    return OpenOutcome(PutTogether(image, std::move(gathering.leases), {.hit = true}));
  }
  const bool joins = !gathering.starts_load;
  *answered = joins ? Answered::kJoined : Answered::kMiss;
  Charge charge = asker == Asker::kClient ? ledger_.ChargeLease(image->reference) : Charge();
  gatherings_.emplace(id, std::move(gathering));
  const uint64_t waiter = waiters_.Add(id, image, deadline, std::move(done), std::move(charge));
  return OpenOutcome(OpenWait(this, waiter, deadline, joins));
}

// A device maps whole allocations alone.
Status SegmentTable::CheckPutsTogether(const Image& image) const {
  const bool in_pieces = image.parts.empty() || image.parts.front()->from != nullptr;
  if (dependencies_.beneath == nullptr || in_pieces) return Status();
  return Status(StatusCode::kUnimplemented,
                "model '" + image.reference + "' is put together of parts, which tier '" +
                    std::string(tier_name()) + "' can't share",
                "open it in the host's memory, or add the model with granularity 'model'");
}

Status SegmentTable::CheckParts(const ImagePtr& image, Asker asker) {
  TRIMS_RETURN_IF_ERROR(CheckPutsTogether(*image));
  if (asker != Asker::kClient) return {};
  const Status status = ledger_.CheckLease(image->reference);
  CountIfQuota(status, *image);
  return status;
}

// As if all that is missing were one segment. What is there of it has been leased, and goes for nothing.
Status SegmentTable::CheckRoomForParts(const Image& image) const {
  if (image.footprint > budget().limit()) return TooLarge(image);
  Image missing = image;
  missing.footprint = 0;
  std::set<std::string_view> seen;
  for (const ImagePtr& part : image.parts) {
    if (HasRoom(FindByKey(part->key)) || !seen.insert(part->key).second) continue;
    missing.footprint += FootprintOf(*part);
  }
  return missing.footprint == 0 ? Status() : ChooseLeavers(missing).status();
}

// Those that are resident, so that none of them goes for another; then the rest. On failure what has been had goes with the gathering.
Status SegmentTable::GatherParts(uint64_t id, bool resident, Gathering* gathering) {
  const Asker asker = gathering->asker == Asker::kOperator ? Asker::kOperator : Asker::kTierAbove;
  const std::vector<ImagePtr>& parts = gathering->image->parts;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (gathering->leases[i] || IsResident(FindByKey(parts[i]->key)) != resident) continue;
    Answered answered = Answered::kHit;
    TRIMS_ASSIGN_OR_RETURN(OpenOutcome outcome, AcquireImage(
                                                    parts[i], kNoDeadline,
                                                    [this, id, i](Result<Lease> lease) {
                                                      PartCame(id, i, std::move(lease));
                                                    },
                                                    asker, &answered));
    gathering->starts_load = gathering->starts_load || answered == Answered::kMiss;
    if (Lease* lease = std::get_if<Lease>(&outcome)) {
      gathering->leases[i].emplace(AsPart(std::move(*lease)));
    } else {
      gathering->waits[i].emplace(std::get<OpenWait>(std::move(outcome)));
    }
  }
  return {};
}

// It is no client's, and counts for nothing.
Lease SegmentTable::AsPart(Lease lease) {
  lease.charge_.Release();
  if (std::exchange(lease.counted_, false)) --leases_;
  return lease;
}

// No wait calls back once its gathering is gone.
void SegmentTable::PartCame(uint64_t id, size_t part, Result<Lease> lease) {
  const Waiters::Turn turn(&waiters_);
  const auto found = gatherings_.find(id);
  if (found == gatherings_.end()) return;
  Gathering& gathering = found->second;
  gathering.waits[part].reset();
  const Status status = lease.status();
  if (status.ok()) gathering.leases[part].emplace(AsPart(*std::move(lease)));
  const bool waits =
      std::ranges::any_of(gathering.waits, [](const auto& wait) { return wait.has_value(); });
  const bool wanted = waiters_.CountOf(id) > 0;  // its deadline may have passed
  if (status.ok() && waits && wanted) return;
  Gathering done = std::move(gatherings_.extract(found).mapped());
  if (!status.ok()) return waiters_.Fail(id, status);
  if (!wanted) return;
  waiters_.Serve(id, [&](const ImagePtr& image, HowOpened opened) {
    return PutTogether(image, std::move(done.leases), opened);
  });
}

// One lease, for one that was asked for.
Lease SegmentTable::PutTogether(const ImagePtr& image, std::vector<std::optional<Lease>> parts,
                                HowOpened opened) {
  Lease whole = std::move(*parts.front());
  whole.image_ = image;
  whole.opened_ = opened;
  whole.charge_ = ledger_.ChargeLease(image->reference);
  whole.counted_ = true;
  ++leases_;
  whole.with_.reserve(parts.size() - 1);
  for (size_t i = 1; i < parts.size(); ++i) whole.with_.push_back(std::move(*parts[i]));
  return whole;
}

size_t SegmentTable::waiters() const {
  size_t count = waiters_.size();
  for (const auto& [id, gathering] : gatherings_) {
    count -= static_cast<size_t>(
        std::ranges::count_if(gathering.waits, [](const auto& wait) { return wait.has_value(); }));
  }
  return count;
}

LoadProgress SegmentTable::ProgressOfParts(const Image& image) const {
  LoadProgress sum{.tier = std::string(tier_name())};
  for (const ImagePtr& part : image.parts) {
    const uint64_t bytes = part->variant.ExtentBytes();
    sum.bytes_total += bytes;
    const Segment* segment = FindByKey(part->key);
    if (segment == nullptr) continue;
    if (segment->state() == SegmentState::kResident) {
      sum.bytes_done += bytes;
      continue;
    }
    const LoadProgress progress = ProgressOf(*segment);
    sum.bytes_done += std::min(progress.bytes_done, bytes);
    sum.bytes_per_second += progress.bytes_per_second;
    sum.remaining = std::max(sum.remaining, progress.remaining);
  }
  return sum;
}

void SegmentTable::CancelWait(uint64_t waiter) {
  const uint64_t id = waiters_.SegmentOf(waiter);
  waiters_.Cancel(waiter);
  if (gatherings_.contains(id) && waiters_.CountOf(id) == 0) {
    const Gathering dropped = std::move(gatherings_.extract(id).mapped());
  }
}

}  // namespace trims

#include "keeper/segment_keeper.h"

#include <chrono>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "keeper/handed.h"
#include "keeper/keeper_protocol.h"
#include "keeper/lent_mark.h"

namespace trims {
namespace {

// Keys may be longer than a label, and hold what none may.
std::string LabelOf(const Image& image) { return Sha256Hex(std::as_bytes(std::span(image.key))); }

Result<KeptRecord> RecordOf(const Image& image, Duration load_time, const ResidentBytes& bytes) {
  KeptRecord record{.load_time = std::chrono::duration_cast<std::chrono::microseconds>(load_time),
                    .model = image.reference,
                    .index = {},
                    .extents = {}};
  TRIMS_ASSIGN_OR_RETURN(record.index, KeptFileOf(bytes.index.fd.get(), bytes.index.length));
  for (const Handle& extent : bytes.extents) {
    TRIMS_ASSIGN_OR_RETURN(KeptFile file, KeptFileOf(extent.fd.get(), extent.length));
    record.extents.push_back(file);
  }
  return record;
}

}  // namespace

Result<std::unique_ptr<SegmentKeeper>> SegmentKeeper::Start(
    const Options& options, std::unique_ptr<DescriptorKeeper> keeper) {
  std::unique_ptr<SegmentKeeper> started(new SegmentKeeper(options, std::move(keeper)));
  TRIMS_RETURN_IF_ERROR(started->records_.MakeFolder());
  TRIMS_RETURN_IF_ERROR(started->TakeAll());
  return started;
}

Status SegmentKeeper::TakeAll() {
  std::vector<KeptDescriptors> all;
  {
    MutexLock lock(keeper_mutex_);
    TRIMS_ASSIGN_OR_RETURN(all, keeper_->TakeHeld());
  }
  std::set<std::string> taken;
  size_t descriptors = 0;
  for (KeptDescriptors& kept : all) {
    const std::string label = kept.label;
    if (const Status status = CheckLabel(label); !status.ok()) {
      LogWarning("keeper.refused", {{"error", status}});  // nothing of this daemon's has it
      continue;
    }
    descriptors += kept.fds.size();
    Result<ResidentBytes> bytes = Check(std::move(kept), descriptors);
    if (!bytes.ok()) {
      LogWarning("keeper.refused", {{"label", label}, {"error", bytes.status()}});
      Drop(label);
      continue;
    }
    bytes->kept_as = label;
    taken.insert(label);
    MutexLock lock(handed_mutex_);
    handed_.insert_or_assign(label, *std::move(bytes));
  }
  records_.RemoveAllBut(taken);
  return Status();
}

Result<ResidentBytes> SegmentKeeper::Check(KeptDescriptors kept, size_t descriptors) const {
  if (descriptors > options_.most_descriptors) {
    return Status(StatusCode::kResourceExhausted,
                  "with it there would be " + std::to_string(descriptors) +
                      " descriptors, and of those that this process may have " +
                      std::to_string(options_.most_descriptors) + " are for what is taken over",
                  "raise the limit of open files (ulimit -n)");
  }
  TRIMS_ASSIGN_OR_RETURN(const KeptRecord record, records_.Read(kept.label));
  return CheckHanded(record, std::move(kept.fds), options_.pages);
}

bool SegmentKeeper::IsHanded(const Image& image) const {
  MutexLock lock(handed_mutex_);
  return handed_.contains(LabelOf(image));
}

bool SegmentKeeper::IsHandedFor(const Image& image) const {
  MutexLock lock(handed_mutex_);
  const auto found = handed_.find(LabelOf(image));
  return found != handed_.end() && found->second.taken_over_for == image.reference;
}

bool SegmentKeeper::IsHandedAndLent(const Image& image) const {
  MutexLock lock(handed_mutex_);
  const auto found = handed_.find(LabelOf(image));
  return found != handed_.end() && IsLentByAnother(found->second);
}

std::optional<ResidentBytes> SegmentKeeper::TakeHanded(const Image& image) {
  ResidentBytes bytes;
  {
    MutexLock lock(handed_mutex_);
    const auto found = handed_.find(LabelOf(image));
    if (found == handed_.end()) return std::nullopt;
    bytes = std::move(found->second);
    handed_.erase(found);
  }
  const Status status = CheckIsOf(image, bytes);
  if (status.ok()) return bytes;
  LogWarning("keeper.refused", {{"model", image.reference}, {"error", status}});
  Drop(bytes.kept_as);
  return std::nullopt;
}

void SegmentKeeper::DropHanded() {
  std::map<std::string, ResidentBytes> rest;
  {
    MutexLock lock(handed_mutex_);
    rest.swap(handed_);
  }
  for (const auto& [label, bytes] : rest) {
    LogInfo("keeper.dropped", {{"label", label}, {"why", "no model has it, or no room for it"}});
    Drop(label);
  }
}

void SegmentKeeper::Keep(const Image& image, Duration load_time, ResidentBytes* bytes) {
  const std::string label = LabelOf(image);
  const Status status = Give(image, load_time, *bytes);
  if (status.ok()) {
    bytes->kept_as = label;
    return;
  }
  records_.Remove(label);
  MutexLock lock(keeper_mutex_);
  const bool lost = status.code() == StatusCode::kUnavailable;
  if (lost && std::exchange(told_lost_, true)) return;
  LogWarning(lost ? "keeper.lost" : "keeper.not_kept",
             {{"model", image.reference}, {"error", status}});
}

// The keeper has open files of its own, so that the mark of those that are lent is not on them.
Status SegmentKeeper::Give(const Image& image, Duration load_time, const ResidentBytes& bytes) {
  const std::string label = LabelOf(image);
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  for (const int fd : DescriptorsOf(bytes)) {
    TRIMS_RETURN_IF_ERROR(MarkLent(fd));
    owned.push_back(sys::ReopenReadOnly(fd));
    if (!owned.back()) return ErrnoStatus("re-opening an extent");
    fds.push_back(owned.back().get());
  }
  TRIMS_ASSIGN_OR_RETURN(const KeptRecord record, RecordOf(image, load_time, bytes));
  MutexLock lock(keeper_mutex_);
  if (keeper_ == nullptr) return Status(StatusCode::kCancelled, "the daemon is stopping");
  TRIMS_RETURN_IF_ERROR(records_.Write(label, record));
  return keeper_->Keep(label, fds);
}

void SegmentKeeper::LetGo(const ResidentBytes& bytes) {
  if (!bytes.kept_as.empty()) Drop(bytes.kept_as);
}

void SegmentKeeper::Drop(const std::string& label) {
  MutexLock lock(keeper_mutex_);
  if (keeper_ == nullptr) return;
  const Status status = keeper_->Drop(label);
  if (!status.ok() && !std::exchange(told_lost_, true))
    LogWarning("keeper.lost", {{"error", status}});
  records_.Remove(label);
}

void SegmentKeeper::Leave() {
  MutexLock lock(keeper_mutex_);
  keeper_.reset();
}

void SegmentKeeper::End() {
  MutexLock lock(keeper_mutex_);
  if (keeper_ == nullptr) return;
  const Status status = keeper_->End();
  if (!status.ok()) LogWarning("keeper.lost", {{"error", status}});
  keeper_.reset();
}

}  // namespace trims

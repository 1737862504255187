#include "load/device_fill.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel_token.h"
#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"
#include "load/fill_feed.h"

namespace trims {
namespace {

// Between two of them a load can be given up.
constexpr uint64_t kCopyBytes = uint64_t{8} << 20;

// The memory of all extents, in order.
using DeviceMemories = std::vector<std::unique_ptr<DeviceMemory>>;

Status GaveUp(const Image& image, const Device& device) {
  return Status(StatusCode::kCancelled,
                "the copy of '" + image.reference + "' to " + device.info().name + " was given up");
}

class Copier {
 public:
  Copier(const FillRequest& request, Device* device)
      : image_(*request.image), control_(*request.control), device_(*device) {}

  // All of the device's memory, before a byte is copied: what is missing is known at once.
  Status Allocate(const std::vector<Handle>& extents) {
    for (const Handle& extent : extents) TRIMS_RETURN_IF_ERROR(Allocate(extent.length));
    return Status();
  }
  Status Allocate(uint64_t length) {
    Result<std::unique_ptr<DeviceMemory>> memory = device_.Allocate(image_.reference, length);
    TRIMS_RETURN_IF_ERROR(Noted(memory.status()));
    memories_.push_back(*std::move(memory));
    return Status();
  }

  // Into an extent, behind what was copied into it before. The bytes are there.
  Status Copy(const CopySource& from, size_t extent, CopySpan span) {
    for (const uint64_t end = span.from + span.length; span.from < end;) {
      if (control_.cancelled()) return GaveUp(image_, device_);
      span.length = std::min(kCopyBytes, end - span.from);
      TRIMS_RETURN_IF_ERROR(Noted(memories_[extent]->CopySpanIn(from, span)));
      control_.Advance(span.length);
      span.from += span.length;
      span.to += span.length;
    }
    return Status();
  }

  // What is copied is shared. nullptr: without an index.
  Result<ResidentBytes> Finish(const Handle* index) {
    ResidentBytes bytes;
    if (index != nullptr) {
      bytes.index = {.fd = sys::ReopenReadOnly(index->fd.get()), .length = index->length};
      if (!bytes.index.fd) return ErrnoStatus("re-opening an index");
    }
    for (const std::unique_ptr<DeviceMemory>& memory : memories_) {
      TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, memory->Export());
      bytes.extents.push_back(
          {.fd = std::move(fd), .length = memory->length(), .kind = device_.info().memory});
    }
    bytes.memory = std::make_shared<DeviceMemories>(std::move(memories_));
    return bytes;
  }

 private:
  // What the device says for want of memory, whoever decides what goes for it has to know.
  Status Noted(Status status) {
    if (status.code() == StatusCode::kResourceExhausted) control_.SetOutOfMemory();
    return status;
  }

  const Image& image_;
  FillControl& control_;
  Device& device_;
  DeviceMemories memories_;
};

Result<ResidentBytes> CopyResident(const FillRequest& request, Device* device) {
  Copier copier(request, device);
  const ResidentBytes& beneath = *request.beneath;
  TRIMS_RETURN_IF_ERROR(copier.Allocate(beneath.extents));
  for (size_t i = 0; i < beneath.extents.size(); ++i) {
    const Handle& extent = beneath.extents[i];
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<CopySource> from,
                           request.peer.empty()
                               ? device->Attach(extent.fd.get(), extent.length)
                               : device->AttachPeer(extent.fd.get(), extent.length, request.peer));
    TRIMS_RETURN_IF_ERROR(copier.Copy(*from, i, {.from = 0, .to = 0, .length = extent.length}));
  }
  return copier.Finish(beneath.index.fd ? &beneath.index : nullptr);
}

// The parts beneath that a piece is brought from, each extent attached once.
class Parts {
 public:
  Parts(const FillRequest& request, Device* device) : request_(request), device_(*device) {}

  Result<const CopySource*> Find(const ImageSlice& slice) {
    std::unique_ptr<CopySource>& attached = attached_[{slice.part, slice.extent}];
    if (attached == nullptr) {
      TRIMS_ASSIGN_OR_RETURN(const Handle* const extent, ExtentOf(slice));
      TRIMS_ASSIGN_OR_RETURN(attached, device_.Attach(extent->fd.get(), extent->length));
    }
    return attached.get();
  }

 private:
  Result<const Handle*> ExtentOf(const ImageSlice& slice) const {
    if (slice.part > request_.others.size())
      return Status(StatusCode::kInternal, "a piece of a part that isn't there");
    const ResidentBytes& part =
        slice.part == 0 ? *request_.beneath : *request_.others[slice.part - 1];
    if (slice.extent < part.extents.size()) return &part.extents[slice.extent];
    return Status(StatusCode::kInternal, "a piece of an extent that isn't there");
  }

  const FillRequest& request_;
  Device& device_;
  std::map<std::pair<size_t, uint32_t>, std::unique_ptr<CopySource>> attached_;
};

// A piece has the bytes of its slices, one after the other, in one allocation; or it is an index, and no memory of the device's.
Result<ResidentBytes> CopyPiece(const FillRequest& request, Device* device) {
  const Image& piece = *request.image;
  Copier copier(request, device);
  if (piece.slices.empty()) return copier.Finish(&request.beneath->index);
  TRIMS_RETURN_IF_ERROR(copier.Allocate(piece.variant.ExtentBytes()));
  Parts parts(request, device);
  uint64_t to = 0;
  for (const ImageSlice& slice : piece.slices) {
    TRIMS_ASSIGN_OR_RETURN(const CopySource* const from, parts.Find(slice));
    TRIMS_RETURN_IF_ERROR(
        copier.Copy(*from, 0, {.from = slice.offset, .to = to, .length = slice.length}));
    to += slice.length;
  }
  return copier.Finish(nullptr);
}

// Of one attempt of the fill beneath; nothing once there is another one.
class Follower {
 public:
  Follower(const FillRequest& request, Device* device)
      : request_(request),
        device_(*device),
        feed_(*request.follow->feed()),
        stop_(*request.control->token()) {}

  // False: the attempt was given up for another one.
  Result<bool> CopyAll(const FillFeed::Seen& first, Copier* copier) {
    const bool is_piece = request_.image->from != nullptr;
    TRIMS_ASSIGN_OR_RETURN(const bool copied,
                           is_piece ? CopySlices(first, copier) : CopyExtents(first, copier));
    if (!copied) return false;
    const FillFeed::Seen last = feed_.Verdict(first.attempt, stop_);
    TRIMS_RETURN_IF_ERROR(CheckGoesOn(last));
    return last.verdict.has_value();
  }

  // The first attempt, or the next one.
  Result<FillFeed::Seen> WaitForAttempt(uint64_t after) {
    FillFeed::Seen seen = feed_.Next(after, 0, UINT64_MAX, stop_);
    TRIMS_RETURN_IF_ERROR(CheckGoesOn(seen));
    if (seen.bytes != nullptr) return seen;
    return Status(StatusCode::kInternal, "a fill that nobody can follow");
  }

 private:
  Result<bool> CopyExtents(const FillFeed::Seen& first, Copier* copier) {
    const std::vector<Handle>& extents = first.bytes->extents;
    TRIMS_RETURN_IF_ERROR(copier->Allocate(extents));
    for (size_t i = 0; i < extents.size(); ++i) {
      TRIMS_ASSIGN_OR_RETURN(
          const bool copied,
          CopySpanOf(first, i, i, {.from = 0, .to = 0, .length = extents[i].length}, copier));
      if (!copied) return false;
    }
    return true;
  }

  // Of the one part that is followed.
  Result<bool> CopySlices(const FillFeed::Seen& first, Copier* copier) {
    const Image& piece = *request_.image;
    TRIMS_RETURN_IF_ERROR(copier->Allocate(piece.variant.ExtentBytes()));
    uint64_t to = 0;
    for (const ImageSlice& slice : piece.slices) {
      if (slice.part != 0 || slice.extent >= first.bytes->extents.size())
        return Status(StatusCode::kInternal, "a piece of a part that isn't followed");
      const CopySpan span{.from = slice.offset, .to = to, .length = slice.length};
      TRIMS_ASSIGN_OR_RETURN(const bool copied, CopySpanOf(first, slice.extent, 0, span, copier));
      if (!copied) return false;
      to += slice.length;
    }
    return true;
  }

  // As it becomes ready.
  Result<bool> CopySpanOf(const FillFeed::Seen& first, size_t extent, size_t into, CopySpan span,
                          Copier* copier) {
    const Handle& handle = first.bytes->extents[extent];
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<CopySource> from,
                           device_.Attach(handle.fd.get(), handle.length));
    for (const uint64_t end = span.from + span.length; span.from < end;) {
      const FillFeed::Seen seen = feed_.Next(first.attempt, extent, span.from, stop_);
      TRIMS_RETURN_IF_ERROR(CheckGoesOn(seen));
      if (seen.attempt != first.attempt) return false;
      span.length = std::min(seen.ready, end) - span.from;
      TRIMS_RETURN_IF_ERROR(copier->Copy(*from, into, span));
      span.from += span.length;
      span.to += span.length;
    }
    return true;
  }

  // A fill that ended well has been ready to its end.
  Status CheckGoesOn(const FillFeed::Seen& seen) const {
    if (request_.control->cancelled()) return GaveUp(*request_.image, device_);
    return seen.verdict.value_or(Status());
  }

  const FillRequest& request_;
  Device& device_;
  FillFeed& feed_;
  const CancelToken& stop_;
};

Result<ResidentBytes> CopyFollowing(const FillRequest& request, Device* device) {
  const CancelToken::Watch watch(request.control->token(),
                                 [&request] { request.follow->feed()->Wake(); });
  Follower follower(request, device);
  uint64_t attempt = 0;
  while (true) {
    TRIMS_ASSIGN_OR_RETURN(const FillFeed::Seen seen, follower.WaitForAttempt(attempt));
    attempt = seen.attempt;
    Copier copier(request, device);
    TRIMS_ASSIGN_OR_RETURN(const bool complete, follower.CopyAll(seen, &copier));
    if (!complete) continue;
    return copier.Finish(request.image->from == nullptr ? &seen.bytes->index : nullptr);
  }
}

}  // namespace

Result<ResidentBytes> FillDevice(const FillRequest& request, Device* device) {
  if (request.control->cancelled()) return GaveUp(*request.image, *device);
  if (request.beneath == nullptr) return CopyFollowing(request, device);
  const bool from_parts = request.image->from != nullptr && request.peer.empty();
  return from_parts ? CopyPiece(request, device) : CopyResident(request, device);
}

}  // namespace trims

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
#include "wire/range_layout.h"

namespace trims {
namespace {

// Between two of them a load can be given up.
constexpr uint64_t kCopyBytes = uint64_t{8} << 20;

// The memory of all extents, in order: one each, or one of all.
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
    if (device_.info().in_one_piece()) return AllocateAsOne(extents);
    for (const Handle& extent : extents) TRIMS_RETURN_IF_ERROR(AllocateExtent(extent.length));
    return Status();
  }
  // An extent of its own.
  Status AllocateExtent(uint64_t length) {
    TRIMS_RETURN_IF_ERROR(Allocate(length));
    places_.push_back({.memory = memories_.back().get(), .length = length});
    return Status();
  }

  // Into an extent, behind what was copied into it before. The bytes are there.
  Status Copy(const CopySource& from, size_t extent, CopySpan span) {
    const Place& place = places_[extent];
    span.to += place.offset;
    for (const uint64_t end = span.from + span.length; span.from < end;) {
      if (control_.cancelled()) return GaveUp(image_, device_);
      span.length = std::min(kCopyBytes, end - span.from);
      TRIMS_RETURN_IF_ERROR(Noted(place.memory->CopySpanIn(from, span)));
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
    for (const Place& place : places_) {
      TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, Share(place, bytes.extents));
      bytes.extents.push_back(
          {.fd = std::move(fd), .length = place.length, .kind = device_.info().memory});
    }
    bytes.memory = std::make_shared<DeviceMemories>(std::move(memories_));
    return bytes;
  }

 private:
  struct Place {
    DeviceMemory* memory = nullptr;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  Status Allocate(uint64_t length) {
    Result<std::unique_ptr<DeviceMemory>> memory = device_.Allocate(image_.reference, length);
    TRIMS_RETURN_IF_ERROR(Noted(memory.status()));
    memories_.push_back(*std::move(memory));
    return Status();
  }

  // Each where a client's range has it.
  Status AllocateAsOne(const std::vector<Handle>& extents) {
    wire::RangeLayout layout;
    for (const Handle& extent : extents) {
      TRIMS_ASSIGN_OR_RETURN(const uint64_t offset, layout.Append(extent.length));
      places_.push_back({.offset = offset, .length = extent.length});
    }
    if (extents.empty()) return Status();
    TRIMS_RETURN_IF_ERROR(Allocate(layout.length()));
    for (Place& place : places_) place.memory = memories_.back().get();
    return Status();
  }

  // Of what is in one piece the descriptor is a memfd, of which each extent has an open file.
  Result<UniqueFd> Share(const Place& place, const std::vector<Handle>& shared) const {
    if (shared.empty() || !device_.info().in_one_piece()) return place.memory->Export();
    UniqueFd fd = sys::ReopenReadOnly(shared.front().fd.get());
    if (!fd) return ErrnoStatus("re-opening a handle of a device's memory");
    return fd;
  }

  // What the device says for want of memory, whoever decides what goes for it has to know.
  Status Noted(Status status) {
    if (status.code() == StatusCode::kResourceExhausted) control_.SetOutOfMemory();
    return status;
  }

  const Image& image_;
  FillControl& control_;
  Device& device_;
  DeviceMemories memories_;
  std::vector<Place> places_;  // of the extents, in order
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

// The parts beneath that a piece is brought from, each extent attached once, for what the piece has of it.
class Parts {
 public:
  Parts(const FillRequest& request, Device* device) : request_(request), device_(*device) {
    for (const ImageSlice& slice : request.image->slices)
      sources_[KeyOf(slice)].wanted += slice.length;
  }

  Result<const CopySource*> Find(const ImageSlice& slice) {
    Source& source = sources_[KeyOf(slice)];
    if (source.attached == nullptr) {
      TRIMS_ASSIGN_OR_RETURN(const Handle* const extent, ExtentOf(slice));
      TRIMS_ASSIGN_OR_RETURN(source.attached,
                             device_.AttachFor(source.wanted, extent->fd.get(), extent->length));
    }
    return source.attached.get();
  }

 private:
  using Key = std::pair<size_t, uint32_t>;  // of a part, and of its extent
  struct Source {
    uint64_t wanted = 0;  // bytes
    std::unique_ptr<CopySource> attached;
  };

  static Key KeyOf(const ImageSlice& slice) { return {slice.part, slice.extent}; }

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
  std::map<Key, Source> sources_;
};

// A piece has the bytes of its slices, one after the other, in one allocation; or it is an index, and no memory of the device's.
Result<ResidentBytes> CopyPiece(const FillRequest& request, Device* device) {
  const Image& piece = *request.image;
  Copier copier(request, device);
  if (piece.slices.empty()) return copier.Finish(&request.beneath->index);
  TRIMS_RETURN_IF_ERROR(copier.AllocateExtent(piece.variant.ExtentBytes()));
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
    TRIMS_RETURN_IF_ERROR(copier->AllocateExtent(piece.variant.ExtentBytes()));
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
                           device_.AttachFor(span.length, handle.fd.get(), handle.length));
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

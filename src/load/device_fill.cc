#include "load/device_fill.h"

#include <algorithm>
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
    for (const Handle& extent : extents) {
      TRIMS_RETURN_IF_ERROR(Allocate(extent.length));
      places_.push_back({.memory = memories_.back().get(), .length = extent.length});
    }
    return Status();
  }

  // Bytes [begin, end) of an extent, which are there. `end` is behind the last call's, for one extent.
  Status Copy(const CopySource& from, size_t extent, uint64_t begin, uint64_t end) {
    const Place& place = places_[extent];
    while (begin < end) {
      if (control_.cancelled()) return GaveUp(image_, device_);
      const uint64_t length = std::min(kCopyBytes, end - begin);
      TRIMS_RETURN_IF_ERROR(Noted(place.memory->CopyTo(place.offset + begin, from, begin, length)));
      control_.Advance(length);
      begin += length;
    }
    return Status();
  }

  // What is copied is shared.
  Result<ResidentBytes> Finish(const Handle& index) {
    ResidentBytes bytes;
    bytes.index = {.fd = sys::ReopenReadOnly(index.fd.get()), .length = index.length};
    if (!bytes.index.fd) return ErrnoStatus("re-opening an index");
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
    TRIMS_RETURN_IF_ERROR(copier.Copy(*from, i, 0, extent.length));
  }
  return copier.Finish(beneath.index);
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
    TRIMS_RETURN_IF_ERROR(copier->Allocate(first.bytes->extents));
    for (size_t i = 0; i < first.bytes->extents.size(); ++i) {
      TRIMS_ASSIGN_OR_RETURN(const bool copied, CopyExtent(first, i, copier));
      if (!copied) return false;
    }
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
  Result<bool> CopyExtent(const FillFeed::Seen& first, size_t extent, Copier* copier) {
    const Handle& handle = first.bytes->extents[extent];
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<CopySource> from,
                           device_.Attach(handle.fd.get(), handle.length));
    for (uint64_t copied = 0; copied < handle.length;) {
      const FillFeed::Seen seen = feed_.Next(first.attempt, extent, copied, stop_);
      TRIMS_RETURN_IF_ERROR(CheckGoesOn(seen));
      if (seen.attempt != first.attempt) return false;
      TRIMS_RETURN_IF_ERROR(copier->Copy(*from, extent, copied, seen.ready));
      copied = seen.ready;
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
    if (complete) return copier.Finish(seen.bytes->index);
  }
}

}  // namespace

Result<ResidentBytes> FillDevice(const FillRequest& request, Device* device) {
  if (request.control->cancelled()) return GaveUp(*request.image, *device);
  return request.beneath != nullptr ? CopyResident(request, device)
                                    : CopyFollowing(request, device);
}

}  // namespace trims

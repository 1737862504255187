// DeviceForms: what models that share parts are made of on a device.
//
// In the host's memory a range is put together of any pages of any parts. A device maps whole allocations only. So there a model is put together
// of **pieces**: allocations that each have the bytes of one stretch of its range, cut wherever any of the models begins or ends
// to use a part. What two models have of one part then lies in the same pieces for both, and is there once.
//
//   const DeviceForms forms = MakeDeviceForms(sharing, {.granule = 2 << 20});
//   const auto form = forms.find(image->key);
//   if (form != forms.end()) Open(form->second);  // its parts: an index, and pieces that are each mapped whole
//
// A form is an image like its model's, put together of other parts. Where a model would need more pieces than an open may send, short
// ones that lie side by side become one that hardly anybody else has: that costs memory (WastedBytes), never the open.
// Thread-safety: pure functions; forms are immutable.
#ifndef TRIMS_FORMAT_DEVICE_FORMS_H_
#define TRIMS_FORMAT_DEVICE_FORMS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/image.h"
#include "wire/protocol.h"

namespace trims {

// By the image's key. What is not among them lies on a device as it is.
using DeviceForms = std::unordered_map<std::string, ImagePtr>;

struct DeviceFormOptions {
  uint64_t granule = 0;  // bytes; > 0: pieces begin at multiples of it, in each extent of a range
  size_t most_pieces =
      wire::kMaxExtents;  // with bytes, of one model; at least as many as it has extents
};

// Of those of `sharing` that have runs, or whose extents others' runs are of. `sharing` is all models that may have either.
DeviceForms MakeDeviceForms(std::span<const ImagePtr> sharing, const DeviceFormOptions& options);

// Whether two forms of a model are put together of the same.
bool HaveSameParts(const Image& one, const Image& other);

// What is resident on a device, and takes so many bytes of it.
struct OnDevice {
  ImagePtr image;
  uint64_t footprint = 0;
};

// How many bytes more the pieces and the whole models take than they have different bytes of parts: what lies there in two pieces, and
// what a piece leaves empty of its last granule.
uint64_t WastedBytes(std::span<const OnDevice> resident);

}  // namespace trims

#endif  // TRIMS_FORMAT_DEVICE_FORMS_H_

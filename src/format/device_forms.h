// DeviceForms: what models that share parts are made of on a device.
//
// In the host's memory a range is put together of any pages of any parts. A device maps whole allocations only. So there a model is put together
// of **pieces**: allocations that each have the bytes of one stretch of its range, cut wherever any of the models begins or ends
// to use a part (format/piece_plan.h). What two models have of one part then lies in the same pieces for both, and is there once.
//
//   DeviceForms forms({.granule = 2 << 20});
//   forms.SetSharing(sharing);
//   Open(forms.Of(image));  // its parts: an index, and pieces that are each mapped whole
//
// A form is an image like its model's, put together of other parts. It is made when it is first asked for: of the hundreds of
// fine-tunes that a catalog may have, those have one that are opened. A change of the catalog costs what it changes, and the forms that
// are cut otherwise by it. Pieces that several forms have are the same image.
// Thread-safety: none. Forms are immutable.
#ifndef TRIMS_FORMAT_DEVICE_FORMS_H_
#define TRIMS_FORMAT_DEVICE_FORMS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "format/image.h"
#include "format/piece_plan.h"

namespace trims {

class DeviceForms {
 public:
  // A granule of 0: none can be put together there, and every model lies there as it is.
  explicit DeviceForms(const DeviceFormOptions& options) : options_(options) {}

  // From now on of those of `sharing` that have runs, or whose extents others' runs are of. `sharing` is all models that may have
  // either. Returns the forms that were made and hold no longer: their model is put together of other pieces now, or of none.
  std::vector<ImagePtr> SetSharing(std::span<const ImagePtr> sharing);
  // Made forms of which this says that nobody has them go, and are made anew for who asks.
  void Forget(const std::function<bool(const Image& form)>& nobody_has);

  // The form of its model, made if it has to be; or itself, if it lies there as it is. Valid until the next change of what is shared, as long as `image`.
  const ImagePtr& Of(const ImagePtr& image) const;
  // The same, but itself where none was made yet.
  const ImagePtr& MadeOf(const ImagePtr& image) const;
  // Whether it lies there in pieces.
  bool IsCut(const Image& image) const;
  // Whether a form that was made has a piece of this key.
  bool HasPiece(const std::string& key) const { return pieces_.contains(key); }
  bool empty() const { return models_.empty(); }
  size_t made() const { return made_.size(); }

 private:
  struct SharedPiece {
    ImagePtr piece;
    size_t forms = 0;  // that have it
  };

  std::set<PartExtent> ChangeModels(std::span<const ImagePtr> sharing);
  ImagePtr ModelOf(const std::string& key) const;  // nullptr: none
  ImagePtr MakeForm(const ImagePtr& image) const;
  ImagePtr IndexOf(const ImagePtr& model) const;
  ImagePtr PieceOf(const Image& model, const PlannedPiece& planned) const;
  void Count(const Image& form) const;
  void Discount(const Image& form) const;

  const DeviceFormOptions options_;
  std::unordered_set<ImagePtr> sharing_;
  std::unordered_map<std::string, std::vector<ImagePtr>> models_;  // by key: under several names
  PartCuts cuts_;
  // Made as they are asked for.
  mutable std::unordered_map<std::string, ImagePtr> made_;            // by the model's key
  mutable std::unordered_map<std::string_view, SharedPiece> pieces_;  // by views of their own keys
};

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

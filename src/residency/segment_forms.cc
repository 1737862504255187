// How models that share parts lie on a device: in pieces, each a segment (format/device_forms.h).
//
// A change of the catalog may cut a model otherwise. What is mapped can't be cut again, so what lies here as it was cut before is
// opened as it is, as long as all of it is here, and goes with its last lease; whoever opens the model then has what
// others share. Between, the same bytes may be here twice, which counts as waste.
#include <algorithm>
#include <utility>
#include <vector>

#include "residency/segment_table.h"

namespace trims {

bool SegmentTable::IsHere(const Image& image) const {
  const auto is_resident = [this](const Image& one) {
    const Segment* segment = FindByKey(one.key);
    return segment != nullptr && segment->state() == SegmentState::kResident;
  };
  if (image.parts.empty()) return is_resident(image);
  return std::ranges::all_of(image.parts, [&](const ImagePtr& part) { return is_resident(*part); });
}

bool SegmentTable::IsCutAnew(const Image& image) const {
  return image.from != nullptr ? !forms_.HasPiece(image.key) : forms_.IsCut(image);
}

const ImagePtr& SegmentTable::FormMade(const ImagePtr& image) const {
  if (forms_.empty() && earlier_forms_.empty()) return image;
  const ImagePtr& made = forms_.MadeOf(image);
  if (IsHere(*made)) return made;
  if (image->parts.empty() && IsHere(*image)) return image;
  const auto earlier = earlier_forms_.find(image->key);
  if (earlier == earlier_forms_.end()) return made;
  const auto here =
      std::ranges::find_if(earlier->second, [this](const ImagePtr& form) { return IsHere(*form); });
  return here == earlier->second.end() ? made : *here;
}

const ImagePtr& SegmentTable::FormOf(const ImagePtr& image) const {
  const ImagePtr& made = FormMade(image);
  const bool is_here = made != image || !forms_.IsCut(*image) || IsHere(*image);
  return is_here ? made : forms_.Of(image);
}

void SegmentTable::SetSharing(std::span<const ImagePtr> sharing) {
  const Waiters::Turn turn(&waiters_);
  forms_.Forget([this](const Image& form) {
    return std::ranges::none_of(
        form.parts, [this](const ImagePtr& piece) { return FindByKey(piece->key) != nullptr; });
  });
  for (ImagePtr& form : forms_.SetSharing(sharing)) {
    earlier_forms_[form->key].push_back(std::move(form));
  }
  LetGoOfCutAnew();
  for (auto& [key, earlier] : earlier_forms_) {
    std::erase_if(earlier, [this](const ImagePtr& form) { return !IsHere(*form); });
  }
  std::erase_if(earlier_forms_, [](const auto& each) { return each.second.empty(); });
}

void SegmentTable::LetGoOfCutAnew() {
  for (const auto& [id, segment] : segments_) {
    const bool cut_anew = IsCutAnew(segment->image());
    if (!cut_anew && segment->why_leaving() == Leaving::kCutAnew) {
      segment->set_leaving(Leaving::kNo);
    }
    if (!cut_anew || !IsThereOrComes(segment->state()) || segment->pinned() || segment->leaving())
      continue;
    segment->set_leaving(Leaving::kCutAnew);
    if (segment->MayGo()) LetGo(segment.get());
  }
}

uint64_t SegmentTable::Wasted() const {
  if (forms_.empty() && earlier_forms_.empty()) return 0;
  std::vector<OnDevice> resident;
  for (const auto& [id, segment] : segments_) {
    if (segment->state() != SegmentState::kResident) continue;
    resident.push_back({.image = segment->image_ptr(), .footprint = segment->footprint()});
  }
  return WastedBytes(resident);
}

}  // namespace trims

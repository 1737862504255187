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
  if (image.from != nullptr) return !pieces_.contains(image.key);
  return !forms_.empty() && forms_.contains(image.key);
}

const ImagePtr& SegmentTable::FormNow(const ImagePtr& image) const {
  const auto found = forms_.find(image->key);
  return found == forms_.end() ? image : found->second;
}

const ImagePtr& SegmentTable::FormOf(const ImagePtr& image) const {
  if (forms_.empty() && earlier_forms_.empty()) return image;
  const ImagePtr& now = FormNow(image);
  if (IsHere(*now)) return now;
  if (image->parts.empty() && IsHere(*image)) return image;
  const auto earlier = earlier_forms_.find(image->key);
  if (earlier == earlier_forms_.end()) return now;
  const auto here =
      std::ranges::find_if(earlier->second, [this](const ImagePtr& form) { return IsHere(*form); });
  return here == earlier->second.end() ? now : *here;
}

void SegmentTable::SetForms(DeviceForms forms) {
  const Waiters::Turn turn(&waiters_);
  for (auto& [key, form] : forms_) {
    const auto now = forms.find(key);
    const bool same = now != forms.end() && HaveSameParts(*now->second, *form);
    if (!same) earlier_forms_[key].push_back(form);
  }
  pieces_.clear();
  forms_ = std::move(forms);
  for (const auto& [key, form] : forms_) {
    for (const ImagePtr& piece : form->parts) pieces_.insert(piece->key);
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

#include "format/device_forms.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/mapping.h"
#include "base/sha256.h"

namespace trims {
namespace {

// Of the model, but for its bytes.
Image NamedAs(const Image& model, std::string key) {
  Image image{.reference = model.reference,
              .digest = model.digest,
              .kind = model.kind,
              .variant_key = model.variant_key,
              .key = std::move(key),
              .source = model.source,
              .variant = {}};
  image.variant.kind = model.kind;
  image.variant.key = model.variant_key;
  image.variant.folder = model.variant.folder;
  return image;
}

// What several parts are when they are opened together.
ImagePtr Together(const Image& model, std::vector<ImagePtr> parts) {
  if (parts.size() == 1) return parts.front();
  Image together = NamedAs(model, model.key);
  for (const ImagePtr& part : parts) together.footprint += part->footprint;
  together.parts = std::move(parts);
  return std::make_shared<const Image>(std::move(together));
}

std::string IndexKey(const Image& own) { return "index/" + own.key; }

ImagePtr MakeIndexPiece(const Image& model, const ImagePtr& own) {
  Image piece = NamedAs(model, IndexKey(*own));
  piece.variant.index_length = own->variant.index_length;
  piece.variant.index_sha256 = own->variant.index_sha256;
  piece.footprint = ExtentFootprint(own->variant.index_length);
  piece.from = own;
  return std::make_shared<const Image>(std::move(piece));
}

std::string StretchText(const Stretch& stretch) {
  return stretch.part->key + "/" + std::to_string(stretch.extent) + "/" +
         std::to_string(stretch.offset) + "+" + std::to_string(stretch.length);
}

// Of what it has, and nothing else.
std::string PieceKey(const PlannedPiece& planned) {
  if (planned.stretches.size() == 1) return "piece/" + StretchText(planned.stretches.front());
  Sha256 hash;
  for (const Stretch& stretch : planned.stretches) hash.Update(StretchText(stretch) + "\n");
  return "pieces/" + hash.FinishHex();
}

ImagePtr MakePiece(const Image& model, const PlannedPiece& planned, std::string key,
                   uint64_t granule) {
  Image piece = NamedAs(model, std::move(key));
  std::vector<ImagePtr> parts;
  for (const Stretch& stretch : planned.stretches) {
    auto part = std::ranges::find(parts, stretch.part->key, &Image::key);
    if (part == parts.end()) part = parts.insert(parts.end(), stretch.part);
    piece.slices.push_back({.part = static_cast<size_t>(part - parts.begin()),
                            .extent = stretch.extent,
                            .offset = stretch.offset,
                            .length = stretch.length});
  }
  piece.variant.extents.push_back({.length = planned.length, .pieces = {}});
  piece.footprint = AlignUp(planned.length, granule);
  piece.from = Together(model, std::move(parts));
  return std::make_shared<const Image>(std::move(piece));
}

// Of the model, but for what it is put together of.
Image WithoutParts(const Image& model) {
  Image form = model;
  form.parts.clear();
  form.footprint = 0;
  form.variant.lengths = model.variant.RangeLengths();
  form.variant.extents.clear();
  form.variant.borrowed.clear();
  form.variant.runs.clear();
  return form;
}

bool HaveSameParts(const Image& one, const Image& other) {
  const auto have_one_key = [](const ImagePtr& a, const ImagePtr& b) { return a->key == b->key; };
  return std::ranges::equal(one.parts, other.parts, have_one_key);
}

// Whether it is put together of bytes of such an extent.
bool IsOf(const Image& model, const std::set<PartExtent>& extents) {
  if (extents.empty()) return false;
  const auto has = [&](const std::string& key, uint32_t extent) {
    return extents.contains({key, extent});
  };
  for (uint32_t i = 0; model.parts.empty() && i < model.variant.extents.size(); ++i) {
    if (has(model.key, i)) return true;
  }
  return std::ranges::any_of(model.variant.runs, [&](const ManifestRun& run) {
    return has(model.parts[run.part]->key, run.extent);
  });
}

// Bytes by the part's key and the extent.
using BytesOfParts = std::map<PartExtent, std::vector<std::pair<uint64_t, uint64_t>>>;

void AddBytesOf(const Image& image, BytesOfParts* bytes) {
  if (image.from == nullptr) {
    for (uint32_t i = 0; i < image.variant.extents.size(); ++i) {
      (*bytes)[{image.key, i}].push_back({0, image.variant.extents[i].length});
    }
    return;
  }
  for (const ImageSlice& slice : image.slices) {
    (*bytes)[{PartsOf(image.from)[slice.part]->key, slice.extent}].push_back(
        {slice.offset, slice.offset + slice.length});
  }
}

// Of the bytes of one extent, those that are there once more.
uint64_t Repeated(std::vector<std::pair<uint64_t, uint64_t>>* intervals) {
  std::ranges::sort(*intervals);
  uint64_t repeated = 0;
  uint64_t covered = 0;  // all before it has been seen
  for (const auto& [begin, end] : *intervals) {
    if (begin < covered) repeated += std::min(covered, end) - begin;
    covered = std::max(covered, end);
  }
  return repeated;
}

}  // namespace

std::vector<ImagePtr> DeviceForms::SetSharing(std::span<const ImagePtr> sharing) {
  if (options_.granule == 0) return {};
  const std::set<PartExtent> changed = ChangeModels(sharing);
  std::vector<ImagePtr> gone;
  for (auto next = made_.begin(); next != made_.end();) {
    const auto made = next++;
    const ImagePtr model = ModelOf(made->first);
    if (model != nullptr && model->reference == made->second->reference && !IsOf(*model, changed))
      continue;
    const ImagePtr before = std::move(made->second);
    const bool is_cut = model != nullptr && cuts_.Cuts(*model);
    if (is_cut) made->second = MakeForm(model);
    if (!is_cut || !HaveSameParts(*before, *made->second)) gone.push_back(before);
    Discount(*before);
    if (!is_cut) made_.erase(made);
  }
  return gone;
}

// The extents of parts that are cut otherwise since. What two models have one after the other stays: first those come that are new.
std::set<PartExtent> DeviceForms::ChangeModels(std::span<const ImagePtr> sharing) {
  std::unordered_set<ImagePtr> now(sharing.begin(), sharing.end());
  std::set<PartExtent> changed;
  for (const ImagePtr& image : sharing) {
    if (!sharing_.insert(image).second) continue;
    models_[image->key].push_back(image);
    changed.merge(cuts_.Add(*image));
  }
  std::erase_if(sharing_, [&](const ImagePtr& image) {
    if (now.contains(image)) return false;
    const auto model = models_.find(image->key);
    std::erase(model->second, image);
    if (model->second.empty()) models_.erase(model);
    changed.merge(cuts_.Remove(*image));
    return true;
  });
  return changed;
}

void DeviceForms::Forget(const std::function<bool(const Image& form)>& nobody_has) {
  std::erase_if(made_, [&](const auto& made) {
    if (!nobody_has(*made.second)) return false;
    Discount(*made.second);
    return true;
  });
}

const ImagePtr& DeviceForms::Of(const ImagePtr& image) const {
  const ImagePtr& made = MadeOf(image);
  if (made != image || !IsCut(*image)) return made;
  return made_.emplace(image->key, MakeForm(image)).first->second;
}

const ImagePtr& DeviceForms::MadeOf(const ImagePtr& image) const {
  if (made_.empty()) return image;
  const auto found = made_.find(image->key);
  return found == made_.end() ? image : found->second;
}

bool DeviceForms::IsCut(const Image& image) const {
  return models_.contains(image.key) && cuts_.Cuts(image);
}

// One that a model has several times is one part, with several runs.
ImagePtr DeviceForms::MakeForm(const ImagePtr& image) const {
  Image form = WithoutParts(*image);
  std::unordered_map<std::string_view, uint32_t> numbers;  // by the piece's key
  const auto number_of = [&](ImagePtr piece) {
    const auto [number, is_new] =
        numbers.emplace(piece->key, static_cast<uint32_t>(form.parts.size()));
    if (is_new) {
      form.footprint += piece->footprint;
      form.parts.push_back(std::move(piece));
    }
    return number->second;
  };
  number_of(IndexOf(image));
  for (const PlannedExtent& extent : PlanPieces(image, cuts_, options_)) {
    for (const PlannedPiece& planned : extent) {
      form.variant.runs.push_back(
          {.part = number_of(PieceOf(*image, planned)), .length = planned.length});
    }
  }
  Count(form);
  return std::make_shared<const Image>(std::move(form));
}

// One that another form has already, or a new one.
ImagePtr DeviceForms::IndexOf(const ImagePtr& model) const {
  const ImagePtr& own = PartsOf(model).front();
  const auto had = pieces_.find(IndexKey(*own));
  return had == pieces_.end() ? MakeIndexPiece(*model, own) : had->second.piece;
}

ImagePtr DeviceForms::PieceOf(const Image& model, const PlannedPiece& planned) const {
  std::string key = PieceKey(planned);
  const auto had = pieces_.find(key);
  if (had != pieces_.end()) return had->second.piece;
  return MakePiece(model, planned, std::move(key), options_.granule);
}

void DeviceForms::Count(const Image& form) const {
  for (const ImagePtr& piece : form.parts) {
    ++pieces_.try_emplace(piece->key, SharedPiece{.piece = piece}).first->second.forms;
  }
}

void DeviceForms::Discount(const Image& form) const {
  for (const ImagePtr& piece : form.parts) {
    const auto had = pieces_.find(piece->key);
    if (--had->second.forms == 0) pieces_.erase(had);
  }
}

ImagePtr DeviceForms::ModelOf(const std::string& key) const {
  const auto found = models_.find(key);
  return found == models_.end() ? nullptr : found->second.front();
}

uint64_t WastedBytes(std::span<const OnDevice> resident) {
  uint64_t wasted = 0;
  BytesOfParts parts;
  for (const OnDevice& each : resident) {
    AddBytesOf(*each.image, &parts);
    const uint64_t bytes = each.image->variant.ExtentBytes();
    if (!each.image->slices.empty() && each.footprint > bytes) wasted += each.footprint - bytes;
  }
  for (auto& [extent, of_extent] : parts) wasted += Repeated(&of_extent);
  return wasted;
}

}  // namespace trims

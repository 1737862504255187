#include "demo/text_boxes.h"

#include <algorithm>

namespace trims::demo {
namespace {

constexpr float kThreshold = 0.3f;
constexpr float kGrow = 1.6f;
constexpr int kMinSide = 3;

// The probability map with the regions that were visited taken out.
class RegionFinder {
 public:
  RegionFinder(std::span<const float> probability, int width, int height)
      : width_(width), height_(height) {
    for (const float p : probability) text_.push_back(p > kThreshold);
  }

  // The bounding box of the region around (x, y), which is removed; an empty box if there is none.
  Box Take(int x, int y) {
    Box box{.left = x, .top = y, .right = x, .bottom = y};
    std::vector<std::pair<int, int>> pending;
    Visit(x, y, &pending);
    while (!pending.empty()) {
      const auto [px, py] = pending.back();
      pending.pop_back();
      box = {std::min(box.left, px), std::min(box.top, py), std::max(box.right, px + 1),
             std::max(box.bottom, py + 1)};
      Visit(px - 1, py, &pending);
      Visit(px + 1, py, &pending);
      Visit(px, py - 1, &pending);
      Visit(px, py + 1, &pending);
    }
    return box;
  }

 private:
  void Visit(int x, int y, std::vector<std::pair<int, int>>* pending) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    const size_t i = static_cast<size_t>(y) * width_ + x;
    if (!text_[i]) return;
    text_[i] = false;
    pending->emplace_back(x, y);
  }

  int width_;
  int height_;
  std::vector<bool> text_;
};

Box Grown(const Box& box, int width, int height) {
  const float by = kGrow * box.width() * box.height() / (2.0f * (box.width() + box.height()));
  const int distance = static_cast<int>(by);
  return {std::max(box.left - distance, 0), std::max(box.top - distance, 0),
          std::min(box.right + distance, width), std::min(box.bottom + distance, height)};
}

}  // namespace

std::vector<Box> FindTextBoxes(std::span<const float> probability, int width, int height) {
  std::vector<Box> boxes;
  RegionFinder regions(probability, width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Box box = regions.Take(x, y);
      if (std::min(box.width(), box.height()) < kMinSide) continue;
      boxes.push_back(Grown(box, width, height));
    }
  }
  return boxes;
}

}  // namespace trims::demo

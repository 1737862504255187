#include "demo/image.h"

#include <algorithm>
#include <cmath>
#include <fstream>

namespace trims::demo {

Result<Image> Image::Load(const std::string& path) {
  constexpr int kMaxSide = 4096;
  std::ifstream file(path, std::ios::binary);
  std::string kind;
  int width = 0, height = 0, levels = 0;
  file >> kind >> width >> height >> levels;
  file.get();
  const bool known = kind == "P5" || kind == "P6";
  if (!file || !known || levels != 255 || std::min(width, height) < 1 ||
      std::max(width, height) > kMaxSide) {
    return Status(StatusCode::kInvalidArgument,
                  "expected a binary PGM or PPM of 255 levels in '" + path + "'");
  }
  Image image(width, height, kind == "P5" ? 1 : 3);
  file.read(reinterpret_cast<char*>(image.pixels_.data()),
            static_cast<std::streamsize>(image.pixels_.size()));
  if (!file) return Status(StatusCode::kDataLoss, "'" + path + "' is shorter than its header says");
  return image;
}

Image Image::Crop(const Box& box) const {
  Image out(box.width(), box.height(), channels_);
  for (int y = 0; y < out.height_; ++y) {
    const auto row = pixels_.begin() + static_cast<std::ptrdiff_t>(Index(box.left, box.top + y, 0));
    std::copy_n(row, out.width_ * channels_, &out.at(0, y, 0));
  }
  return out;
}

Image Image::TurnedAround() const {
  Image out(width_, height_, channels_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      for (int c = 0; c < channels_; ++c) out.at(x, y, c) = at(width_ - 1 - x, height_ - 1 - y, c);
    }
  }
  return out;
}

float Image::Sample(float x, float y, int c) const {
  const float fx = std::clamp(x, 0.0f, static_cast<float>(width_ - 1));
  const float fy = std::clamp(y, 0.0f, static_cast<float>(height_ - 1));
  const int x0 = static_cast<int>(fx), y0 = static_cast<int>(fy);
  const int x1 = std::min(x0 + 1, width_ - 1), y1 = std::min(y0 + 1, height_ - 1);
  const auto mixed = [&](int row) {
    const float left = at(x0, row, c), right = at(x1, row, c);
    return left + (right - left) * (fx - x0);
  };
  return mixed(y0) + (mixed(y1) - mixed(y0)) * (fy - y0);
}

Image Image::Resized(int width, int height) const {
  Image out(width, height, channels_);
  const float step_x = static_cast<float>(width_) / width;
  const float step_y = static_cast<float>(height_) / height;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels_; ++c) {
        const float value = Sample((x + 0.5f) * step_x - 0.5f, (y + 0.5f) * step_y - 0.5f, c);
        out.at(x, y, c) = static_cast<uint8_t>(std::lround(value));
      }
    }
  }
  return out;
}

}  // namespace trims::demo

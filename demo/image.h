// Image: an 8-bit picture of one or three channels, as a binary PGM or PPM file holds it.
// Thread-safety: values.
#ifndef TRIMS_DEMO_IMAGE_H_
#define TRIMS_DEMO_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims::demo {

struct Box {  // right and bottom are outside
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;

  int width() const { return right - left; }
  int height() const { return bottom - top; }
};

class Image {
 public:
  Image(int width, int height, int channels)
      : width_(width),
        height_(height),
        channels_(channels),
        pixels_(static_cast<size_t>(width) * height * channels) {}

  // INVALID_ARGUMENT: not a binary PGM or PPM with 255 levels, or larger than 4096 × 4096.
  static Result<Image> Load(const std::string& path);

  int width() const { return width_; }
  int height() const { return height_; }
  int channels() const { return channels_; }
  uint8_t at(int x, int y, int c) const { return pixels_[Index(x, y, c)]; }

  Image Crop(const Box& box) const;            // `box` lies inside
  Image TurnedAround() const;                  // by 180 degrees
  Image Resized(int width, int height) const;  // bilinear

 private:
  size_t Index(int x, int y, int c) const {
    return (static_cast<size_t>(y) * width_ + x) * channels_ + c;
  }
  uint8_t& at(int x, int y, int c) { return pixels_[Index(x, y, c)]; }
  float Sample(float x, float y, int c) const;

  int width_;
  int height_;
  int channels_;
  std::vector<uint8_t> pixels_;
};

}  // namespace trims::demo

#endif  // TRIMS_DEMO_IMAGE_H_

// demo-text: all lines of text on a page by three networks: where they are, whether they stand on
// their head, what they say.
#include <algorithm>
#include <cmath>

#include "base/macros.h"
#include "demo/function.h"
#include "demo/image.h"
#include "demo/tensors.h"
#include "demo/text_boxes.h"
#include "demo/text_decoding.h"

namespace trims::demo {
namespace {

constexpr int kLineHeight = 48;
constexpr int kDirectionWidth = 192;
constexpr int kMinReadWidth = 320;
constexpr float kSureTurned = 0.9f;
constexpr int kDetectorStep = 32;  // the detector wants sides that are multiples of it

// Planes in the order blue, green, red, scaled to [-1, 1]; columns beyond the image are zero.
std::vector<float> Planes(const Image& image, int width) {
  std::vector<float> out(static_cast<size_t>(3) * width * image.height());
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < image.height(); ++y) {
      float* row = &out[(static_cast<size_t>(c) * image.height() + y) * width];
      for (int x = 0; x < image.width(); ++x) row[x] = image.at(x, y, 2 - c) / 127.5f - 1.0f;
    }
  }
  return out;
}

std::vector<Ort::Value> RunOnImage(Ort::Session& session, const Image& image, int width) {
  std::vector<float> planes = Planes(image, width);
  const int64_t shape[] = {1, 3, image.height(), width};
  const Ort::Value input = TensorOver(planes, shape);
  return RunModel(session, {&input, 1});
}

Image AsLine(const Image& image, int max_width) {
  const float ratio = static_cast<float>(image.width()) / image.height();
  const int width = static_cast<int>(std::ceil(kLineHeight * ratio));
  return image.Resized(std::clamp(width, 1, max_width), kLineHeight);
}

std::vector<Box> Detect(Ort::Session& detector, const Image& page) {
  const std::vector<Ort::Value> outputs = RunOnImage(detector, page, page.width());
  return FindTextBoxes(Floats(outputs[0]), page.width(), page.height());
}

bool IsTurned(Ort::Session& classifier, const Image& line) {
  const std::vector<Ort::Value> outputs =
      RunOnImage(classifier, AsLine(line, kDirectionWidth), kDirectionWidth);
  const std::span<const float> scores = Floats(outputs[0]);
  return scores.size() == 2 && scores[1] > kSureTurned;
}

// Class 0 is the blank, the last one the space; those between are in the model's metadata.
std::vector<std::string> LabelsOf(Ort::Session& recognizer) {
  Ort::AllocatorWithDefaultOptions allocator;
  const Ort::AllocatedStringPtr characters =
      recognizer.GetModelMetadata().LookupCustomMetadataMapAllocated("character", allocator);
  std::vector<std::string> labels = SplitLines(characters ? characters.get() : "");
  labels.insert(labels.begin(), "");
  labels.emplace_back(" ");
  return labels;
}

std::string Read(Ort::Session& recognizer, const Image& line, std::span<const std::string> labels) {
  const int width = std::max(kMinReadWidth, kLineHeight * line.width() / line.height());
  const std::vector<Ort::Value> outputs = RunOnImage(recognizer, AsLine(line, width), width);
  const auto shape = outputs[0].GetTensorTypeAndShapeInfo().GetShape();
  return DecodeText(Floats(outputs[0]), static_cast<size_t>(shape.back()), labels);
}

Result<std::string> ReadPage(const Arguments& arguments, std::span<Ort::Session* const> sessions) {
  TRIMS_ASSIGN_OR_RETURN(Image page, Image::Load(arguments.input));
  if (page.channels() != 3 || page.width() % kDetectorStep || page.height() % kDetectorStep) {
    return Status(
        StatusCode::kInvalidArgument,
        "expected a colour page whose sides are multiples of 32 in '" + arguments.input + "'");
  }
  const std::vector<std::string> labels = LabelsOf(*sessions[2]);
  std::string text;
  for (const Box& box : Detect(*sessions[0], page)) {
    Image line = page.Crop(box);
    if (IsTurned(*sessions[1], line)) line = line.TurnedAround();
    text += (text.empty() ? "" : " / ") + Read(*sessions[2], line, labels);
  }
  return text;
}

}  // namespace
}  // namespace trims::demo

int main(int argc, char** argv) {
  return trims::demo::RunFunction(argc, argv, 3, trims::demo::ReadPage);
}

// demo-ocr: the text in a picture, by a convolutional and recurrent network over the whole line.
#include "base/macros.h"
#include "demo/function.h"
#include "demo/image.h"
#include "demo/tensors.h"
#include "demo/text_decoding.h"

namespace trims::demo {
namespace {

constexpr int kHeight = 64;  // what the network was trained on

std::vector<float> Brightness(const Image& image) {
  std::vector<float> out;
  out.reserve(static_cast<size_t>(image.width()) * image.height());
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) out.push_back(image.at(x, y, 0) / 255.0f);
  }
  return out;
}

Result<std::string> ReadText(const Arguments& arguments, std::span<Ort::Session* const> sessions) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<std::string> labels, ReadLabels(arguments.labels));
  TRIMS_ASSIGN_OR_RETURN(Image image, Image::Load(arguments.input));
  image = image.Resized(image.width() * kHeight / image.height(), kHeight);
  std::vector<float> pixels = Brightness(image);
  const int64_t shape[] = {1, 1, kHeight, image.width()};
  const Ort::Value input = TensorOver(pixels, shape);
  const std::vector<Ort::Value> outputs = RunModel(*sessions[0], {&input, 1});
  const std::vector<int64_t> out_shape = outputs[0].GetTensorTypeAndShapeInfo().GetShape();
  return DecodeText(Floats(outputs[0]), static_cast<size_t>(out_shape.back()), labels);
}

}  // namespace
}  // namespace trims::demo

int main(int argc, char** argv) {
  return trims::demo::RunFunction(argc, argv, 1, trims::demo::ReadText);
}

#include "source/download_choice.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace trims {
namespace {

constexpr std::array<std::string_view, 3> kModels = {".safetensors", ".onnx", ".gguf"};
constexpr std::array<std::string_view, 13> kOthers = {
    ".ckpt",    ".gif", ".h5",  ".jpeg", ".jpg", ".mlmodel", ".mp4",
    ".msgpack", ".ot",  ".png", ".pt",   ".pth", ".tflite"};

std::string_view NameOf(const RemoteFile& file) {
  return std::string_view(file.name).substr(file.name.rfind('/') + 1);
}

template <typename Endings>
bool EndsWithOne(std::string_view name, const Endings& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [name](std::string_view ending) { return name.ends_with(ending); });
}

// PyTorch's pickles; ".bin" alone is also what ONNX calls its external data.
bool IsPickle(std::string_view name) {
  const bool named = name.starts_with("pytorch_model") || name.starts_with("training_args") ||
                     name.starts_with("diffusion_pytorch_model");
  return named && name.ends_with(".bin");
}

bool InMlPackage(const RemoteFile& file) {
  return file.name.find(".mlpackage/") != std::string::npos ||
         file.name.find(".mlmodelc/") != std::string::npos;
}

}  // namespace

std::vector<RemoteFile> WorthFetching(const std::vector<RemoteFile>& listed) {
  const bool known = std::any_of(listed.begin(), listed.end(), [](const RemoteFile& file) {
    return EndsWithOne(NameOf(file), kModels);
  });
  if (!known) return listed;
  std::vector<RemoteFile> files;
  std::copy_if(listed.begin(), listed.end(), std::back_inserter(files), [](const RemoteFile& file) {
    const std::string_view name = NameOf(file);
    return !EndsWithOne(name, kOthers) && !IsPickle(name) && !InMlPackage(file);
  });
  return files;
}

}  // namespace trims

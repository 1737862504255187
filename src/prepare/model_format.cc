#include "prepare/model_format.h"

#include <array>
#include <cstring>

#include "base/macros.h"

namespace trims {
namespace {

std::vector<size_t> EndingIn(const FileTree& source, std::string_view suffix) {
  std::vector<size_t> found;
  for (size_t i = 0; i < source.files().size(); ++i) {
    if (source.files()[i].name.ends_with(suffix)) found.push_back(i);
  }
  return found;
}

Result<bool> IsGguf(const FileTree& source, const ListedFile& file) {
  static constexpr char kMagic[] = {'G', 'G', 'U', 'F'};
  std::array<std::byte, sizeof(kMagic)> head;
  if (file.length < head.size()) return false;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(file.name));
  TRIMS_RETURN_IF_ERROR(bytes->ReadAt(0, head));
  return std::memcmp(head.data(), kMagic, sizeof(kMagic)) == 0;
}

}  // namespace

Result<ModelFormat> FormatOf(const FileTree& source) {
  const std::vector<size_t> onnx = EndingIn(source, ".onnx");
  if (onnx.size() == 1) return ModelFormat{"onnx", onnx, ""};
  const ListedFile* top = source.Find("model.onnx");
  if (top != nullptr) {
    return ModelFormat{"onnx",
                       {static_cast<size_t>(top - source.files().data())},
                       "of " + std::to_string(onnx.size()) + " .onnx files, model.onnx was taken"};
  }
  const std::vector<size_t> shards = EndingIn(source, ".safetensors");
  if (!shards.empty()) return ModelFormat{"safetensors", shards, ""};
  if (source.files().size() == 1) {
    TRIMS_ASSIGN_OR_RETURN(const bool gguf, IsGguf(source, source.files()[0]));
    if (gguf) return ModelFormat{"gguf", {0}, ""};
  }
  if (onnx.empty()) return ModelFormat{"files", {}, ""};
  return ModelFormat{
      "files",
      {},
      std::to_string(onnx.size()) + " .onnx files and none is model.onnx: kept as files only"};
}

}  // namespace trims

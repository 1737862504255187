// Answers for the readers: a line "safetensors PATH" or "onnx PATH" on the standard input makes a line
// of JSON on the standard output: whether the file is taken, and name, type, shape and digest of every
// tensor that the `tensors` variant would have. For differential_*.py.
#include <iostream>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/sha256.h"
#include "format/safetensors.h"
#include "prepare/onnx_source.h"
#include "source/file_bytes.h"
#include "source/file_tree.h"

namespace trims {
namespace {

using Json = nlohmann::json;

std::string_view TypeOf(const TensorEntry& entry) {
  return entry.dtype == DType::kUnknown ? std::string_view(entry.type_name)
                                        : DTypeName(entry.dtype);
}

Result<std::string> DigestOf(const TensorEntry& entry, const RandomAccess& file) {
  std::vector<std::byte> buffer(size_t{1} << 16);
  Sha256 hash;
  TRIMS_RETURN_IF_ERROR(ForEachChunk(file, entry.offset, entry.length, buffer, [&](auto chunk) {
    hash.Update(chunk);
    return Status();
  }));
  return hash.FinishHex();
}

Json Row(const TensorEntry& entry, std::string digest) {
  return {entry.name, TypeOf(entry), entry.shape, std::move(digest)};
}

Json CountsOf(const LeftOutTensors& left_out) {
  Json counts = Json::object();
  for (const auto& [why, group] : left_out) counts[why] = group.count;
  return counts;
}

Result<Json> AnswerSafetensors(const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(const FileBytes file, FileBytes::Open(path));
  TRIMS_ASSIGN_OR_RETURN(const Safetensors model, ReadSafetensors(file));
  Json tensors = Json::array();
  for (const TensorEntry& entry : model.tensors) {
    TRIMS_ASSIGN_OR_RETURN(std::string digest, DigestOf(entry, file));
    tensors.push_back(Row(entry, std::move(digest)));
  }
  return Json{{"tensors", std::move(tensors)},
              {"left_out", CountsOf(model.left_out)},
              {"metadata", model.metadata}};
}

Result<std::string> DigestOf(const OnnxTensor& tensor, const FileTree& tree,
                             const OnnxSource& onnx) {
  const bool external = tensor.storage == OnnxTensor::Storage::kExternal;
  const std::string& name = external ? onnx.external.at(tensor.location)->name : onnx.file->name;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file, tree.Open(name));
  if (tensor.storage != OnnxTensor::Storage::kTyped) return DigestOf(tensor.entry, *file);
  Sha256 hash;
  TRIMS_RETURN_IF_ERROR(DecodeTyped(*file, tensor, [&](std::span<const std::byte> chunk) {
    hash.Update(chunk);
    return Status();
  }));
  return hash.FinishHex();
}

// `folder` has a model.onnx.
Result<Json> AnswerOnnx(const std::string& folder) {
  TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At(SourceUri::OfPath(folder)));
  TRIMS_RETURN_IF_ERROR(tree.List().status());
  const ListedFile* file = tree.Find("model.onnx");
  if (file == nullptr) return Status(StatusCode::kNotFound, "no model.onnx there");
  TRIMS_ASSIGN_OR_RETURN(const OnnxSource onnx, ReadOnnxSource(tree, *file));
  Json tensors = Json::array();
  for (const OnnxTensor& tensor : onnx.model.initializers) {
    if (tensor.entry.dtype == DType::kUnknown) continue;
    TRIMS_ASSIGN_OR_RETURN(std::string digest, DigestOf(tensor, tree, onnx));
    tensors.push_back(Row(tensor.entry, std::move(digest)));
  }
  return Json{{"tensors", std::move(tensors)},
              {"left_out", CountsOf(onnx.model.left_out)},
              {"doubt", onnx.model.doubt.ok() ? "" : onnx.model.doubt.ToString()}};
}

Json Answer(const std::string& line) {
  const size_t space = line.find(' ');
  const std::string format = line.substr(0, space);
  const std::string path = space == std::string::npos ? "" : line.substr(space + 1);
  Result<Json> answer = format == "onnx" ? AnswerOnnx(path) : AnswerSafetensors(path);
  if (!answer.ok()) return {{"ok", false}, {"error", answer.status().ToString()}};
  (*answer)["ok"] = true;
  return *std::move(answer);
}

}  // namespace
}  // namespace trims

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    // Names that are no UTF-8 are never in a tensor; messages may quote anything.
    std::cout << trims::Answer(line).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)
              << std::endl;
  }
  return 0;
}

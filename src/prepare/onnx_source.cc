#include "prepare/onnx_source.h"

#include <utility>

#include "base/macros.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "prepare/unfinished.h"

namespace trims {
namespace {

// The reader has made sure that there is a plain path.
std::string BesideModel(const std::string& model, const std::string& location) {
  return std::string(FolderOfPath(model)) + PlainPathOf(location).value_or(location);
}

// `model`: its name in the source.
Status Missing(const FileTree& source, const std::string& model, const std::string& location) {
  const std::string inner(FolderOfPath(model));
  const std::string folder =
      source.folder() + (inner.empty() ? "" : "/" + inner.substr(0, inner.size() - 1));
  return Status(StatusCode::kNotFound,
                "the model keeps weights in '" + ShownName(location) +
                    "', which is not in its folder, " + ShownName(folder),
                "put that file beside the model");
}

// The reader knows offsets and not whose they are, and a folder may hold several files.
Status InFile(const ListedFile& file, const Status& status) {
  const bool cut = status.code() == StatusCode::kDataLoss;
  const std::string next = cut ? "get the file again" : "--variant files keeps any file as it is";
  return Status(status.code(), "'" + ShownName(file.name) + "': " + status.message(),
                status.hint().empty() ? next : status.hint());
}

Status CheckRange(const OnnxTensor& tensor, const ListedFile& file) {
  const TensorEntry& entry = tensor.entry;
  if (entry.offset <= file.length && entry.length <= file.length - entry.offset) return Status();
  return Status(StatusCode::kDataLoss,
                "'" + file.name + "' is truncated: tensor '" + ShownName(entry.name) + "' takes " +
                    std::to_string(entry.length) + " bytes at offset " +
                    std::to_string(entry.offset) + ", the file has " + std::to_string(file.length));
}

Status CheckExternal(const FileTree& source, const OnnxSource& onnx, const OnnxTensor& tensor) {
  if (tensor.storage != OnnxTensor::Storage::kExternal) return Status();
  const auto file = onnx.external.find(tensor.location);
  if (file == onnx.external.end()) return Missing(source, onnx.file->name, tensor.location);
  return CheckRange(tensor, *file->second);
}

// FAILED_PRECONDITION: ONNX Runtime would take what stands for a file in its place.
Status ResolveExternal(const FileTree& source, OnnxSource* onnx) {
  OnnxModel& model = onnx->model;
  for (const std::string& location : model.external_files) {
    const ListedFile* file = source.Find(BesideModel(onnx->file->name, location));
    if (file == nullptr) {
      if (model.doubt.ok()) model.doubt = Missing(source, onnx->file->name, location);
      continue;
    }
    TRIMS_RETURN_IF_ERROR(CheckFinished(source, *file));
    onnx->external.emplace(location, file);
    onnx->bytes += file->length;
  }
  std::erase_if(model.initializers, [&](const OnnxTensor& tensor) {
    const Status status = CheckExternal(source, *onnx, tensor);
    if (!status.ok()) model.LeaveOut(tensor.entry.name, status);
    return !status.ok();
  });
  return Status();
}

}  // namespace

Result<OnnxSource> ReadOnnxSource(const FileTree& source, const ListedFile& file) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(file.name));
  OnnxSource onnx;
  onnx.file = &file;
  onnx.bytes = file.length;
  Result<OnnxModel> model = ReadOnnx(*bytes);
  if (!model.ok()) return InFile(file, model.status());
  onnx.model = *std::move(model);
  if (!onnx.model.doubt.ok()) onnx.model.doubt = InFile(file, onnx.model.doubt);
  TRIMS_RETURN_IF_ERROR(ResolveExternal(source, &onnx));
  return onnx;
}

}  // namespace trims

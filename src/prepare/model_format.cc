#include "prepare/model_format.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "base/macros.h"
#include "base/shown_name.h"
#include "format/onnx.h"
#include "format/safetensors.h"
#include "prepare/onnx_choice.h"
#include "prepare/shard_check.h"
#include "prepare/shard_name.h"
#include "prepare/unfinished.h"

namespace trims {
namespace {

Result<bool> HasGgufMagic(const FileTree& source, const ListedFile& file) {
  static constexpr char kMagic[] = {'G', 'G', 'U', 'F'};
  std::array<std::byte, sizeof(kMagic)> head;
  if (file.length < head.size()) return false;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(file.name));
  TRIMS_RETURN_IF_ERROR(bytes->ReadAt(0, head));
  return std::memcmp(head.data(), kMagic, sizeof(kMagic)) == 0;
}

Result<std::vector<size_t>> GgufFiles(const FileTree& source) {
  std::vector<size_t> found;
  for (size_t i = 0; i < source.files().size(); ++i) {
    if (HasSuffix(source.files()[i].name, kGgufSuffix)) found.push_back(i);
  }
  if (!found.empty() || source.files().size() != 1) return found;
  TRIMS_ASSIGN_OR_RETURN(const bool gguf, HasGgufMagic(source, source.files()[0]));
  if (gguf) found.push_back(0);
  return found;
}

// Whoever points at one shard may mean it, but should know.
void NoteSingleShard(const FileTree& source, ModelFormat* format) {
  if (source.is_folder() || source.files().size() != 1) return;
  const std::string& name = source.files()[0].name;
  if (!HasSuffix(name, kSafetensorsSuffix)) return;
  const ShardName parsed = ParseShardName(name, kSafetensorsSuffix);
  if (parsed.shards < 2) return;
  format->notes.push_back("'" + ShownName(name) + "' is one of " + std::to_string(parsed.shards) +
                          " shards: add their folder, or their index, for the whole model");
}

// In how many folders of the source a file lies.
size_t Depth(const FileTree& source, size_t file) {
  const std::string& name = source.files()[file].name;
  return static_cast<size_t>(std::count(name.begin(), name.end(), '/'));
}

// A single file of any other name is what it holds, as to the frameworks, which are given paths. Most
// bytes are no header of a few fields, and no protocol buffer with a graph.
Result<std::string> FormatByContent(const RandomAccess& bytes) {
  if (ReadSafetensors(bytes).ok()) return std::string("safetensors");
  const Result<OnnxModel> model = ReadOnnx(bytes);
  if (model.ok() && model->ir_version > 0) return std::string("onnx");
  return std::string();
}

class Detector {
 public:
  Detector(const FileTree& source, std::string_view precision, bool files_only)
      : source_(source), precision_(precision), files_only_(files_only) {}

  Result<ModelFormat> Run() {
    OnnxChoice onnx = ChooseOnnx(source_, precision_);
    format_.onnx = onnx.file;
    TRIMS_RETURN_IF_ERROR(TakeSafetensors(onnx));
    if (IsNothingYet()) TRIMS_RETURN_IF_ERROR(TakeGguf());
    if (IsNothingYet()) TRIMS_RETURN_IF_ERROR(TakeMxnet());
    if (IsNothingYet() && !source_.is_folder()) TRIMS_RETURN_IF_ERROR(TakeByContent());
    if (!onnx.note.empty()) format_.notes.push_back(std::move(onnx.note));
    NoteSingleShard(source_, &format_);
    format_.name = Name();
    TRIMS_RETURN_IF_ERROR(OrNote(CheckParts()));
    return std::move(format_);
  }

 private:
  Status OrNote(const Status& status) {
    if (status.ok() || !files_only_) return status;
    format_.notes.push_back(status.message());
    return Status();
  }

  Status TakeSafetensors(const OnnxChoice& onnx) {
    Result<SafetensorsChoice> choice = ChooseSafetensors(source_, precision_);
    if (!choice.ok() && choice.status().code() == StatusCode::kNotFound && onnx.in_precision) {
      choice = ChooseSafetensors(source_, "");
    }
    if (!choice.ok()) {
      const Status& why = choice.status();
      if (why.code() != StatusCode::kFailedPrecondition) return OrNote(why);
      format_.notes.push_back("no tensors: " + why.message() + " (" + why.hint() + ")");
      return Status();
    }
    format_.safetensors = *std::move(choice);
    std::move(format_.safetensors.notes.begin(), format_.safetensors.notes.end(),
              std::back_inserter(format_.notes));
    if (precision_.empty() || !format_.safetensors.components.empty() || onnx.in_precision) {
      return Status();
    }
    const std::string offered = onnx.precisions.empty() ? "" : onnx.precisions.front();
    return OrNote(Status(StatusCode::kNotFound,
                         "no weights in the precision '" + ShownName(precision_) + "'" +
                             (offered.empty() ? "" : "; there are: " + ShownNames(onnx.precisions)),
                         offered.empty() ? "leave the precision away: trims add …"
                                         : "trims add … --precision " + offered));
  }

  Status TakeGguf() {
    TRIMS_ASSIGN_OR_RETURN(format_.gguf, GgufFiles(source_));
    // The parts belong together, whether one was pointed at or their folder.
    return OrNote(CheckShards(source_, format_.gguf, kGgufSuffix, "part"));
  }

  Status TakeMxnet() {
    TRIMS_ASSIGN_OR_RETURN(format_.mxnet, ChooseMxnet(source_));
    if (!format_.mxnet.note.empty()) format_.notes.push_back(format_.mxnet.note);
    return Status();
  }

  bool IsNothingYet() const {
    return !format_.onnx && format_.safetensors.components.empty() && format_.gguf.empty() &&
           !format_.mxnet.params;
  }

  Status TakeByContent() {
    const ListedFile& file = source_.files()[0];
    if (source_.files().size() != 1 || !CheckFinished(source_, file).ok()) return Status();
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source_.Open(file.name));
    TRIMS_ASSIGN_OR_RETURN(const std::string name, FormatByContent(*bytes));
    if (name == "onnx") format_.onnx = 0;
    if (name == "safetensors") format_.safetensors.components.push_back({.files = {0}});
    if (!name.empty() || files_only_) return Status();
    format_.notes.push_back(
        "'" + ShownName(file.name) +
        "' is neither ONNX nor safetensors nor GGUF nor MXNet's: kept as files only");
    return Status();
  }

  std::string Name() const {
    const std::vector<size_t> safetensors = format_.safetensors.Files();
    if (format_.onnx && safetensors.empty()) return "onnx";
    if (!format_.onnx && !safetensors.empty()) return "safetensors";
    if (!format_.onnx && format_.mxnet.params) return "mxnet";
    if (!format_.onnx) return format_.gguf.empty() ? "files" : "gguf";
    const bool deeper = Depth(source_, *format_.onnx) > Depth(source_, safetensors.front());
    return deeper ? "safetensors" : "onnx";
  }

  Status CheckParts() const {
    const std::vector<size_t> parts = format_.Parts();
    for (const size_t part : parts) {
      TRIMS_RETURN_IF_ERROR(CheckFinished(source_, source_.files()[part]));
    }
    return parts.empty() ? CheckNothingPartial(source_) : Status();
  }

  const FileTree& source_;
  const std::string_view precision_;
  const bool files_only_;
  ModelFormat format_;
};

}  // namespace

std::vector<size_t> ModelFormat::Parts() const {
  std::vector<size_t> parts = safetensors.Files();
  if (onnx) parts.push_back(*onnx);
  parts.insert(parts.end(), gguf.begin(), gguf.end());
  if (mxnet.params) parts.push_back(*mxnet.params);
  if (mxnet.symbol) parts.push_back(*mxnet.symbol);
  return parts;
}

Result<ModelFormat> FormatOf(const FileTree& source, std::string_view precision, bool files_only) {
  return Detector(source, precision, files_only).Run();
}

}  // namespace trims

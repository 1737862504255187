// TensorLayout: copies tensors out of files of any format into one extent, each at a multiple of
// 256 bytes, and small files behind them.
//
//   TensorLayout layout(out_file, progress, total_bytes);
//   TRIMS_RETURN_IF_ERROR(layout.AddRange(entry, file));
//   TRIMS_ASSIGN_OR_RETURN(const Laid laid, std::move(layout).Finish());
//
// The extent is rounded up to whole pages, so that it can be read directly to its end.
// Thread-safety: one thread.
#ifndef TRIMS_PREPARE_TENSOR_LAYOUT_H_
#define TRIMS_PREPARE_TENSOR_LAYOUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/onnx.h"
#include "format/tensor_entry.h"
#include "prepare/index_builder.h"
#include "prepare/out_folder.h"
#include "prepare/progress.h"

namespace trims {

inline constexpr uint64_t kTensorAlignment = 256;  // of a tensor in its extent

class TensorLayout {
 public:
  struct Laid {
    Written file;
    std::vector<IndexTensor> tensors;  // all in extent 0
    std::vector<IndexFile> files;      // likewise
  };

  TensorLayout(OutFile file, PrepareProgress& progress, uint64_t total);

  // The tensors that come, in their order, are laid so that layers can be shared: each that is true begins at a multiple of
  // kShareBlockBytes. Before the first.
  void Align(std::vector<bool> aligned) { aligned_ = std::move(aligned); }
  // What that left empty.
  uint64_t wasted() const { return wasted_; }

  // The bytes are [offset, offset + length) of `file`.
  Status AddRange(const TensorEntry& entry, const RandomAccess& file);
  // The bytes are in typed fields of the model `file`.
  Status AddTyped(const OnnxTensor& tensor, const RandomAccess& file);
  // A file of the variant, at a multiple of 4 KiB.
  Status AddFile(const std::string& name, std::string_view bytes);
  Result<Laid> Finish() &&;

 private:
  Status Begin(const TensorEntry& entry);
  Status Append(std::span<const std::byte> bytes);

  OutFile out_;
  PrepareProgress& progress_;
  uint64_t total_;
  std::vector<std::byte> buffer_;
  std::vector<bool> aligned_;  // empty: none
  uint64_t wasted_ = 0;
  std::vector<IndexTensor> tensors_;
  std::vector<IndexFile> files_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_TENSOR_LAYOUT_H_

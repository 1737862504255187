// OnnxChoice: which .onnx file of a source is the model.
//
//   const OnnxChoice choice = ChooseOnnx(source, "fp16");
//   if (choice.file) Read(source.files()[*choice.file]);
//
// Source: the conventions of optimum and transformers.js (onnx/model.onnx, onnx/model_fp16.onnx).
// Thread-safety: a pure function of the listing.
#ifndef TRIMS_PREPARE_ONNX_CHOICE_H_
#define TRIMS_PREPARE_ONNX_CHOICE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/file_tree.h"

namespace trims {

struct OnnxChoice {
  std::optional<size_t> file;
  bool in_precision = false;            // its name says the precision that was asked for
  std::vector<std::string> precisions;  // that names of its stem say
  std::string note;  // where the choice was not obvious, or there was none to make
};

// The only one; else model.onnx at the top or in onnx/; else the only stem in the precision that was
// asked for, or without one.
OnnxChoice ChooseOnnx(const FileTree& source, std::string_view precision);

}  // namespace trims

#endif  // TRIMS_PREPARE_ONNX_CHOICE_H_

// What the preparer writes of an ONNX model into the metadata of its variants, and adapters read: one name for
// both, so that they can't disagree. docs/adapters.md says what each means; the Python package has them, too.
//
//   metadata[ort_metadata::kForm] = ort_metadata::kFormBytes;
//
// In models that were prepared under another name adapters find nothing. Thread-safety: constants.
#ifndef TRIMS_BASE_ORT_METADATA_H_
#define TRIMS_BASE_ORT_METADATA_H_

namespace trims::ort_metadata {

// Of an `ort` variant.
inline constexpr char kForm[] = "ort.form";
inline constexpr char kFormBytes[] = "bytes";  // one file in ONNX Runtime's own format
inline constexpr char kFormNamed[] =
    "named";  // a graph without weights, and the weights as tensors
inline constexpr char kVersion[] = "ort.version";
inline constexpr char kProbe[] = "ort.probe";
inline constexpr char kPrepacking[] = "ort.prepacking";  // "1": sessions pack
inline constexpr char kGraphName[] = "onnx.graph_name";

// Of a `files` variant.
inline constexpr char kMainFile[] = "onnx.model";
inline constexpr char kNestedExternal[] = "onnx.nested_external";  // "1": there is such data

}  // namespace trims::ort_metadata

#endif  // TRIMS_BASE_ORT_METADATA_H_

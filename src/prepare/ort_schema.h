// OrtSchema: which fields of ONNX Runtime's own format lead elsewhere in the file.
//
//   for (const OrtField& field : OrtFieldsOf(OrtTable::kTensor)) …  // by their place in the table
//
// Source: ort.fbs of the ONNX Runtime project, versions 5 and 6 of the format. Thread-safety: constants.
#ifndef TRIMS_PREPARE_ORT_SCHEMA_H_
#define TRIMS_PREPARE_ORT_SCHEMA_H_

#include <cstdint>
#include <span>

namespace trims {

enum class OrtTable : uint8_t {
  kSession,
  kModel,
  kGraph,
  kNode,
  kNodeEdge,
  kAttribute,
  kTensor,
  kSparseTensor,
  kValueInfo,
  kTypeInfo,
  kTensorType,
  kSequenceType,
  kMapType,
  kShape,
  kDimension,
  kDimensionValue,
  kOperatorSet,
  kTextPair,
  kOptimizations,
  kOptimizationsEntry,
  kOptimization,
  kNodeIndices,
  kResolver,
  kResolverEntry,
  kResolverArgs,
  kArgument,
};

struct OrtField {
  enum class Kind : uint8_t {
    kUnknown,  // one that must not be there
    kPlain,    // in the table itself
    kText,     // elsewhere, without a way further: a text, a vector of numbers or structs
    kWeights,  // a vector of bytes that kernels compute with
    kTexts,
    kTable,
    kTables,
    kTypeValue,  // a table of the kind that the byte in the field before says
  };
  Kind kind = Kind::kUnknown;
  OrtTable table = OrtTable::kSession;  // of kTable and kTables
};

std::span<const OrtField> OrtFieldsOf(OrtTable table);

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_SCHEMA_H_

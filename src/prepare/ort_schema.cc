#include "prepare/ort_schema.h"

namespace trims {
namespace {

constexpr OrtField kUnknown{};
constexpr OrtField kPlain{OrtField::Kind::kPlain};
constexpr OrtField kText{OrtField::Kind::kText};
constexpr OrtField kTexts{OrtField::Kind::kTexts};
constexpr OrtField kWeights{OrtField::Kind::kWeights};
constexpr OrtField kTypeValue{OrtField::Kind::kTypeValue};

constexpr OrtField One(OrtTable table) { return {OrtField::Kind::kTable, table}; }
constexpr OrtField Many(OrtTable table) { return {OrtField::Kind::kTables, table}; }

constexpr OrtField kSession[] = {kText, One(OrtTable::kModel), kUnknown, One(OrtTable::kResolver)};
constexpr OrtField kModel[] = {
    kPlain, Many(OrtTable::kOperatorSet), kText, kText, kText, kPlain, kText, One(OrtTable::kGraph),
    kText,  Many(OrtTable::kTextPair)};
constexpr OrtField kGraph[] = {Many(OrtTable::kTensor),
                               Many(OrtTable::kValueInfo),
                               Many(OrtTable::kNode),
                               kPlain,
                               Many(OrtTable::kNodeEdge),
                               kTexts,
                               kTexts,
                               Many(OrtTable::kSparseTensor),
                               One(OrtTable::kOptimizations)};
constexpr OrtField kNode[] = {kText,
                              kText,
                              kText,
                              kPlain,
                              kPlain,
                              kText,
                              kPlain,
                              kText,
                              kTexts,
                              kTexts,
                              Many(OrtTable::kAttribute),
                              kText,
                              kTexts};
constexpr OrtField kNodeEdge[] = {kPlain, kText, kText};
constexpr OrtField kAttribute[] = {kText,
                                   kText,
                                   kPlain,
                                   kPlain,
                                   kPlain,
                                   kText,
                                   One(OrtTable::kTensor),
                                   One(OrtTable::kGraph),
                                   kText,
                                   kText,
                                   kTexts,
                                   Many(OrtTable::kTensor),
                                   Many(OrtTable::kGraph)};
constexpr OrtField kTensor[] = {kText, kText, kText, kPlain, kWeights, kTexts, kPlain};
constexpr OrtField kSparseTensor[] = {One(OrtTable::kTensor), One(OrtTable::kTensor), kText};
constexpr OrtField kValueInfo[] = {kText, kText, One(OrtTable::kTypeInfo)};
constexpr OrtField kTypeInfo[] = {kText, kPlain, kTypeValue};
constexpr OrtField kTensorType[] = {kPlain, One(OrtTable::kShape)};
constexpr OrtField kSequenceType[] = {One(OrtTable::kTypeInfo)};
constexpr OrtField kMapType[] = {kPlain, One(OrtTable::kTypeInfo)};
constexpr OrtField kShape[] = {Many(OrtTable::kDimension)};
constexpr OrtField kDimension[] = {One(OrtTable::kDimensionValue), kText};
constexpr OrtField kDimensionValue[] = {kPlain, kPlain, kText};
constexpr OrtField kOperatorSet[] = {kText, kPlain};
constexpr OrtField kTextPair[] = {kText, kText};
constexpr OrtField kOptimizations[] = {Many(OrtTable::kOptimizationsEntry)};
constexpr OrtField kOptimizationsEntry[] = {kText, Many(OrtTable::kOptimization)};
constexpr OrtField kOptimization[] = {kText, One(OrtTable::kNodeIndices), kUnknown, kTexts};
constexpr OrtField kNodeIndices[] = {kText, kPlain, kPlain, kPlain, kPlain, kPlain, kPlain};
constexpr OrtField kResolver[] = {Many(OrtTable::kResolverEntry)};
constexpr OrtField kResolverEntry[] = {kText, Many(OrtTable::kResolverArgs)};
constexpr OrtField kResolverArgs[] = {kText, Many(OrtTable::kArgument)};
constexpr OrtField kArgument[] = {kPlain, kPlain};

// In the order of OrtTable.
constexpr std::span<const OrtField> kTables[] = {
    kSession,        kModel,        kGraph,        kNode,          kNodeEdge,
    kAttribute,      kTensor,       kSparseTensor, kValueInfo,     kTypeInfo,
    kTensorType,     kSequenceType, kMapType,      kShape,         kDimension,
    kDimensionValue, kOperatorSet,  kTextPair,     kOptimizations, kOptimizationsEntry,
    kOptimization,   kNodeIndices,  kResolver,     kResolverEntry, kResolverArgs,
    kArgument};

}  // namespace

std::span<const OrtField> OrtFieldsOf(OrtTable table) {
  return kTables[static_cast<size_t>(table)];
}

}  // namespace trims

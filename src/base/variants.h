// Lists of variants, as command lines give them. Names of single ones: trims/model.h.
#ifndef TRIMS_BASE_VARIANTS_H_
#define TRIMS_BASE_VARIANTS_H_

#include <span>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

namespace trims {

// In their order. INVALID_ARGUMENT: one of them is no variant.
Result<std::vector<Variant>> VariantsFromNames(std::span<const std::string> names);

}  // namespace trims

#endif  // TRIMS_BASE_VARIANTS_H_

// The names of the enums of trims/model.h. Here, at the bottom, since the client and the daemon's
// layers both print them.
#include <iterator>
#include <string>

#include "trims/model.h"

#include "base/macros.h"
#include "base/variants.h"

namespace trims {
namespace {

// Indexed by the enums' values.
constexpr std::string_view kVariantNames[] = {"files", "tensors", "ort"};
constexpr std::string_view kPagesNames[] = {"4k", "thp", "hugetlb"};

}  // namespace

std::string_view VariantName(Variant variant) {
  const auto value = static_cast<size_t>(variant);
  return value < std::size(kVariantNames) ? kVariantNames[value] : "unknown";
}

Result<Variant> VariantFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kVariantNames); ++i) {
    if (kVariantNames[i] == name) return static_cast<Variant>(i);
  }
  return Status(StatusCode::kInvalidArgument,
                "no variant '" + std::string(name) + "': expected files, tensors or ort",
                "choose one of them, or leave it out for all that the format allows");
}

Result<std::vector<Variant>> VariantsFromNames(std::span<const std::string> names) {
  std::vector<Variant> variants;
  for (const std::string& name : names) {
    TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantFromName(name));
    variants.push_back(variant);
  }
  return variants;
}

std::string_view PagesName(Pages pages) {
  const auto value = static_cast<size_t>(pages);
  return value < std::size(kPagesNames) ? kPagesNames[value] : "unknown";
}

}  // namespace trims

#include "residency/host_copy.h"

#include <string>

namespace trims {

std::string_view HostCopyName(HostCopy copy) {
  switch (copy) {
    case HostCopy::kKeep:
      return "keep";
    case HostCopy::kDrop:
      return "drop";
    case HostCopy::kPin:
      return "pin";
  }
  return "unknown";
}

Result<HostCopy> ParseHostCopy(std::string_view name) {
  for (const HostCopy copy : {HostCopy::kKeep, HostCopy::kDrop, HostCopy::kPin}) {
    if (name == HostCopyName(copy)) return copy;
  }
  return Status(StatusCode::kInvalidArgument, "there is no host copy '" + std::string(name) + "'",
                "use one of keep, drop, pin");
}

}  // namespace trims

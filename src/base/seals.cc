#include "base/seals.h"

#include <string>

namespace trims {

Status CheckSealed(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0) return Status(StatusCode::kFailedPrecondition, "a descriptor of no memfd");
  if ((seals & kAllSeals) == kAllSeals) return Status();
  return Status(StatusCode::kFailedPrecondition, "a memfd with the seals " + std::to_string(seals) +
                                                     ", expected " + std::to_string(kAllSeals) +
                                                     ": its content may still change");
}

}  // namespace trims

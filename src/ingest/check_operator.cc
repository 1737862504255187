#include "ingest/check_operator.h"

#include <unistd.h>

#include <string>

namespace trims {

Status CheckOperator(const wire::Principal& principal) {
  if (principal.uid == 0 || principal.uid == ::geteuid()) return {};
  return Status(StatusCode::kPermissionDenied,
                "user " + std::to_string(principal.uid) +
                    " may not change the models of this daemon; user " +
                    std::to_string(::geteuid()) + " and root may",
                "run the command as that user (sudo -u)");
}

}  // namespace trims

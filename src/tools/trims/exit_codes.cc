#include "tools/trims/exit_codes.h"

namespace trims::cli {

int ExitCodeFor(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return kExitOk;
    case StatusCode::kInvalidArgument:
      return kExitUsage;
    case StatusCode::kNotFound:
      return kExitNotFound;
    case StatusCode::kUnavailable:
      return kExitUnavailable;
    case StatusCode::kPermissionDenied:
      return kExitPermissionDenied;
    case StatusCode::kTooLarge:
    case StatusCode::kQuotaExceeded:
    case StatusCode::kResourceExhausted:
      return kExitNoRoom;
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
      return kExitConflict;
    case StatusCode::kDeadlineExceeded:
      return kExitDeadline;
    case StatusCode::kDataLoss:
    case StatusCode::kUnimplemented:
    case StatusCode::kCancelled:
    case StatusCode::kInternal:
      return kExitFailure;
  }
  return kExitFailure;
}

}  // namespace trims::cli

#include "base/errno_status.h"

#include <cstring>

namespace trims {
namespace {

StatusCode CodeOfErrno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return StatusCode::kPermissionDenied;
    case ENOMEM:
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case EDQUOT:
      return StatusCode::kResourceExhausted;
    case ECONNREFUSED:
    case ECONNRESET:
    case ENOTCONN:
    case EPIPE:
      return StatusCode::kUnavailable;
    case EIO:
      return StatusCode::kDataLoss;
    case ENOSYS:
    case EOPNOTSUPP:
      return StatusCode::kUnimplemented;
    case ETIMEDOUT:
    case EAGAIN:
      return StatusCode::kDeadlineExceeded;
    default:
      return StatusCode::kInternal;
  }
}

}  // namespace

Status ErrnoStatus(const std::string& what, int error) {
  const char* name = ::strerrorname_np(error);
  return Status(CodeOfErrno(error),
                what + ": " +
                    (::strerrordesc_np(error) ? ::strerrordesc_np(error) : "unknown error") + " [" +
                    (name ? name : "?") + "]");
}

}  // namespace trims

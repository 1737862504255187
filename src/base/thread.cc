#include "base/thread.h"

#include <system_error>
#include <utility>

#include "base/errno_status.h"
#include "base/fault.h"

namespace trims {
namespace {

Status NoThread(int error) {
  return Status(StatusCode::kResourceExhausted, ErrnoStatus("starting a thread", error).message(),
                "raise the limit on processes (ulimit -u, pids.max) or free memory");
}

}  // namespace

Result<std::thread> StartThread(std::function<void()> body) {
  if (const int error = fault::Check(fault::Op::kThread); error != 0) return NoThread(error);
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& failure) {
    return NoThread(failure.code().value());
  }
}

}  // namespace trims

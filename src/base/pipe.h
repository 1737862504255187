// Pipe: both ends of a pipe, close-on-exec.
//
// Thread-safety: like two ints.
#ifndef TRIMS_BASE_PIPE_H_
#define TRIMS_BASE_PIPE_H_

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// `flags` as for pipe2(2), besides O_CLOEXEC.
Result<Pipe> MakePipe(int flags = 0);

}  // namespace trims

#endif  // TRIMS_BASE_PIPE_H_

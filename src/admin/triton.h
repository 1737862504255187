// Triton's model repository extension, so that tools which know a Triton server find the models here:
// POST /v2/repository/index, /v2/repository/models/NAME/load and /unload.
//
// Thread-safety: pure functions; AnswerTriton on the thread that has the link.
#ifndef TRIMS_ADMIN_TRITON_H_
#define TRIMS_ADMIN_TRITON_H_

#include <string>

#include "trims/status.h"

#include "admin/daemon_link.h"
#include "admin/message.h"

namespace trims::admin {

struct TritonCall {
  enum class Kind { kIndex, kLoad, kUnload };
  Kind kind = Kind::kIndex;
  std::string model;
  std::string variant;      // of load's "parameters"; empty: the most prepared one that there is
  std::string tier;         // likewise; empty: the host's memory
  bool ready_only = false;  // of index
};

// NOT_FOUND: no such path. INVALID_ARGUMENT: the body. UNIMPLEMENTED: of the extension, but not here.
Result<TritonCall> ParseTritonCall(const HttpRequest& request);

HttpResponse AnswerTriton(const TritonCall& call, DaemonLink& link);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_TRITON_H_

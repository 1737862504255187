// PushCalls: how who pushes a model hears how far that is, and says that it is to stop.
#ifndef TRIMS_INGEST_PUSH_CALLS_H_
#define TRIMS_INGEST_PUSH_CALLS_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/cancel_token.h"

namespace trims {

struct PushCalls {
  // On any thread, one call after the other; may be empty.
  std::function<void(std::string_view stage, uint64_t done, uint64_t total)> progress = {};
  CancelToken* cancel = nullptr;  // may be none
};

}  // namespace trims

#endif  // TRIMS_INGEST_PUSH_CALLS_H_

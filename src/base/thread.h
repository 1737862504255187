// StartThread: a thread, or the reason why there is none. std::thread throws where the system has
// no more threads to give; this doesn't.
//
//   TRIMS_ASSIGN_OR_RETURN(std::thread reader, StartThread([&] { ReadAll(); }));
//   reader.join();
#ifndef TRIMS_BASE_THREAD_H_
#define TRIMS_BASE_THREAD_H_

#include <functional>
#include <thread>

#include "trims/status.h"

namespace trims {

// RESOURCE_EXHAUSTED: no thread could be made; `body` has not run. Fault injection:
// fault::Op::kThread.
Result<std::thread> StartThread(std::function<void()> body);

}  // namespace trims

#endif  // TRIMS_BASE_THREAD_H_

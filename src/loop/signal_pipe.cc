#include "loop/signal_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/pipe.h"

namespace trims {
namespace {

constexpr int kNone = -1;

std::atomic<int> write_end_of_handler{kNone};
static_assert(std::atomic<int>::is_always_lock_free);

// A full pipe has signals enough in it.
void Handle(int signal) {
  const int error = errno;
  const auto byte = static_cast<unsigned char>(signal);
  static_cast<void>(!::write(write_end_of_handler.load(), &byte, 1));
  errno = error;
}

}  // namespace

Result<std::unique_ptr<SignalPipe>> SignalPipe::Catch(std::initializer_list<int> signals) {
  TRIMS_ASSIGN_OR_RETURN(Pipe pipe, MakePipe(O_NONBLOCK));
  int none = kNone;
  if (!write_end_of_handler.compare_exchange_strong(none, pipe.write.get()))
    return Status(StatusCode::kFailedPrecondition, "another event loop catches signals");
  std::unique_ptr<SignalPipe> made(new SignalPipe(std::move(pipe.read), std::move(pipe.write)));
  for (const int signal : signals) TRIMS_RETURN_IF_ERROR(made->Install(signal));
  return made;
}

Status SignalPipe::Install(int signal) {
  struct sigaction action = {};
  struct sigaction before;
  action.sa_handler = Handle;
  action.sa_flags = SA_RESTART;
  if (::sigaction(signal, &action, &before) != 0)
    return ErrnoStatus("catching signal " + std::to_string(signal));
  before_.emplace_back(signal, before);
  return Status();
}

SignalPipe::~SignalPipe() {
  for (const auto& [signal, before] : before_) ::sigaction(signal, &before, nullptr);
  write_end_of_handler.store(kNone);
}

void SignalPipe::Take(const std::function<void(int signal)>& call) {
  std::array<unsigned char, 16> bytes;
  const ssize_t count = ::read(read_end_.get(), bytes.data(), bytes.size());
  for (ssize_t i = 0; i < count; ++i) call(bytes[static_cast<size_t>(i)]);
}

}  // namespace trims

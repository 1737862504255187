#include "client/tracer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/traceparent.h"

namespace trims::client {
namespace {

constexpr int kMostNames = 16;

Tracer* MakeFromEnvironment() {
  const char* folder = ::secure_getenv("TRIMS_TRACE");
  if (folder == nullptr || *folder == '\0') return nullptr;
  return new Tracer(folder);
}

}  // namespace

Tracer::~Tracer() { delete output_.load(); }

Tracer* Tracer::OfProcess() {
  static Tracer* const tracer = MakeFromEnvironment();
  return tracer;
}

void Tracer::Record(std::span<ChromeSpan> spans) {
  Output* const output = OutputOfProcess();
  std::vector<std::string> events;
  events.reserve(spans.size());
  for (ChromeSpan& span : spans) {
    span.pid = output->pid;
    span.tid = ::gettid();
    events.push_back(ChromeSpanText(span));
  }
  MutexLock lock(output->mutex);
  if (!output->file) return;
  if (output->file->bytes() > kMostBytes || !output->file->Append(events).ok())
    output->file.reset();
}

// The system is asked once: for each open that would be most of what a trace costs.
uint64_t Tracer::NewId() {
  Output* const output = OutputOfProcess();
  const uint64_t number = output->ids.fetch_add(1, std::memory_order_relaxed);
  return MixBits(output->seed + number) | 1;
}

// Two threads may make one at once; then the file of one of them stays empty, and goes.
Tracer::Output* Tracer::OutputOfProcess() {
  Output* there = output_.load(std::memory_order_acquire);
  if (there != nullptr && there->pid == ::getpid()) return there;
  std::unique_ptr<Output> made = MakeOutput();
  if (output_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) {
    return made.release();  // what a parent had stays where it is, maybe locked
  }
  MutexLock lock(made->mutex);
  if (made->file) ::unlink(made->file->path().c_str());
  return there;
}

std::unique_ptr<Tracer::Output> Tracer::MakeOutput() const {
  auto output = std::make_unique<Output>();
  output->pid = ::getpid();
  std::random_device device;
  output->seed = uint64_t{device()} << 32 | device();
  Result<TraceFile> file = CreateFile(output->pid);
  MutexLock lock(output->mutex);
  if (file.ok()) output->file.emplace(*std::move(file));
  return output;
}

Result<TraceFile> Tracer::CreateFile(pid_t pid) const {
  ::mkdir(folder_.c_str(), 0700);  // there already, or the next step says so
  const std::string name =
      folder_ + "/" + program_invocation_short_name + "-" + std::to_string(pid);
  const std::string more = "-" + std::to_string(UnixMicrosecondsNow());
  const ChromeWriter writer{.pid = pid,
                            .program = program_invocation_short_name,
                            .monotonic = SteadyClock().Now().time_since_epoch(),
                            .unix_us = UnixMicrosecondsNow()};
  for (int i = 0;; ++i) {
    const std::string number = i == 0 ? "" : "-" + std::to_string(i);
    Result<TraceFile> file = TraceFile::Create(name + more + number + ".json");
    if (file.status().code() == StatusCode::kAlreadyExists && i < kMostNames) continue;
    if (!file.ok()) return file;
    const std::vector<std::string> head = {ChromeWriterText(writer),
                                           ChromeProcessName(pid, writer.program)};
    TRIMS_RETURN_IF_ERROR(file->Append(head));
    return file;
  }
}

}  // namespace trims::client

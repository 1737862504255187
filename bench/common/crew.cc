#include "common/crew.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdio>
#include <new>

#include "base/errno_status.h"
#include "base/macros.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

constexpr int64_t kStartDelayNs = 20'000'000;

Result<std::byte*> SharedMemory(size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return ErrnoStatus("map memory for results");
  return static_cast<std::byte*>(data);
}

Status MakePipe(UniqueFd* read_end, UniqueFd* write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("pipe");
  read_end->reset(ends[0]);
  write_end->reset(ends[1]);
  return {};
}

}  // namespace

Result<Crew> Crew::Start(size_t members, size_t capacity, const CrewWork& work) {
  Crew crew;
  crew.members_ = members;
  const size_t header = sizeof(std::atomic<int64_t>) + members * sizeof(SampleSink);
  TRIMS_ASSIGN_OR_RETURN(std::byte* const memory,
                         SharedMemory(header + members * capacity * sizeof(int64_t)));
  crew.start_ns_ = new (memory) std::atomic<int64_t>(0);
  auto* const sinks = reinterpret_cast<SampleSink*>(memory + sizeof(std::atomic<int64_t>));
  crew.sinks_ = {sinks, members};
  for (size_t i = 0; i < members; ++i) {
    new (sinks + i) SampleSink;
    sinks[i].capacity_ = capacity;
    sinks[i].samples_ = reinterpret_cast<int64_t*>(memory + header) + i * capacity;
  }
  TRIMS_RETURN_IF_ERROR(MakePipe(&crew.ready_read_, &crew.ready_write_));
  TRIMS_RETURN_IF_ERROR(MakePipe(&crew.go_read_, &crew.go_write_));
  for (size_t i = 0; i < members; ++i) {
    const pid_t pid = fork();
    if (pid < 0) return ErrnoStatus("fork");
    if (pid == 0) crew.RunMember(i, work);
    crew.pids_.push_back(pid);
  }
  TRIMS_RETURN_IF_ERROR(crew.ReleaseMembers());
  return crew;
}

void Crew::RunMember(size_t member, const CrewWork& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  ready_read_.reset();
  go_write_.reset();
  const auto wait_for_start = [this]() -> int64_t {
    char byte = 1;
    if (write(ready_write_.get(), &byte, 1) != 1) _exit(1);
    ready_write_.reset();
    if (read(go_read_.get(), &byte, 1) != 0) _exit(1);  // the end of the pipe is the word
    const int64_t start = start_ns_->load();
    SleepUntil(start);
    return start;
  };
  const Status status = work(member, wait_for_start, &sinks_[member]);
  if (!status.ok()) std::fprintf(stderr, "member %zu: %s\n", member, status.ToString().c_str());
  _exit(status.ok() ? 0 : 1);
}

Status Crew::ReleaseMembers() {
  ready_write_.reset();
  go_read_.reset();
  for (size_t ready = 0; ready < members_; ++ready) {
    char byte;
    if (read(ready_read_.get(), &byte, 1) != 1) {
      return Status(StatusCode::kInternal, "a member failed before it was ready");
    }
  }
  start_ns_->store(NowNs() + kStartDelayNs);
  go_write_.reset();
  return {};
}

Status Crew::Join() {
  size_t failed = 0;
  for (const pid_t pid : pids_) {
    int state = 0;
    if (waitpid(pid, &state, 0) != pid || state != 0) ++failed;
  }
  pids_.clear();
  if (failed == 0) return {};
  return Status(StatusCode::kInternal,
                std::to_string(failed) + " of the measuring processes failed");
}

Crew::~Crew() {
  for (const pid_t pid : pids_) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

}  // namespace trims::bench

// The examples of src/base/.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <thread>

#include "base/ascii.h"
#include "base/byte_rate.h"
#include "base/direct_file.h"
#include "base/errno_status.h"
#include "base/fault.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "base/log_throttle.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/mapping.h"
#include "base/mutex.h"
#include "base/ort_metadata.h"
#include "base/program.h"
#include "base/random_access.h"
#include "base/seals.h"
#include "base/sha256.h"
#include "base/thread.h"
#include "base/unique_fd.h"
#include "base/uring.h"
#include "base/write_all.h"
#include "base/xxh3.h"

namespace trims {
namespace {

struct Sealable {
  Status Seal() { return {}; }
};
Status Load() { return {}; }
void ReadAll() {}

Status DirectFileExample(UniqueFd fd, const std::string& path, std::span<const std::byte> bytes) {
  // example: src/base/direct_file.h
  DirectFile file(std::move(fd), path);
  if (!file.WriteAt(bytes, 0)) return ErrnoStatus("can't write " + path);
  // end
  return {};
}
void EXPECT_EQ(StatusCode, StatusCode) {}
Result<UniqueFd> OpenFile(const std::string&) { return UniqueFd(); }

void ByteRateExample(const Clock& clock, uint64_t done, uint64_t total, TimePoint began) {
  // example: src/base/byte_rate.h
  const uint64_t rate = BytesPerSecond(done, clock.Now() - began);
  const std::optional<std::chrono::milliseconds> left = RemainingTime(total - done, rate);
  // end
  static_cast<void>(left);
}

void FaultExample() {
  // example: src/base/fault.h
  for (int nth = 1;; ++nth) {
    fault::ScopedPlan plan({.op = fault::Op::kFallocate, .nth = nth, .error = ENOSPC});
    Status status = Load();
    if (!plan.fired()) break;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  }
  // end
}

void FixedTextExample(const Status& status) {
  struct {
    char message[64];
  } reply;
  // example: src/base/fixed_text.h
  PutText(status.message(), reply.message);
  const std::string message = TextOf(reply.message);
  // end
}

Status SealsExample(int fd) {
  // example: src/base/seals.h
  TRIMS_RETURN_IF_ERROR(CheckSealed(fd));
  // end
  return {};
}

void LogExample(const std::string& name, uint64_t size) {
  // example: src/base/log.h
  LogInfo("segment.resident", {{"model", name}, {"bytes", size}});
  // end
}

void LogThrottleExample(const SteadyClock& clock, uid_t uid) {
  // example: src/base/log_throttle.h
  LogThrottle throttle(&clock, 10);
  if (throttle.Admit()) LogWarning("connection.violation", {{"uid", uid}});
  LogWarning("connection.violations_suppressed", {{"count", throttle.TakeSuppressed()}});
  // end
}

Status MacrosExample(Sealable& file, const std::string& path) {
  // example: src/base/macros.h
  TRIMS_RETURN_IF_ERROR(file.Seal());
  TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, OpenFile(path));
  // end
  return {};
}

void OrtMetadataExample(std::map<std::string, std::string> metadata) {
  // example: src/base/ort_metadata.h
  metadata[ort_metadata::kForm] = ort_metadata::kFormBytes;
  // end
}

Status MappingExample(int fd) {
  // example: src/base/mapping.h
  TRIMS_ASSIGN_OR_RETURN(Mapping range, Mapping::Reserve(2 * kHugePageSize, kHugePageSize));
  TRIMS_RETURN_IF_ERROR(range.MapInto(0, kHugePageSize, fd, PROT_READ));
  // end
  return {};
}

class MutexExample {
  using Job = int;
  CondVar wakeup_;
  // example: src/base/mutex.h
  Mutex mutex_;
  std::deque<Job> jobs_ TRIMS_GUARDED_BY(mutex_);
  void WaitForJob() {
    MutexLock lock(mutex_);
    while (jobs_.empty()) wakeup_.Wait(mutex_);
    // end
  }
};

void ProgramExample() {
  // example: src/base/program.h
  const std::string path = FindProgram("trimsd", {OwnFolder()});  // empty: nowhere
  // end
}

Status RandomAccessExample() {
  // example: src/base/random_access.h
  const std::string text = "0123";
  const SpanBytes bytes(std::as_bytes(std::span(text)), "digits");
  std::array<std::byte, 2> middle;
  TRIMS_RETURN_IF_ERROR(bytes.ReadAt(1, middle));
  // end
  return {};
}

void Sha256Example(std::span<const std::byte> bytes) {
  // example: src/base/sha256.h
  Sha256 hash;
  hash.Update(bytes);
  std::string digest = hash.FinishHex();  // 64 lower-case hexadecimal digits
  // end
}

Status ThreadExample() {
  // example: src/base/thread.h
  TRIMS_ASSIGN_OR_RETURN(std::thread reader, StartThread([&] { ReadAll(); }));
  reader.join();
  // end
  return {};
}

Status UringExample(int fd, std::span<std::byte> bytes) {
  // example: src/base/uring.h
  TRIMS_ASSIGN_OR_RETURN(Uring ring, Uring::Create(64));
  ring.Prepare({.fd = fd, .offset = 0, .destination = bytes, .tag = 7});
  if (ring.Submit() < 1) return {};
  const Uring::Done done = ring.Wait();
  // end
  return {};
}

void AsciiExample(std::string name) {
  // example: src/base/ascii.h
  std::ranges::transform(name, name.begin(), LowerAscii);
  // end
}

Status MakeFoldersExample() {
  // example: src/base/make_folders.h
  TRIMS_RETURN_IF_ERROR(MakeFolder("/data/models"));
  TRIMS_RETURN_IF_ERROR(MakeFoldersOf("/data/models", "a/b/w.bin"));
  TRIMS_RETURN_IF_ERROR(SyncName("/data/models"));
  // end
  return {};
}

Status WriteAllExample(int fd, std::span<const std::byte> bytes, const std::string& path) {
  // example: src/base/write_all.h
  if (!WriteAll(fd, bytes)) return ErrnoStatus("can't write " + path);
  // end
  return {};
}

void Xxh3Example(std::span<const std::byte> bytes, std::span<const std::byte> first_half,
                 std::span<const std::byte> second_half) {
  // example: src/base/xxh3.h
  const uint64_t whole = Xxh3Of(bytes);
  Xxh3 hash;
  hash.Update(first_half);
  hash.Update(second_half);
  hash.Finish();
  // end
}

}  // namespace
}  // namespace trims

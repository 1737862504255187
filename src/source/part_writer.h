// PartWriter: writes the ranges of a file to the disk out of the memory into which they came, in the order in
// which they are given, while others come.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto writer, PartWriter::Start(std::move(file), path, wrote));
//   TRIMS_RETURN_IF_ERROR(writer->Write(range, offset, bytes));
//   TRIMS_RETURN_IF_ERROR(writer->Finish());  // all are written, though not durable
//
// A thread of its own writes. Destroyed early, it ends the write under way and leaves out what waits.
// Thread-safety: one thread.
#ifndef TRIMS_SOURCE_PART_WRITER_H_
#define TRIMS_SOURCE_PART_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "trims/status.h"

#include "base/direct_file.h"
#include "base/mutex.h"

namespace trims {

class PartWriter {
 public:
  // On the writer's thread, after the bytes of a range were written.
  using Wrote = std::function<void(uint64_t range, std::span<const std::byte> bytes)>;

  // `path` is for messages. RESOURCE_EXHAUSTED: no thread.
  static Result<std::unique_ptr<PartWriter>> Start(DirectFile file, std::string path, Wrote wrote);
  ~PartWriter();
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  // `bytes` stay as they are until the writer ends. The first error of what was given before.
  Status Write(uint64_t range, uint64_t offset, std::span<const std::byte> bytes);
  // Once.
  Status Finish();

  int fd() const { return file_.fd(); }

 private:
  struct Step {
    uint64_t range = 0;
    uint64_t offset = 0;
    std::span<const std::byte> bytes;
  };

  PartWriter(DirectFile file, std::string path, Wrote wrote)
      : file_(std::move(file)), path_(std::move(path)), wrote_(std::move(wrote)) {}
  void Run();
  bool Next(Step* step);
  Status WriteStep(const Step& step) const;
  void Fail(const Status& status);

  const DirectFile file_;
  const std::string path_;
  const Wrote wrote_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Step> waiting_ TRIMS_GUARDED_BY(mutex_);
  bool finishing_ TRIMS_GUARDED_BY(mutex_) = false;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;
  Status status_ TRIMS_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_PART_WRITER_H_

#include "source/part_writer.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/thread.h"

namespace trims {

Result<std::unique_ptr<PartWriter>> PartWriter::Start(DirectFile file, std::string path,
                                                      Wrote wrote) {
  std::unique_ptr<PartWriter> writer(
      new PartWriter(std::move(file), std::move(path), std::move(wrote)));
  TRIMS_ASSIGN_OR_RETURN(writer->thread_, StartThread([writer = writer.get()] { writer->Run(); }));
  return writer;
}

PartWriter::~PartWriter() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

Status PartWriter::Write(uint64_t range, uint64_t offset, std::span<const std::byte> bytes) {
  MutexLock lock(mutex_);
  waiting_.push_back({range, offset, bytes});
  changed_.NotifyAll();
  return status_;
}

Status PartWriter::Finish() {
  {
    MutexLock lock(mutex_);
    finishing_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
  MutexLock lock(mutex_);
  return status_;
}

void PartWriter::Run() {
  for (Step step; Next(&step);) {
    const Status status = WriteStep(step);
    if (!status.ok()) return Fail(status);
    wrote_(step.range, step.bytes);
  }
}

// Waits for one. False: there is none to come.
bool PartWriter::Next(Step* step) {
  MutexLock lock(mutex_);
  while (!stopped_ && waiting_.empty() && !finishing_) changed_.Wait(mutex_);
  if (stopped_ || waiting_.empty()) return false;
  *step = waiting_.front();
  waiting_.pop_front();
  return true;
}

Status PartWriter::WriteStep(const Step& step) const {
  if (file_.WriteAt(step.bytes, step.offset)) return Status();
  return ErrnoStatus("can't write " + path_);
}

void PartWriter::Fail(const Status& status) {
  MutexLock lock(mutex_);
  status_ = status;
}

}  // namespace trims

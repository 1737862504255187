#include "trace/trace_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims {
namespace {

constexpr std::string_view kEnd = "\n]\n";

// Spaces, which are nothing in JSON, between the last event and the end: what is written over them makes the file no longer,
// which is what an append costs on a disk's file system.
constexpr size_t kRoom = size_t{32} << 10;

// As it was: what a failed write left goes.
void Restore(int fd, uint64_t end, uint64_t room_end) {
  const std::string rest = std::string(room_end - end, ' ') + std::string(kEnd);
  const auto at = static_cast<off_t>(end);
  if (sys::Pwrite(fd, rest.data(), rest.size(), at) != static_cast<ssize_t>(rest.size())) return;
  [[maybe_unused]] const int cut = sys::Ftruncate(fd, at + static_cast<off_t>(rest.size()));
}

}  // namespace

Result<TraceFile> TraceFile::Create(const std::string& path, TraceFileOptions options) {
  const int how = options.replace ? 0 : O_EXCL;
  UniqueFd fd =
      sys::Open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | how, 0600);
  if (!fd && errno == EEXIST)
    return Status(StatusCode::kAlreadyExists, "there is a file '" + path + "'");
  if (!fd) return ErrnoStatus("can't write a trace to '" + path + "'");
  struct stat info;
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument, "'" + path + "' is no regular file",
                  "name a file that may be written anew");
  }
  if (sys::Ftruncate(fd.get(), 0) != 0) return ErrnoStatus("can't empty '" + path + "'");
  TraceFile file(std::move(fd), path);
  const std::string whole = "[" + std::string(kEnd);
  if (sys::Pwrite(file.fd_.get(), whole.data(), whole.size(), 0) !=
      static_cast<ssize_t>(whole.size())) {
    return ErrnoStatus("can't write a trace to '" + path + "'");
  }
  return file;
}

Status TraceFile::Append(std::span<const std::string> events) {
  if (events.empty()) return Status();
  std::string text;
  for (const std::string& event : events) {
    text += empty_ && text.empty() ? "\n" : ",\n";
    text += event;
  }
  TRIMS_RETURN_IF_ERROR(Overwrite(text));
  empty_ = false;
  return Status();
}

Status TraceFile::Overwrite(std::string_view text) {
  std::string whole(text);
  const bool fits = end_ + text.size() <= room_end_;
  if (!fits) whole += std::string(kRoom, ' ') + std::string(kEnd);
  const ssize_t written =
      sys::Pwrite(fd_.get(), whole.data(), whole.size(), static_cast<off_t>(end_));
  if (written == static_cast<ssize_t>(whole.size())) {
    end_ += text.size();
    if (!fits) room_end_ = end_ + kRoom;
    return Status();
  }
  const Status why = written < 0
                         ? ErrnoStatus("can't write to '" + path_ + "'")
                         : Status(StatusCode::kResourceExhausted,
                                  "'" + path_ + "' took a part of an event", "is the disk full?");
  Restore(fd_.get(), end_, room_end_);
  return why;
}

}  // namespace trims

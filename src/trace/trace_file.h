// TraceFile: a Chrome trace on the disk that is a whole one at each moment, also if its writer is killed.
//
//   TRIMS_ASSIGN_OR_RETURN(TraceFile file, TraceFile::Create(path, {.replace = true}));
//   TRIMS_RETURN_IF_ERROR(file.Append({ChromeSpanText(span)}));   // [ … ] is whole again when it returns
//
// Each append is one pwrite(2) over spaces before the array's end, or over that end, so nothing is kept in memory and nothing is left to do at the end.
// Thread-safety: one thread at a time.
#ifndef TRIMS_TRACE_TRACE_FILE_H_
#define TRIMS_TRACE_TRACE_FILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

struct TraceFileOptions {
  bool replace = false;  // what is there already; else ALREADY_EXISTS
};

class TraceFile {
 public:
  // Of mode 0600: names of models are in it. No symbolic link is followed. INVALID_ARGUMENT: `path` is no regular file, over
  // whose end could be written.
  static Result<TraceFile> Create(const std::string& path, TraceFileOptions options = {});

  // Each a JSON object. On failure (a full disk) the file is what it was before.
  Status Append(std::span<const std::string> events);

  uint64_t bytes() const { return end_; }
  const std::string& path() const { return path_; }

 private:
  TraceFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status Overwrite(std::string_view text);

  UniqueFd fd_;
  std::string path_;
  uint64_t end_ = 1;       // behind the last event
  uint64_t room_end_ = 1;  // behind the spaces that follow, where what ends the array begins
  bool empty_ = true;
};

}  // namespace trims

#endif  // TRIMS_TRACE_TRACE_FILE_H_

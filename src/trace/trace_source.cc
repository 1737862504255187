#include "trace/trace_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/shown_name.h"
#include "base/sys.h"

namespace trims {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;

}  // namespace

Result<std::unique_ptr<TraceSource>> TraceSource::Open(const std::string& path) {
  UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (!fd) return ErrnoStatus("can't read '" + ShownName(path) + "'");
  struct stat info;
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument, "'" + ShownName(path) + "' is a folder, no trace",
                  "name the files in it");
  }
  return std::unique_ptr<TraceSource>(new TraceSource(std::move(fd), path));
}

std::unique_ptr<TraceSource> TraceSource::Of(std::string text) {
  std::unique_ptr<TraceSource> source(new TraceSource(UniqueFd(), ""));
  source->text_ = std::move(text);
  return source;
}

TraceSource::int_type TraceSource::underflow() {
  if (at_end_ || too_long_ || !status_.ok()) return traits_type::eof();
  too_long_ = read_ - marked_ > kMostBetweenMarks;
  if (too_long_) return traits_type::eof();
  const size_t count = Fill();
  if (count == 0) return traits_type::eof();
  read_ += count;
  setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
  return traits_type::to_int_type(buffer_.front());
}

size_t TraceSource::Fill() {
  buffer_.resize(kBufferBytes);
  size_t count = 0;
  if (!fd_) {
    count = std::min(kBufferBytes, text_.size() - std::min<size_t>(read_, text_.size()));
    std::copy_n(text_.data() + read_, count, buffer_.data());
  } else {
    const ssize_t got = sys::Read(fd_.get(), buffer_.data(), buffer_.size());
    if (got < 0) return status_ = ErrnoStatus("reading '" + ShownName(path_) + "'"), 0;
    count = static_cast<size_t>(got);
  }
  at_end_ = count == 0;
  return count;
}

}  // namespace trims

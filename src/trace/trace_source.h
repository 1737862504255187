// TraceSource: a file's characters for a parser, which end early where one event would take too much memory.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<TraceSource> source, TraceSource::Open(path));
//   std::istream in(source.get());
//   …
//   source->Mark();   // what was read until now is dealt with
//
// Thread-safety: one thread at a time.
#ifndef TRIMS_TRACE_TRACE_SOURCE_H_
#define TRIMS_TRACE_TRACE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

class TraceSource final : public std::streambuf {
 public:
  static constexpr uint64_t kMostBetweenMarks = uint64_t{1} << 20;

  // NOT_FOUND, PERMISSION_DENIED; INVALID_ARGUMENT: a folder.
  static Result<std::unique_ptr<TraceSource>> Open(const std::string& path);
  // What is in memory, for tests and fuzzers.
  static std::unique_ptr<TraceSource> Of(std::string text);

  void Mark() { marked_ = read_; }
  // Whether its characters ended for one of these reasons.
  bool at_end() const { return at_end_; }
  bool too_long() const { return too_long_; }
  const Status& status() const { return status_; }

 protected:
  int_type underflow() override;

 private:
  TraceSource(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  size_t Fill();

  UniqueFd fd_;  // none: of `text_`
  std::string path_;
  std::string text_;
  std::vector<char> buffer_;
  uint64_t read_ = 0;
  uint64_t marked_ = 0;
  bool at_end_ = false;
  bool too_long_ = false;
  Status status_;
};

}  // namespace trims

#endif  // TRIMS_TRACE_TRACE_SOURCE_H_

// ProgressLines: what a preparer's child says on its descriptor, read with bounds: it has met
// untrusted input.
//
//   TRIMS_RETURN_IF_ERROR(lines.Feed(bytes));        // any cut of the stream
//   if (lines.progress()) Show(*lines.progress());   // the last one of those bytes
//
// preparer.h gives the form of the lines. Thread-safety: none.
#ifndef TRIMS_INGEST_PROGRESS_LINES_H_
#define TRIMS_INGEST_PROGRESS_LINES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

class ProgressLines {
 public:
  static constexpr size_t kMaxLineBytes = 4096;
  static constexpr size_t kMaxStageBytes = 64;

  struct Progress {
    std::string stage;
    uint64_t done = 0;
    uint64_t total = 0;
  };

  // INTERNAL: a line is too long or is none of the two forms; nothing after it is looked at.
  Status Feed(std::string_view bytes);

  // The last progress since the last call; the ones before it are passed over, so that a chatty
  // child costs little.
  std::optional<Progress> TakeProgress();

  // What the child said went wrong; OK if it said nothing of the kind.
  const Status& error() const { return error_; }

 private:
  Status FeedLine(std::string_view line);

  std::string partial_;
  std::optional<Progress> progress_;
  Status error_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_PROGRESS_LINES_H_

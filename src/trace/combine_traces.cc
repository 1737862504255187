#include "trace/combine_traces.h"

#include <sys/stat.h>

#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/shown_name.h"
#include "trace/chrome_text.h"
#include "trace/trace_file.h"
#include "trace/trace_reader.h"

namespace trims {
namespace {

using Json = nlohmann::json;

constexpr size_t kAtOnce = 256;
constexpr size_t kMostWriters = 100'000;
// Beyond what a kernel gives to a process (2^22), and what the daemon's tracks have.
constexpr int64_t kFirstNewPid = 6'000'000;

bool SameFile(const std::string& a, const std::string& b) {
  struct stat first;
  struct stat second;
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

class Combiner {
 public:
  explicit Combiner(TraceFile* out) : out_(*out) {}

  Status Take(const std::string& path) {
    moved_.reset();
    TRIMS_ASSIGN_OR_RETURN(const TraceRead read,
                           ReadTrace(path, [this](Json event) { return Take(std::move(event)); }));
    if (read.cut_off) done_.cut_off.push_back(path);
    return Status();
  }

  Result<CombinedTraces> Finish() {
    TRIMS_RETURN_IF_ERROR(Write());
    return std::move(done_);
  }

 private:
  struct Moved {
    int64_t from;
    int64_t to;
  };

  Status Take(Json event) {
    const auto pid = event.find("pid");
    if (pid != event.end() && pid->is_number_integer()) Renumber(event, &*pid);
    waiting_.push_back(event.dump(-1, ' ', false, Json::error_handler_t::replace));
    ++done_.events;
    return waiting_.size() < kAtOnce ? Status() : Write();
  }

  void Renumber(const Json& event, Json* pid) {
    const auto number = pid->get<int64_t>();
    const auto name = event.find("name");
    const bool writer =
        name != event.end() && *name == kChromeWriterName && writers_.size() < kMostWriters;
    if (writer && !writers_.insert(number).second) {
      moved_ = Moved{number, NewPid()};
      ++done_.renumbered;
    }
    if (moved_ && moved_->from == number) *pid = moved_->to;
  }

  // A file that was combined before has such numbers, too.
  int64_t NewPid() {
    while (!writers_.insert(next_pid_).second) ++next_pid_;
    return next_pid_++;
  }

  Status Write() {
    TRIMS_RETURN_IF_ERROR(out_.Append(waiting_));
    waiting_.clear();
    return Status();
  }

  TraceFile& out_;
  CombinedTraces done_;
  std::set<int64_t> writers_;
  int64_t next_pid_ = kFirstNewPid;
  std::optional<Moved> moved_;  // in the file that is read
  std::vector<std::string> waiting_;
};

}  // namespace

Result<CombinedTraces> CombineTraces(const std::vector<std::string>& paths,
                                     const std::string& out) {
  for (const std::string& path : paths) {
    if (!SameFile(path, out)) continue;
    return Status(StatusCode::kInvalidArgument,
                  "'" + ShownName(out) + "' is one of those to combine", "write to another file");
  }
  TRIMS_ASSIGN_OR_RETURN(TraceFile file, TraceFile::Create(out, {.replace = true}));
  Combiner combiner(&file);
  for (const std::string& path : paths) TRIMS_RETURN_IF_ERROR(combiner.Take(path));
  return combiner.Finish();
}

}  // namespace trims

#include "ingest/process_preparer.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <optional>
#include <utility>

#include "base/child_process.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/pipe.h"
#include "base/sys.h"
#include "format/manifest_runs.h"
#include "ingest/adopt_sources.h"
#include "ingest/landed.h"
#include "ingest/progress_lines.h"
#include "ingest/pushed_folder.h"
#include "ingest/record_digests.h"
#include "ingest/share_blocks.h"

namespace trims {
namespace {

constexpr off_t kMaxManifestBytes = off_t{64} << 20;
constexpr size_t kReadBytes = 64 * 1024;
constexpr int kMaxReadsAtOnce = 16;  // then other work of the loop has its turn

using Done = std::function<void(Result<Manifest>)>;

// What the child wrote is not to be trusted: not its kind, nor its size.
Result<std::string> ReadManifestFile(const std::string& path) {
  const UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return ErrnoStatus("trims-prepare left no manifest: " + path);
  struct stat state {};
  if (::fstat(fd.get(), &state) != 0) return ErrnoStatus("can't look at " + path);
  if (!S_ISREG(state.st_mode) || state.st_size > kMaxManifestBytes) {
    return Status(StatusCode::kInternal, path + " is no regular file of at most 64 MiB");
  }
  std::string text(static_cast<size_t>(state.st_size), '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = sys::Read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0) return ErrnoStatus("can't read " + path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  text.resize(filled);
  return text;
}

Result<Manifest> ReadManifest(const std::string& folder) {
  Result<std::string> text = ReadManifestFile(folder + "/manifest.json");
  if (!text.ok()) return text.status();
  return ParseManifest(*text);
}

std::string OriginOf(const PrepareJob& job) {
  return job.downloaded ? job.downloaded->from.ToString() : job.source.ToString();
}

Status Record(const PrepareJob& job, Manifest* manifest) {
  if (job.landed) return RecordLanded(*job.landed, manifest);
  if (job.share_with)
    return ShareBlocks(job.out_folder, *job.share_with, job.granularity, manifest);
  return RecordDigests(job.out_folder, manifest);
}

// The child has met untrusted bytes: where the model came from and what it is known by are not its
// words to give.
Result<Manifest> ReadResult(const PrepareJob& job) {
  TRIMS_ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(job.out_folder));
  manifest.source = OriginOf(job);
  for (ManifestVariant& variant : manifest.variants) variant.remote.reset();
  TRIMS_RETURN_IF_ERROR(DropSharing(&manifest));
  if (job.downloaded) {
    TRIMS_RETURN_IF_ERROR(AdoptSources(job.downloaded->folder, job.out_folder, &manifest));
  }
  TRIMS_RETURN_IF_ERROR(Record(job, &manifest));
  return manifest;
}

// For people, so that one too many is left out.
void Note(const std::string& note, Manifest* manifest) {
  std::vector<std::string>& notes = manifest->notes;
  const bool noted = std::find(notes.begin(), notes.end(), note) != notes.end();
  if (!noted && notes.size() < kMaxManifestNotes) notes.push_back(note);
}

Result<Manifest> Import(const PrepareJob& job) {
  const std::string origin = OriginOf(job);
  TRIMS_ASSIGN_OR_RETURN(Manifest manifest, ImportPushed({.folder = job.source.path,
                                                          .incoming = job.out_folder,
                                                          .variants = job.wishes.variants,
                                                          .remote = job.downloaded ? origin : ""}));
  manifest.source = origin;
  if (job.downloaded) Note("pushed by another node: the first open fetches its bytes", &manifest);
  return manifest;
}

std::vector<std::string> Arguments(const ProcessPreparerOptions& options, const PrepareJob& job) {
  std::vector<std::string> arguments = {*options.program,
                                        "--source",
                                        job.source.ToString(),
                                        "--out",
                                        job.out_folder,
                                        "--progress-fd",
                                        std::to_string(ChildProcess::kPassedFd),
                                        "--memory-limit",
                                        std::to_string(options.memory_limit),
                                        "--time-limit",
                                        std::to_string(options.time_limit.count())};
  std::string variants;
  for (const Variant variant : job.wishes.variants) {
    variants += (variants.empty() ? "" : ",") + std::string(VariantName(variant));
  }
  if (!variants.empty()) arguments.insert(arguments.end(), {"--variant", variants});
  if (job.landed) arguments.push_back("--undigested");
  if (job.granularity == Granularity::kLayer) arguments.push_back("--layers");
  if (!job.wishes.precision.empty()) {
    arguments.push_back("--precision=" + job.wishes.precision);  // which may begin with a dash
  }
  for (const std::string& path : job.wishes.onnxruntime_extensions) {
    arguments.push_back("--onnxruntime-extension=" + path);
  }
  if (!options.onnxruntime_library.empty()) {
    arguments.insert(arguments.end(), {"--onnxruntime-library", options.onnxruntime_library});
  }
  return arguments;
}

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? std::to_string(signal) : "SIG" + std::string(name);
}

// What the end of a child that reported nothing means.
Status SilentEnd(const ExitState& end) {
  if (!end.signalled) {
    return Status(StatusCode::kInternal, "trims-prepare ended with status " +
                                             std::to_string(end.value) + " without a word");
  }
  const std::string what = "trims-prepare was killed by " + SignalName(end.value);
  if (end.value == SIGXCPU)
    return Status(StatusCode::kDeadlineExceeded, what + ": its limit of time");
  if (end.value == SIGXFSZ || end.value == SIGKILL) {
    return Status(StatusCode::kResourceExhausted,
                  what + ": its limit of memory or file size, or the machine's");
  }
  return Status(StatusCode::kInternal, what);
}

// One child in flight.
class Preparation {
 public:
  Preparation(ChildProcess child, UniqueFd pipe, Preparer::Progress progress)
      : child_(std::move(child)), pipe_(std::move(pipe)), progress_(std::move(progress)) {}

  // `ended` runs on the loop once; this may be destroyed in it.
  Status Watch(FdWatcher* watcher, TimerService* timers, std::chrono::seconds limit,
               std::function<void()> ended) {
    ended_ = std::move(ended);
    TRIMS_ASSIGN_OR_RETURN(pipe_watch_, watcher->WatchReadable(pipe_.get(), [this] { OnLines(); }));
    TRIMS_ASSIGN_OR_RETURN(child_watch_,
                           watcher->WatchReadable(child_.pidfd(), [this] { OnEnd(); }));
    timers_ = timers;
    timer_ = timers->CallAfter(limit, [this, limit] {
      timer_ = 0;
      Kill(Status(StatusCode::kDeadlineExceeded,
                  "preparing the model took longer than " + std::to_string(limit.count()) + " s",
                  "prepare less at once: trims add … --variant files"));
    });
    return {};
  }
  ~Preparation() {
    if (timer_ != 0) timers_->Cancel(timer_);
  }

  // After `ended`: OK if the child did well.
  const Status& verdict() const { return verdict_; }

 private:
  // The first verdict stands.
  void Kill(const Status& why) {
    if (verdict_.ok()) verdict_ = why;
    child_.KillGroup();
  }

  // False if the child has nothing more to say, for now or ever.
  bool ReadOnce() {
    char buffer[kReadBytes];
    const ssize_t got = sys::Read(pipe_.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      pipe_watch_.reset();
      if (got < 0) Kill(ErrnoStatus("can't read what trims-prepare says"));
      return false;
    }
    const Status status = lines_.Feed({buffer, static_cast<size_t>(got)});
    if (status.ok()) return true;
    pipe_watch_.reset();
    Kill(status);
    return false;
  }

  void OnLines() {
    int reads = 0;
    while (reads < kMaxReadsAtOnce && ReadOnce()) ++reads;
    const std::optional<ProgressLines::Progress> progress = lines_.TakeProgress();
    if (progress && progress_) progress_(progress->stage, progress->done, progress->total);
  }

  void OnEnd() {
    child_watch_.reset();
    const ExitState end = child_.Collect();  // nobody writes to the pipe from here on
    if (pipe_watch_) OnLines();
    pipe_watch_.reset();
    if (verdict_.ok()) verdict_ = lines_.error();
    if (verdict_.ok() && (end.signalled || end.value != 0)) verdict_ = SilentEnd(end);
    ended_();
  }

  ChildProcess child_;
  UniqueFd pipe_;
  Preparer::Progress progress_;
  std::function<void()> ended_;
  ProgressLines lines_;
  Status verdict_;
  TimerService* timers_ = nullptr;
  uint64_t timer_ = 0;
  std::unique_ptr<FdWatch> pipe_watch_;  // the watches end before what they watch
  std::unique_ptr<FdWatch> child_watch_;
};

class ProcessPreparer final : public Preparer {
 public:
  ProcessPreparer(const ProcessPreparerOptions& options,
                  const ProcessPreparerDependencies& dependencies)
      : options_(options), dependencies_(dependencies) {}

  Status Ready() const override { return options_.program.status(); }

  void Prepare(PrepareJob job, Progress progress, Done done) override {
    Request request{std::move(job), std::move(progress), std::move(done)};
    if (request.job.pushed) return FinishBy(Import, std::make_shared<Request>(std::move(request)));
    if (const Status ready = Ready(); !ready.ok()) return request.done(ready);
    waiting_.push_back(std::move(request));
    StartWaiting();
  }

 private:
  struct Request {
    PrepareJob job;
    Progress progress;
    Done done;
  };
  using Running = std::list<std::unique_ptr<Preparation>>;

  void StartWaiting() {
    while (!waiting_.empty() && running_.size() < static_cast<size_t>(options_.max_concurrent)) {
      Request request = std::move(waiting_.front());
      waiting_.pop_front();
      if (const Status status = Start(&request); !status.ok()) {
        LogError("prepare.start_failed", {{"error", status}});
        request.done(status);
      }
    }
  }

  // `request` loses its callbacks only on success.
  Status Start(Request* request) {
    TRIMS_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
    if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoStatus("setting a pipe");
    TRIMS_ASSIGN_OR_RETURN(ChildProcess child,
                           ChildProcess::Spawn(Arguments(options_, request->job), pipe.write.get(),
                                               {"LD_LIBRARY_PATH"}));
    auto preparation =
        std::make_unique<Preparation>(std::move(child), std::move(pipe.read), request->progress);
    const auto place = running_.insert(running_.end(), std::move(preparation));
    auto shared = std::make_shared<Request>(*request);
    const Status status =
        (*place)->Watch(dependencies_.watcher, dependencies_.timers, options_.time_limit,
                        [this, place, shared] { Ended(place, shared); });
    if (!status.ok()) running_.erase(place);
    return status;
  }

  void Ended(Running::iterator place, std::shared_ptr<Request> request) {
    const std::unique_ptr<Preparation> ended = std::move(*place);
    running_.erase(place);
    const Status verdict = ended->verdict();
    StartWaiting();
    if (!verdict.ok()) return request->done(verdict);
    FinishBy(ReadResult, std::move(request));
  }

  // `read` runs on the worker, and what it gives is the request's result.
  void FinishBy(Result<Manifest> (*read)(const PrepareJob&), std::shared_ptr<Request> request) {
    auto manifest = std::make_shared<std::optional<Result<Manifest>>>();
    dependencies_.worker->Run([read, manifest, request] { *manifest = read(request->job); },
                              [manifest, request, alive = std::weak_ptr<bool>(alive_)] {
                                if (!alive.expired()) request->done(std::move(**manifest));
                              });
  }

  const ProcessPreparerOptions options_;
  const ProcessPreparerDependencies dependencies_;
  std::deque<Request> waiting_;
  Running running_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Preparer> MakeProcessPreparer(const ProcessPreparerOptions& options,
                                              const ProcessPreparerDependencies& dependencies) {
  return std::make_unique<ProcessPreparer>(options, dependencies);
}

}  // namespace trims

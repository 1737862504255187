#include "ingest/process_preparer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "base/fault.h"
#include "base/unique_fd.h"
#include "format/chunk_digests.h"
#include "ingest/progress_lines.h"
#include "support/manager_fakes.h"

namespace trims {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// FdWatcher on poll(2), turned by the test.
class PollWatcher final : public FdWatcher {
 public:
  Result<std::unique_ptr<FdWatch>> WatchReadable(int fd, std::function<void()> ready) override {
    watches_[++last_] = {fd, std::move(ready)};
    return std::unique_ptr<FdWatch>(std::make_unique<Watch>(this, last_));
  }
  // Waits until something is ready and calls it.
  void RunOnce() {
    ASSERT_FALSE(watches_.empty());
    std::vector<pollfd> fds;
    std::vector<int> ids;
    for (const auto& [id, watch] : watches_) {
      fds.push_back({.fd = watch.first, .events = POLLIN, .revents = 0});
      ids.push_back(id);
    }
    ASSERT_GT(::poll(fds.data(), fds.size(), 60'000), 0);
    for (size_t i = 0; i < fds.size(); ++i) {
      const auto found = watches_.find(ids[i]);
      if (fds[i].revents == 0 || found == watches_.end()) continue;
      const std::function<void()> ready = found->second.second;
      ready();
    }
  }
  size_t size() const { return watches_.size(); }

 private:
  struct Watch final : FdWatch {
    Watch(PollWatcher* watcher, int id) : watcher(watcher), id(id) {}
    ~Watch() override { watcher->watches_.erase(id); }
    PollWatcher* const watcher;
    const int id;
  };
  std::map<int, std::pair<int, std::function<void()>>> watches_;
  int last_ = 0;
};

class ProcessPreparerTest : public ::testing::Test {
 protected:
  ProcessPreparerTest() {
    char folder[] = "/tmp/trims-preparer-XXXXXX";
    folder_ = ::mkdtemp(folder);
    out_ = folder_ + "/out";
    fs::create_directory(out_);
  }
  ~ProcessPreparerTest() override {
    preparer_.reset();
    fs::remove_all(folder_);
  }

  // Starts a Prepare with a shell script in the place of trims-prepare.
  void Start(const std::string& script) {
    const std::string program = folder_ + "/prepare";
    std::ofstream(program) << "#!/bin/sh\n" << script;
    ::chmod(program.c_str(), 0700);
    preparer_ = MakeProcessPreparer({.program = program,
                                     .onnxruntime_library = "/lib/ort.so",
                                     .memory_limit = 1000,
                                     .time_limit = std::chrono::seconds(7)},
                                    {.timers = &timers_, .watcher = &watcher_, .worker = &worker_});
    Again();
  }
  void Again() {
    outcome_.reset();
    preparer_->Prepare(
        {.source = SourceUri::OfPath("/models/m"),
         .out_folder = out_,
         .wishes = {.variants = {Variant::kOrt},
                    .precision = "fp16",
                    .onnxruntime_extensions = {"/ops.so"}}},
        [this](std::string_view stage, uint64_t done, uint64_t total) {
          progress_.push_back(std::string(stage) + " " + std::to_string(done) + "/" +
                              std::to_string(total));
        },
        [this](Result<Manifest> manifest) { outcome_ = std::move(manifest); });
  }
  Status Wait() {
    while (!outcome_ && !HasFatalFailure()) watcher_.RunOnce();
    EXPECT_EQ(watcher_.size(), 0u);
    EXPECT_EQ(timers_.pending(), 0u);
    return outcome_ ? outcome_->status() : Status(StatusCode::kInternal, "no answer");
  }
  Status Run(const std::string& script) {
    Start(script);
    return Wait();
  }
  void WriteExtent(const std::string& out, std::string_view bytes) {
    fs::create_directory(out + "/files");
    std::ofstream(out + "/files/data") << bytes;
  }
  void WriteManifest() {
    Manifest manifest =
        test::MakeManifest(test::Digest('a'), {test::MakeVariant(Variant::kFiles, 1)});
    ManifestExtent& extent = manifest.variants[0].extents[0];
    std::string bytes(extent.length, '\0');
    bytes.replace(0, 8, "weights!");
    WriteExtent(out_, "weights!");
    extent.sha256 = test::Digest('f');  // a child's word, which counts for nothing
    extent.xxh3 = ChunkSumsOf(std::as_bytes(std::span(bytes)));
    std::ofstream(folder_ + "/manifest") << ManifestToJson(manifest);
  }

  std::string folder_;
  std::string out_;
  ManualClock clock_;
  test::FakeTimers timers_{&clock_};
  PollWatcher watcher_;
  test::InlineWorker worker_;
  std::unique_ptr<Preparer> preparer_;
  std::vector<std::string> progress_;
  std::optional<Result<Manifest>> outcome_;
};

TEST_F(ProcessPreparerTest, GivesTheManifestAndTheProgress) {
  WriteManifest();
  const Status status = Run("echo \"$@\" > " + folder_ + "/arguments; env > " + folder_ +
                            "/environment\n" + "ls /proc/self/fd > " + folder_ + "/fds\n" +
                            R"(echo '{"stage":"read","done":1,"total":3}' >&3; cp )" + folder_ +
                            "/manifest " + out_ + "/manifest.json");
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ((**outcome_).digest, test::Digest('a'));
  EXPECT_THAT(progress_, ElementsAre("read 1/3"));
  std::string arguments;
  std::getline(std::ifstream(folder_ + "/arguments"), arguments);
  EXPECT_EQ(arguments, "--source file:///models/m --out " + out_ +
                           " --progress-fd 3 --memory-limit 1000 --time-limit 7 --variant ort "
                           "--precision=fp16 --onnxruntime-extension=/ops.so "
                           "--onnxruntime-library /lib/ort.so");
  std::stringstream fds;
  fds << std::ifstream(folder_ + "/fds").rdbuf();
  EXPECT_EQ(fds.str(), "0\n1\n2\n3\n4\n");  // 4 is ls's own, of the folder
}

TEST_F(ProcessPreparerTest, PassesOnWhatTheChildReports) {
  const Status status = Run(
      R"(echo '{"error":{"code":"DATA_LOSS","message":"cut short","hint":"copy it again"}}' >&3; exit 1)");
  EXPECT_EQ(status, Status(StatusCode::kDataLoss, "cut short", "copy it again"));
}

TEST_F(ProcessPreparerTest, KillsTheWholeGroupAtTheDeadline) {
  const std::string alive = folder_ + "/alive";  // a pipe that ends once nobody holds it any more
  ASSERT_EQ(::mkfifo(alive.c_str(), 0600), 0);
  const UniqueFd reader(::open(alive.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Start("exec 4>" + alive + "; sleep 60 3>&- & " +
        R"(echo '{"stage":"hang","done":0,"total":0}' >&3; wait)");
  while (progress_.empty() && !HasFatalFailure()) watcher_.RunOnce();  // the grandchild is there
  timers_.Advance(std::chrono::seconds(7));
  const Status status = Wait();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(status.message(), HasSubstr("7 s"));
  pollfd ended{.fd = reader.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ended, 1, 30'000), 1) << "the grandchild is still there";
}

TEST_F(ProcessPreparerTest, SilentEndsAreTyped) {
  EXPECT_EQ(Run("exit 3").code(), StatusCode::kInternal);
  EXPECT_EQ(Run("kill -SEGV $$").code(), StatusCode::kInternal);
  EXPECT_THAT(outcome_->status().message(), HasSubstr("SIGSEGV"));
  EXPECT_EQ(Run("kill -KILL $$").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Run("kill -XCPU $$").code(), StatusCode::kDeadlineExceeded);
}

TEST_F(ProcessPreparerTest, GarbageEndsTheChild) {
  EXPECT_THAT(Run("echo garbage >&3; sleep 1000").message(), HasSubstr("no JSON object"));
  EXPECT_THAT(Run("head -c 5000 /dev/zero >&3; sleep 1000").message(), HasSubstr("4096"));
  EXPECT_EQ(outcome_->status().code(), StatusCode::kInternal);
}

TEST_F(ProcessPreparerTest, TheManifestIsNotTrusted) {
  EXPECT_EQ(Run("exit 0").code(), StatusCode::kNotFound);
  EXPECT_FALSE(Run("echo '{}' > " + out_ + "/manifest.json").ok());
  EXPECT_FALSE(Run("rm -f " + out_ + "/*; ln -s /etc/passwd " + out_ + "/manifest.json").ok());
  EXPECT_FALSE(Run("rm -f " + out_ + "/*; mkfifo " + out_ + "/manifest.json").ok());
}

TEST_F(ProcessPreparerTest, AFailedStartIsReportedAndTheNextWorks) {
  WriteManifest();
  const std::string script = "cp " + folder_ + "/manifest " + out_ + "/manifest.json";
  {
    fault::ScopedPlan plan({.op = fault::Op::kSpawn, .nth = 1, .error = EAGAIN});
    EXPECT_EQ(Run(script).code(), StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired());
  }
  Again();
  EXPECT_TRUE(Wait().ok());
}

TEST_F(ProcessPreparerTest, AMissingProgramSaysWhich) {
  preparer_ = MakeProcessPreparer({.program = folder_ + "/none", .onnxruntime_library = {}},
                                  {.timers = &timers_, .watcher = &watcher_, .worker = &worker_});
  Again();
  EXPECT_EQ(Wait().code(), StatusCode::kNotFound);
  EXPECT_THAT(outcome_->status().message(), HasSubstr("/none"));
}

TEST_F(ProcessPreparerTest, TheDigestsAreOfWhatLiesThere) {
  WriteManifest();
  const Status status = Run("cp " + folder_ + "/manifest " + out_ + "/manifest.json");
  ASSERT_TRUE(status.ok()) << status.ToString();
  std::string bytes(4096, '\0');
  bytes.replace(0, 8, "weights!");
  EXPECT_EQ((**outcome_).variants[0].extents[0].sha256,
            TreeDigestOf(std::as_bytes(std::span(bytes))));
  EXPECT_EQ((**outcome_).source, "file:///models/m");
}

TEST_F(ProcessPreparerTest, WhatChangedMeanwhileIsRefused) {
  WriteManifest();
  WriteExtent(out_, "w3ights!");
  const Status status = Run("cp " + folder_ + "/manifest " + out_ + "/manifest.json");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status.ToString();
  EXPECT_NE(status.message().find("changed meanwhile"), std::string::npos) << status.ToString();
}

TEST_F(ProcessPreparerTest, WithoutAProgramItSaysWhyNot) {
  const Status why(StatusCode::kFailedPrecondition, "none in /usr/bin", "--preparer PATH");
  preparer_ = MakeProcessPreparer({.program = why, .onnxruntime_library = {}},
                                  {.timers = &timers_, .watcher = &watcher_, .worker = &worker_});
  EXPECT_EQ(preparer_->Ready(), why);
  Again();
  EXPECT_EQ(outcome_->status(), why);
}

TEST_F(ProcessPreparerTest, FurtherJobsWait) {
  WriteManifest();
  Start("cp " + folder_ + "/manifest $4/manifest.json");  // $4: what follows --out
  std::vector<Status> answers;
  for (const char* name : {"/1", "/2", "/3"}) {
    fs::create_directory(folder_ + name);
    WriteExtent(folder_ + name, "weights!");
    preparer_->Prepare(
        {.source = SourceUri::OfPath("/models/m"),
         .out_folder = folder_ + name,
         .wishes = {.variants = {}}},
        nullptr, [&](const Result<Manifest>& manifest) { answers.push_back(manifest.status()); });
  }
  EXPECT_EQ(watcher_.size(), 4u);  // two children, two watches each
  while (answers.size() < 3 && !HasFatalFailure()) watcher_.RunOnce();
  EXPECT_THAT(answers, ElementsAre(Status(), Status(), Status()));
  while (!outcome_ && !HasFatalFailure()) watcher_.RunOnce();
  EXPECT_TRUE(outcome_->ok());
}

TEST_F(ProcessPreparerTest, DestroyedItEndsItsChildren) {
  Start("sleep 1000");
  preparer_.reset();
  EXPECT_EQ(watcher_.size(), 0u);
  EXPECT_EQ(timers_.pending(), 0u);
  EXPECT_FALSE(outcome_);
}

TEST(ProgressLines, AnyCutOfTheStreamReadsTheSame) {
  const std::string text =
      "{\"stage\":\"a\",\"done\":1,\"total\":2}\n{\"stage\":\"b\",\"done\":2,\"total\":2}\n";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    ProgressLines lines;
    EXPECT_TRUE(lines.Feed(text.substr(0, cut)).ok());
    EXPECT_TRUE(lines.Feed(text.substr(cut)).ok());
    EXPECT_EQ(lines.TakeProgress()->stage, "b");
    EXPECT_FALSE(lines.TakeProgress());
  }
}

TEST(ProgressLines, RefusesEverythingElse) {
  for (const char* line : {"\n", "[]\n", "{}\n", "{\"stage\":\"a\"}\n", "{\"error\":1}\n", "\xff\n",
                           "{\"stage\":\"a\",\"done\":-1,\"total\":2}\n"}) {
    EXPECT_EQ(ProgressLines().Feed(line).code(), StatusCode::kInternal) << line;
  }
}

TEST(ProgressLines, UnknownCodesAreInternal) {
  ProgressLines lines;
  EXPECT_TRUE(lines.Feed("{\"error\":{\"code\":\"OK\",\"message\":\"m\"}}\n").ok());
  EXPECT_EQ(lines.error().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace trims

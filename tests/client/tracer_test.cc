#include "client/tracer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;
using client::Tracer;

void RecordOne(Tracer* tracer, const char* name) {
  ChromeSpan span{.name = name, .category = "test"};
  tracer->Record({&span, 1});
}

class TracerTest : public ::testing::Test {
 protected:
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    if (!std::filesystem::exists(traces_)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(traces_))
      files.push_back(entry.path());
    return files;
  }
  static size_t SpansIn(const std::string& path, pid_t pid) {
    size_t spans = 0;
    for (const Json& event : Json::parse(std::ifstream(path))) {
      if (event["pid"] != pid) continue;
      spans += event["ph"] == "X" ? 1 : 0;
    }
    return spans;
  }

  const ScratchFolder folder_;
  const std::string traces_ = folder_ / "traces";
};

TEST_F(TracerTest, OneFileForAllThreadsOfAProcess) {
  Tracer tracer(traces_);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) RecordOne(&tracer, "a");
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(Files().size(), 1U);
  EXPECT_EQ(SpansIn(Files()[0], ::getpid()), 400U);
}

TEST_F(TracerTest, AChildHasAFileOfItsOwn) {
  Tracer tracer(traces_);
  RecordOne(&tracer, "parent");
  const pid_t child = ::fork();
  if (child == 0) {
    RecordOne(&tracer, "child");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  RecordOne(&tracer, "parent");
  const std::vector<std::string> files = Files();
  ASSERT_EQ(files.size(), 2U);
  size_t of_parent = 0;
  size_t of_child = 0;
  for (const std::string& file : files) {
    of_parent += SpansIn(file, ::getpid());
    of_child += SpansIn(file, child);
  }
  EXPECT_EQ(of_parent, 2U);
  EXPECT_EQ(of_child, 1U);
}

TEST_F(TracerTest, AFolderThatCannotBeWrittenCostsTheTraceAlone) {
  folder_.Write("traces", "a file");
  Tracer tracer(traces_);
  RecordOne(&tracer, "a");
  RecordOne(&tracer, "b");
  EXPECT_TRUE(std::filesystem::is_regular_file(traces_));
}

TEST_F(TracerTest, WithoutAFolderThereIsNone) {
  ASSERT_EQ(::getenv("TRIMS_TRACE"), nullptr) << "the tests run without it";
  EXPECT_EQ(Tracer::OfProcess(), nullptr);
}

}  // namespace
}  // namespace trims::test

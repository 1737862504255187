// trims-prepare as trimsd runs it: a child with a pipe for its progress.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "prepare/die_with_parent.h"
#include "prepare/prepare_fixture.h"

extern char** environ;

namespace trims {
namespace {

using nlohmann::json;
using test::SafetensorsBytes;
using ::testing::HasSubstr;

constexpr char kGoodHeader[] = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";

struct Ended {
  int status = 0;  // as waitpid gives it
  std::vector<json> lines;
};

class Program : public test::PrepareTest {
 protected:
  pid_t Start(std::vector<std::string> arguments, int* from_child) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    arguments.insert(arguments.begin(), TRIMS_PREPARE_PROGRAM);
    for (const char* more : {"--progress-fd", "3"}) arguments.emplace_back(more);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    pid_t child = -1;
    EXPECT_EQ(::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    *from_child = ends[0];
    return child;
  }

  Ended Finish(pid_t child, int from_child) {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(from_child, buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, static_cast<size_t>(got));
    }
    ::close(from_child);
    Ended ended;
    EXPECT_EQ(::waitpid(child, &ended.status, 0), child);
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      EXPECT_LE(line.size(), 4096u);
      ended.lines.push_back(json::parse(line, nullptr, false));
      EXPECT_FALSE(ended.lines.back().is_discarded()) << line;
    }
    return ended;
  }

  Ended RunProgram(const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"--source", root_ + "/in/" + name, "--out", root_ + "/out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    int from_child = -1;
    const pid_t child = Start(arguments, &from_child);
    return Finish(child, from_child);
  }
};

TEST_F(Program, ReportsProgressAndLeavesAManifest) {
  Write("m.safetensors", SafetensorsBytes(kGoodHeader, "xy"));
  const Ended ended = RunProgram("m.safetensors");
  EXPECT_EQ(ended.status, 0);
  ASSERT_FALSE(ended.lines.empty());
  EXPECT_EQ(ended.lines.front()["stage"], "write");
  EXPECT_EQ(ended.lines.back()["stage"], "write");
  Result<Manifest> manifest = ParseManifest(Read(root_ + "/out/manifest.json"));
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(manifest->variants.size(), 2u);
  EXPECT_THAT(manifest->sandbox, HasSubstr("system call filter"));
}

TEST_F(Program, ReportsATypedErrorAndLeavesNoManifest) {
  Write("m.safetensors", SafetensorsBytes(kGoodHeader, "x"));
  const Ended ended = RunProgram("m.safetensors");
  EXPECT_EQ(WEXITSTATUS(ended.status), 1);
  ASSERT_FALSE(ended.lines.empty());
  EXPECT_EQ(ended.lines.back()["error"]["code"], "DATA_LOSS");
  EXPECT_FALSE(std::filesystem::exists(root_ + "/out/manifest.json"));
}

TEST_F(Program, AnErrorInAnOnnxModelNamesTheFile) {
  Write("cut.onnx", "\x3a\x7f only the start");
  const auto error = RunProgram("cut.onnx").lines.back()["error"];
  EXPECT_EQ(error["code"], "DATA_LOSS");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("cut.onnx"));
  EXPECT_EQ(error["hint"], "get the file again");
}

TEST_F(Program, LongNamesOfABadModelFitIntoALine) {
  const std::string name(60'000, '\x01');
  Write("m.safetensors", SafetensorsBytes("{\"" + name + "\":{}}", ""));
  EXPECT_EQ(RunProgram("m.safetensors").lines.back()["error"]["code"], "INVALID_ARGUMENT");
}

// As the daemon wants it of what it has hashed while it came: the same but for the digests.
TEST_F(Program, UndigestedItSaysNothingOfTheBytes) {
  Write("m.safetensors", SafetensorsBytes(kGoodHeader, "xy"));
  ASSERT_EQ(RunProgram("m.safetensors", {"--variant", "files"}).status, 0);
  const Result<Manifest> digested = ParseManifest(Read(root_ + "/out/manifest.json"));
  const std::string index = Read(root_ + "/out/files/files.index");
  std::filesystem::remove_all(root_ + "/out");
  ASSERT_EQ(RunProgram("m.safetensors", {"--variant", "files", "--undigested"}).status, 0);
  const Result<Manifest> manifest = ParseManifest(Read(root_ + "/out/manifest.json"));
  ASSERT_TRUE(digested.ok() && manifest.ok());
  EXPECT_EQ(manifest->digest, std::string(64, '0'));
  EXPECT_EQ(manifest->format, "safetensors");
  ASSERT_EQ(manifest->variants.size(), 1u);
  const ManifestExtent& extent = manifest->variants.front().extents.front();
  EXPECT_EQ(extent.xxh3, std::vector<uint64_t>{0});
  EXPECT_EQ(extent.length, digested->variants.front().extents.front().length);
  EXPECT_EQ(extent.pieces.front().path, "m.safetensors");
  EXPECT_EQ(Read(root_ + "/out/files/files.index"), index);
  EXPECT_EQ(RunProgram("m.safetensors", {"--undigested"}).lines.back()["error"]["code"],
            "INVALID_ARGUMENT");
}

TEST_F(Program, VariantsAreChosenByName) {
  Write("m.safetensors", SafetensorsBytes(kGoodHeader, "xy"));
  EXPECT_EQ(RunProgram("m.safetensors", {"--variant", "files,ort"}).lines.back()["error"]["code"],
            "INVALID_ARGUMENT");
  EXPECT_EQ(RunProgram("m.safetensors", {"--variant", "nonsense"}).lines.back()["error"]["code"],
            "INVALID_ARGUMENT");
}

TEST_F(Program, MemoryBeyondTheLimitIsATypedError) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer's own memory is beyond any limit";
#endif
#endif
  Write("m.safetensors", SafetensorsBytes("{" + std::string(90'000'000, ' ') + "}", ""));
  const Ended ended = RunProgram("m.safetensors", {"--memory-limit", "67108864"});
  ASSERT_FALSE(ended.lines.empty());
  EXPECT_EQ(ended.lines.back()["error"]["code"], "RESOURCE_EXHAUSTED");
}

TEST_F(Program, MemoryThatOnnxRuntimeWantsBeyondTheLimitIsTheSameError) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer's own memory is beyond any limit";
#endif
#endif
  constexpr uint64_t kSide = 4096;  // 64 MiB of weights
  const auto weight = [](const char* name, uint64_t columns) {
    return test::OnnxTensorProto(name, /*dtype=*/1, {kSide, columns})
        .Bytes(9, std::string(kSide * columns * sizeof(float), '\0'));
  };
  Write("m.onnx", test::MatMulModelBytes(weight("w1", kSide), weight("w2", 1), kSide, 1));
  const Ended ended = RunProgram("m.onnx", {"--variant", "ort", "--memory-limit", "100000000"});
  ASSERT_FALSE(ended.lines.empty());
  EXPECT_EQ(ended.lines.back()["error"]["code"], "RESOURCE_EXHAUSTED") << ended.lines.back();
  EXPECT_THAT(ended.lines.back()["error"]["hint"].get<std::string>(), HasSubstr("--variant"));
}

TEST(DieWithParentTest, TellsAParentThatIsGone) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_TRUE(DieWithParent(ends[1]).ok());
  int signal = 0;
  EXPECT_EQ(::prctl(PR_GET_PDEATHSIG, &signal), 0);
  EXPECT_EQ(signal, SIGKILL);
  ::close(ends[0]);
  EXPECT_EQ(DieWithParent(ends[1]).code(), StatusCode::kCancelled);
  ::close(ends[1]);
  EXPECT_EQ(::prctl(PR_SET_PDEATHSIG, 0), 0);
}

TEST_F(Program, KilledAtAnyMomentItLeavesNothingOutsideItsFolder) {
  Write("m.safetensors", SafetensorsBytes(kGoodHeader, "xy"));
  for (int i = 0; i < 20; ++i) {
    int from_child = -1;
    const pid_t child =
        Start({"--source", root_ + "/in/m.safetensors", "--out", root_ + "/out"}, &from_child);
    char byte;
    if (i % 2 == 0) {
      EXPECT_EQ(::read(from_child, &byte, 1), 1);  // in the midst of its work
    }
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    ::close(from_child);
    std::filesystem::remove_all(root_ + "/out");
    std::filesystem::create_directory(root_ + "/out");
  }
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    left.push_back(entry.path().filename());
  }
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("in", "m.safetensors", "out"));
}

}  // namespace
}  // namespace trims

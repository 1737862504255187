#include "trace/trace_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/fault.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;
using Events = std::vector<std::string>;

class TraceFileTest : public ::testing::Test {
 protected:
  Json Read() const {
    std::stringstream text;
    text << std::ifstream(path_).rdbuf();
    return Json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  }

  const ScratchFolder folder_;
  const std::string path_ = folder_ / "trace.json";
};

TEST_F(TraceFileTest, IsAWholeTraceAtEachMoment) {
  Result<TraceFile> file = TraceFile::Create(path_);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(Read(), Json::array());
  ASSERT_TRUE(file->Append(Events{R"({"n":1})", R"({"n":2})"}).ok());
  EXPECT_EQ(Read(), Json::parse(R"([{"n":1},{"n":2}])"));
  ASSERT_TRUE(file->Append(Events{}).ok());
  ASSERT_TRUE(file->Append(Events{R"({"n":3})"}).ok());
  EXPECT_EQ(Read(), Json::parse(R"([{"n":1},{"n":2},{"n":3}])"));
}

TEST_F(TraceFileTest, GrowsInStepsAndIsWholeAfterEachAppend) {
  Result<TraceFile> file = TraceFile::Create(path_);
  ASSERT_TRUE(file.ok());
  const std::string event = R"({"n":")" + std::string(5'000, 'x') + "\"}";
  std::set<uintmax_t> sizes;
  for (size_t count = 1; count <= 40; ++count) {
    ASSERT_TRUE(file->Append(Events{event}).ok());
    ASSERT_EQ(Read().size(), count);
    sizes.insert(std::filesystem::file_size(path_));
  }
  EXPECT_LT(sizes.size(), 10U);
}

TEST_F(TraceFileTest, IsForItsOwnerAloneAndTakesNobodysPlaceUnasked) {
  ASSERT_TRUE(TraceFile::Create(path_).ok());
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(TraceFile::Create(path_).status().code(), StatusCode::kAlreadyExists);
  Result<TraceFile> file = TraceFile::Create(path_, {.replace = true});
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Read(), Json::array());
}

TEST_F(TraceFileTest, WhatIsLongerThanTheNewOneIsGone) {
  folder_.Write("trace.json", std::string(1000, 'x'));
  ASSERT_TRUE(TraceFile::Create(path_, {.replace = true}).ok());
  EXPECT_EQ(Read(), Json::array());
}

TEST_F(TraceFileTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(::symlink("/dev/null", path_.c_str()), 0);
  EXPECT_FALSE(TraceFile::Create(path_, {.replace = true}).ok());
  EXPECT_EQ(TraceFile::Create("/dev/null", {.replace = true}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(TraceFile::Create(folder_ / "none/trace.json").status().code(), StatusCode::kNotFound);
}

TEST_F(TraceFileTest, ADiskThatFailsCostsWhatWasToBeWritten) {
  Result<TraceFile> file = TraceFile::Create(path_);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Append(Events{R"({"n":1})"}).ok());
  {
    fault::ScopedPlan full({.op = fault::Op::kWrite, .nth = 1, .error = ENOSPC});
    EXPECT_EQ(file->Append(Events{R"({"n":2})"}).code(), StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(Read(), Json::parse(R"([{"n":1}])"));
  ASSERT_TRUE(file->Append(Events{R"({"n":3})"}).ok());
  EXPECT_EQ(Read(), Json::parse(R"([{"n":1},{"n":3}])"));
  {
    fault::ScopedPlan full({.op = fault::Op::kWrite, .nth = 1, .error = ENOSPC});
    EXPECT_FALSE(file->Append(Events{std::string(100'000, ' ') + R"({"n":4})"}).ok());
  }
  EXPECT_EQ(Read(), Json::parse(R"([{"n":1},{"n":3}])"));
}

}  // namespace
}  // namespace trims::test

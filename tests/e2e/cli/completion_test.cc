// The completion script in a real bash, without a daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "e2e/cli/program.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

// `trims` is stood in for by a function that knows two models.
class CompletionTest : public ::testing::Test {
 protected:
  // What bash would offer where the cursor stands at the end of `line`, one a line.
  std::string Complete(const std::string& line) {
    const std::string script = "source '" COMPLETION_SCRIPT
                               "'\n"
                               "fake() { printf '%s\\n' ocr:1 ocr:2 team/embed:prod; }\n"
                               "cd '" +
                               folder_.path() +
                               "'\n"
                               "COMP_LINE=$0 COMP_POINT=${#0}\n"
                               "_trims fake 2>/dev/null\n"
                               "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"";
    return RunToEnd({"/bin/bash", "-c", script, line}, {}).out;
  }
  ScratchFolder folder_;
};

TEST_F(CompletionTest, OffersCommands) {
  EXPECT_EQ(Complete("trims s"), "show\nstatus\n");
  EXPECT_EQ(Complete("trims --json do"), "doctor\n");
  EXPECT_EQ(Complete("trims "),
            "add\nls\nshow\nrm\nstatus\nverify\npolicy\npin\nunpin\nprefetch\nevict\ndemote\nkeep-"
            "alive\ndrain"
            "\nalias\n"
            "rollback\n"
            "push\ntop\nexplain\nevents\ntrace\ndoctor\nversion\ncompletion\n");
  EXPECT_EQ(Complete("trims nothing-like-it"), "");
}

TEST_F(CompletionTest, OffersOptions) {
  EXPECT_EQ(Complete("trims --js"), "--json\n");
  EXPECT_EQ(Complete("trims ls --q"), "--quiet\n");
  EXPECT_EQ(Complete("trims show --q"), "");
  EXPECT_EQ(Complete("trims add --v"), "--variant\n");
  EXPECT_EQ(Complete("trims evict --w"), "--when-idle\n");
  EXPECT_EQ(Complete("trims drain --o"), "--off\n");
  EXPECT_EQ(Complete("trims events --no-f"), "--no-follow\n");
  EXPECT_EQ(Complete("trims top --i"), "--interval\n");
  EXPECT_EQ(Complete("trims trace record --f"), "--for\n");
}

TEST_F(CompletionTest, OffersTheValuesOfOptions) {
  EXPECT_EQ(Complete("trims --color "), "auto\nnever\n");
  EXPECT_EQ(Complete("trims --color=n"), "never\n") << "bash replaces what follows the '='";
  EXPECT_EQ(Complete("trims add --variant t"), "tensors\n");
  EXPECT_EQ(Complete("trims add a b --variant=o"), "ort\n");
  EXPECT_EQ(Complete("trims policy --eviction l"), "lru\nlcu\n");
  EXPECT_EQ(Complete("trims policy --eviction=s"), "s3fifo\n");
  EXPECT_EQ(Complete("trims policy --reclaim=l"), "lazy\n");
  EXPECT_EQ(Complete("trims add m f --granularity "), "model\nblock\nlayer\n");
  EXPECT_EQ(Complete("trims events --kind s"), "segment\n");
  EXPECT_EQ(Complete("trims events --model oc"), "ocr:1\nocr:2\n");
  EXPECT_EQ(Complete("trims trace s"), "summarise\n");
}

TEST_F(CompletionTest, OffersModels) {
  EXPECT_EQ(Complete("trims show oc"), "ocr:1\nocr:2\n");
  EXPECT_EQ(Complete("trims rm --json team"), "team/embed:prod\n");
  EXPECT_EQ(Complete("trims show ocr:1 "), "") << "there is but one REF";
  EXPECT_EQ(Complete("trims ls oc"), "");
  EXPECT_EQ(Complete("trims pin --tier host oc"), "ocr:1\nocr:2\n");
  EXPECT_EQ(Complete("trims explain oc"), "ocr:1\nocr:2\n");
  EXPECT_EQ(Complete("trims alias prod=oc"), "ocr:1\nocr:2\n") << "what it is to mean";
}

TEST_F(CompletionTest, CutsOffWhatBashHasSplitAtTheColon) {
  EXPECT_EQ(Complete("trims show ocr:"), "1\n2\n");
}

TEST_F(CompletionTest, OffersFilesAsSource) {
  std::ofstream(folder_ / "model.onnx") << "x";
  std::ofstream(folder_ / "model two.onnx") << "x";
  // In the order of the folder: bash sorts what it shows.
  const auto both =
      ::testing::AnyOf("model.onnx\nmodel two.onnx\n", "model two.onnx\nmodel.onnx\n");
  EXPECT_THAT(Complete("trims add ocr mod"), both);
  EXPECT_THAT(Complete("trims --socket mod"), both);
  EXPECT_EQ(Complete("trims add mod"), "") << "NAME is no file";
}

}  // namespace
}  // namespace trims::test

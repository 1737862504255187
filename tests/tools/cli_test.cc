#include "tools/trims/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tools/trims/daemon.h"
#include "tools/trims/document.h"
#include "tools/trims/exit_codes.h"

namespace trims::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Runs the program in this process. --socket names a place without a daemon, so that none is ever
// started.
class CliTest : public ::testing::Test {
 protected:
  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTrims(arguments, {.out = out_, .err = err_});
  }
  Json Error() { return Json::parse(out_.str())["error"]; }
  std::string nowhere_ = ::testing::TempDir() + "/no-such-folder/trimsd.sock";
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CliTest, PrintsHelpOnStandardOutput) {
  EXPECT_EQ(Run({"--help"}), kExitOk);
  for (const char* command :
       {"add",        "ls",     "show",  "rm",       "status",  "verify",
        "policy",     "pin",    "unpin", "prefetch", "evict",   "demote",
        "keep-alive", "drain",  "alias", "rollback", "push",    "top",
        "explain",    "events", "trace", "doctor",   "version", "completion"}) {
    EXPECT_THAT(out_.str(), HasSubstr(std::string("\n  ") + command + " "));
  }
  EXPECT_EQ(err_.str(), "");
  EXPECT_EQ(Run({"add", "--help"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("--variant"));
  const std::string help = out_.str();
  EXPECT_EQ(Run({"help", "add"}), kExitOk);
  EXPECT_EQ(out_.str(), help);
}

TEST_F(CliTest, PrintsHelpOnStandardErrorWithoutACommand) {
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("Usage: trims"));
}

TEST_F(CliTest, PrintsItsVersion) {
  EXPECT_EQ(Run({"version"}), kExitOk);
  EXPECT_THAT(out_.str(), StartsWith("trims "));
  const std::string version = out_.str();
  EXPECT_EQ(Run({"--version"}), kExitOk);
  EXPECT_EQ(out_.str(), version);
  EXPECT_EQ(Run({"version", "--json"}), kExitOk);
  EXPECT_TRUE(Json::parse(out_.str())["version"].is_string());
}

TEST_F(CliTest, SuggestsTheNearCommand) {
  EXPECT_EQ(Run({"lss"}), kExitUsage);
  EXPECT_EQ(err_.str(),
            "trims: error: unknown command 'lss'\nnext: did you mean 'ls'? (trims --help)\n");
  EXPECT_EQ(Run({"launch", "missiles"}), kExitUsage);
  EXPECT_EQ(err_.str(), "trims: error: unknown command 'launch'\nnext: trims --help\n");
}

TEST_F(CliTest, SuggestsTheNearOption) {
  EXPECT_EQ(Run({"ls", "--jsn"}), kExitUsage);
  EXPECT_EQ(
      err_.str(),
      "trims: error: unknown option '--jsn'\nnext: did you mean '--json'? (trims ls --help)\n");
  EXPECT_EQ(Run({"add", "--varient=ort", "a", "b"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean '--variant'?"));
}

TEST_F(CliTest, NamesWhatIsMissingOrTooMuch) {
  EXPECT_EQ(Run({"add", "ocr"}), kExitUsage);
  EXPECT_EQ(err_.str(), "trims: error: add: SOURCE is required\nnext: trims add --help\n");
  EXPECT_EQ(Run({"ls", "ocr"}), kExitUsage);
  EXPECT_EQ(err_.str(), "trims: error: 'ls' does not expect 'ocr'\nnext: trims ls --help\n");
  EXPECT_EQ(Run({"ls", "show"}), kExitUsage);
  EXPECT_EQ(Run({"--color", "blue", "ls"}), kExitUsage);
  EXPECT_EQ(Run({"ls", "--socket"}), kExitUsage);
}

TEST_F(CliTest, WritesUsageErrorsAsJsonWhereverTheFlagStands) {
  EXPECT_EQ(Run({"lss", "--json"}), kExitUsage);
  EXPECT_EQ(Error()["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(err_.str(), "");
  EXPECT_EQ(Run({"--json"}), kExitUsage);
  EXPECT_EQ(Error()["message"], "no command was given");
}

TEST_F(CliTest, LooksAtTheSourceBeforeItAsksTheDaemon) {
  EXPECT_EQ(Run({"--socket", nowhere_, "add", "ocr", "/no/such/model.onnx"}), kExitNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("trims: error: no file or folder '/no/such/model.onnx'"));
  EXPECT_THAT(err_.str(), HasSubstr("\nnext: "));
}

TEST_F(CliTest, RefusesAnUnknownVariant) {
  EXPECT_EQ(Run({"--socket", nowhere_, "add", "ocr", "/etc", "--variant", "paper"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("'paper'"));
}

TEST_F(CliTest, TakesOneKindAfterEachVariantOption) {
  // Were the option greedy, it would swallow NAME and SOURCE.
  EXPECT_EQ(Run({"--socket", nowhere_, "add", "--variant", "ort", "ocr", "/etc"}),
            kExitUnavailable);
  EXPECT_EQ(Run({"--socket", nowhere_, "add", "--variant=ort,files", "ocr", "/etc"}),
            kExitUnavailable);
}

TEST_F(CliTest, TellsAMissingDaemonFromAMissingModel) {
  for (const char* command : {"ls", "status"}) {
    EXPECT_EQ(Run({command, "--json", "--socket", nowhere_}), kExitUnavailable);
    EXPECT_EQ(Error()["code"], "UNAVAILABLE");
    EXPECT_NE(Error()["hint"], "");
  }
  EXPECT_EQ(Run({"show", "ocr", "--socket", nowhere_}), kExitUnavailable);
  EXPECT_EQ(Run({"rm", "ocr", "--socket", nowhere_}), kExitUnavailable);
}

TEST_F(CliTest, DoctorNeedsNoDaemonAndPrintsADocument) {
  const int code = Run({"doctor", "--json", "--socket", nowhere_});
  const Json document = Json::parse(out_.str());
  EXPECT_EQ(code, document["failures"] == 0 ? kExitOk : kExitFailure);
  EXPECT_GT(document["checks"].size(), 20u);
}

TEST_F(CliTest, CompletionPrintsTheScript) {
  EXPECT_EQ(Run({"completion", "bash"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("complete -F _trims trims"));
  EXPECT_EQ(Run({"completion", "zsh"}), kExitUsage);
}

TEST(AutostartAllowedTest, IsForbiddenByFlagSocketAndEnvironment) {
  unsetenv("TRIMS_SOCKET");
  unsetenv("TRIMS_AUTOSTART");
  EXPECT_TRUE(AutostartAllowed({}));
  EXPECT_FALSE(AutostartAllowed({.no_autostart = true}));
  EXPECT_FALSE(AutostartAllowed({.socket = "/x"}));
  setenv("TRIMS_AUTOSTART", "0", 1);
  EXPECT_FALSE(AutostartAllowed({}));
  unsetenv("TRIMS_AUTOSTART");
  setenv("TRIMS_SOCKET", "/x", 1);
  EXPECT_FALSE(AutostartAllowed({}));
  EXPECT_EQ(SocketInUse({}), "/x");
  EXPECT_EQ(SocketInUse({.socket = "/y"}), "/y");
  unsetenv("TRIMS_SOCKET");
}

TEST(ExitCodeTest, EveryStatusHasOne) {
  EXPECT_EQ(ExitCodeFor(StatusCode::kOk), 0);
  for (int code = 1; code <= static_cast<int>(StatusCode::kInternal); ++code) {
    EXPECT_NE(ExitCodeFor(static_cast<StatusCode>(code)), 0) << code;
  }
  EXPECT_EQ(ExitCodeFor(StatusCode::kNotFound), 3);
  EXPECT_EQ(ExitCodeFor(StatusCode::kUnavailable), 4);
  EXPECT_EQ(ExitCodeFor(static_cast<StatusCode>(200)), 1);
}

TEST(ContextTest, ColoursATerminalOnly) {
  std::ostringstream out;
  const Terminal file{.out = out, .err = out, .out_is_terminal = false, .color_allowed = true};
  const Terminal screen{.out = out, .err = out, .out_is_terminal = true, .color_allowed = true};
  EXPECT_EQ((Context{{}, file}).Tinted(Tint::kBad, "x"), "x");
  EXPECT_EQ((Context{{}, screen}).Tinted(Tint::kBad, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ((Context{{.color = "never"}, screen}).Tinted(Tint::kBad, "x"), "x");
}

TEST(ContextTest, PrintsADocumentAsItIsOrForATerminalIndented) {
  std::ostringstream out;
  const Terminal file{.out = out, .err = out};
  const Terminal screen{.out = out, .err = out, .out_is_terminal = true};
  (Context{{}, file}).PrintDocument(R"({"b":1,"a":2})");
  EXPECT_EQ(out.str(), "{\"b\":1,\"a\":2}\n");
  out.str("");
  (Context{{}, screen}).PrintDocument(R"({"b":1,"a":2})");
  EXPECT_EQ(out.str(), "{\n  \"b\": 1,\n  \"a\": 2\n}\n");
}

}  // namespace
}  // namespace trims::cli

// The manual pages: well-formed, and complete against what the programs say about themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "e2e/cli/program.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

Ended Format(const std::string& page) {
  return RunToEnd({"/usr/bin/man", "--warnings", "-l", std::string(MAN_FOLDER) + "/" + page},
                  {{"LC_ALL", "C.UTF-8"},
                   {"MANPAGER", "cat"},
                   {"MANROFFOPT", "-c"},
                   {"MANWIDTH", "100"},
                   {"HOME", "/"}});
}

std::set<std::string> LongOptions(const std::string& text) {
  static const std::regex kOption("--[a-z][a-z-]+");
  std::set<std::string> options;
  for (std::sregex_iterator it(text.begin(), text.end(), kOption), end; it != end; ++it)
    options.insert(it->str());
  return options;
}

class ManPageTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (RunToEnd({"/usr/bin/man", "--version"}, {}).code != 0) GTEST_SKIP() << "no man(1) here";
  }
};

TEST_P(ManPageTest, HasNoWarnings) {
  const Ended page = Format(GetParam());
  EXPECT_EQ(page.code, 0) << page.err;
  EXPECT_EQ(page.err, "");
  EXPECT_THAT(page.out, HasSubstr("SEE ALSO"));
}

INSTANTIATE_TEST_SUITE_P(All, ManPageTest,
                         ::testing::Values("trims.1", "trimsd.8", "trims-http.8"));

TEST_F(ManPageTest, NamesEveryOptionOfTheHelp) {
  const std::string trims = Format("trims.1").out;
  for (const std::vector<std::string>& help : {std::vector<std::string>{TRIMS_PROGRAM, "--help"},
                                               {TRIMS_PROGRAM, "add", "--help"},
                                               {TRIMS_PROGRAM, "events", "--help"},
                                               {TRIMS_PROGRAM, "explain", "--help"},
                                               {TRIMS_PROGRAM, "top", "--help"},
                                               {TRIMS_PROGRAM, "ls", "--help"}}) {
    for (const std::string& option : LongOptions(RunToEnd(help, {}).out))
      EXPECT_THAT(trims, HasSubstr(option));
  }
  const std::string trimsd = Format("trimsd.8").out;
  for (const std::string& option : LongOptions(RunToEnd({TRIMSD_PROGRAM, "--help"}, {}).out)) {
    EXPECT_THAT(trimsd, HasSubstr(option));
  }
  const std::string http = Format("trims-http.8").out;
  for (const std::string& option : LongOptions(RunToEnd({TRIMS_HTTP_PROGRAM, "--help"}, {}).out)) {
    EXPECT_THAT(http, HasSubstr(option));
  }
}

}  // namespace
}  // namespace trims::test

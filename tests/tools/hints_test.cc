// What the project tells people to type, held against the parser of `trims` itself: every option that
// a hint, a message or a page of the docs names for one of its commands must be one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tools/trims/cli.h"

namespace trims::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kCommands =
    "add|ls|show|rm|status|verify|policy|pin|unpin|prefetch|evict|demote|keep-alive|drain|alias|"
    "rollback|push|"
    "top|"
    "explain|events|trace|"
    "doctor|"
    "version|"
    "completion";

std::string ReadText(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool IsBlank(const std::string& code) {
  return std::all_of(code.begin(), code.end(), [](unsigned char c) { return std::isspace(c); });
}

// What stands between two literals: nothing where they are one, X for a value that is put in, a new
// line where they belong to different texts.
std::string Join(std::string code) {
  if (IsBlank(code)) return "";
  code = std::regex_replace(code, std::regex("::"), "");
  return code.find_first_of(",;?:{}") == std::string::npos ? "X" : "\n";
}

// The texts of C++ source, a line each, without its comments.
std::string TextsOf(const std::string& source) {
  static const std::regex token(R"re(//[^\n]*|'(?:\\.|[^'\\\n])'|"((?:\\.|[^"\\\n])*)")re");
  std::string texts;
  std::string code;
  size_t at = 0;
  for (std::sregex_iterator it(source.begin(), source.end(), token), end; it != end; ++it) {
    code += source.substr(at, static_cast<size_t>(it->position()) - at);
    at = static_cast<size_t>(it->position() + it->length());
    if (it->str().front() != '"') continue;
    texts += Join(code) + it->str(1);
    code.clear();
  }
  return texts;
}

// The texts people read: of the programs and libraries, and the docs.
std::string AllTexts() {
  const fs::path root = TRIMS_SOURCE_FOLDER;
  std::string texts;
  for (const char* folder : {"src", "include", "adapters", "docs", "python/src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string kind = entry.path().extension();
      if (kind == ".cc" || kind == ".h") texts += TextsOf(ReadText(entry.path())) + '\n';
      if (kind == ".md" || kind == ".py") texts += ReadText(entry.path()) + '\n';
    }
  }
  return texts + ReadText(root / "README.md");
}

std::string ErrorOf(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  RunTrims(arguments, {.out = out, .err = err});
  return err.str();
}

TEST(Hints, JoinsWhatIsOneText) {
  const std::string source = R"(; return "trims add " + Of(entry) + " --x " "y", "b";  // "c")";
  EXPECT_EQ(TextsOf(source), "\ntrims add X --x y\nb");
}

TEST(Hints, EveryOptionThatATextNamesIsOne) {
  const std::string texts = AllTexts();
  const std::regex command("trims (" + std::string(kCommands) + R"()\b([^\n.,;()`"]*))");
  const std::regex option("--[a-z][a-z-]*");
  std::set<std::pair<std::string, std::string>> named;
  for (std::sregex_iterator it(texts.begin(), texts.end(), command), end; it != end; ++it) {
    const std::string tail = it->str(2);
    for (std::sregex_iterator o(tail.begin(), tail.end(), option); o != end; ++o) {
      named.emplace(it->str(1), o->str());
    }
  }
  EXPECT_TRUE(named.contains({"add", "--variant"}));
  EXPECT_TRUE(named.contains({"ls", "--json"}));
  for (const auto& [name, flag] : named) {
    // With a value, so that none is run: what is wrong with a known one is its value, or what lacks.
    EXPECT_THAT(ErrorOf({name, flag + "=?"}), Not(HasSubstr("unknown option")))
        << "trims " << name << " … " << flag;
  }
}

TEST(Hints, EveryCommandThatAHintBeginsWithIsOne) {
  const std::string texts = AllTexts();
  const std::regex hint(R"((?:^|\n)trims ([a-z][a-z-]*))");
  const std::regex known(std::string(kCommands) + "|help");
  size_t hints = 0;
  for (std::sregex_iterator it(texts.begin(), texts.end(), hint), end; it != end; ++it, ++hints) {
    EXPECT_TRUE(std::regex_match(it->str(1), known)) << "trims " << it->str(1);
  }
  EXPECT_GE(hints, 10u);
}

}  // namespace
}  // namespace trims::cli

// The command line of trims-http, and where it serves if nobody says.
#include "tools/http/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/scratch_folder.h"

namespace trims::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed : ParsedOptions {
  std::string out;
  std::string err;
};

Parsed Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "trims-http");
  std::ostringstream out;
  std::ostringstream err;
  Parsed parsed;
  static_cast<ParsedOptions&>(parsed) =
      ParseOptions(static_cast<int>(words.size()), words.data(), out, err);
  parsed.out = out.str();
  parsed.err = err.str();
  return parsed;
}

TEST(HttpOptions, ServeAUnixSocketForItsUserUnlessToldOtherwise) {
  const Parsed parsed = Parse({});
  ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.err;
  EXPECT_EQ(parsed.options.listen, "");
  EXPECT_EQ(parsed.options.http_socket_mode, 0600u);
  EXPECT_FALSE(parsed.options.read_only);
}

TEST(HttpOptions, TcpNeedsAToken) {
  const Parsed without = Parse({"--listen", "127.0.0.1:9090"});
  EXPECT_EQ(without.exit_code, kExitUsage);
  EXPECT_THAT(without.err, HasSubstr("--token-file"));
  const Parsed with = Parse({"--listen", "127.0.0.1:9090", "--token-file", "t", "--host", "a",
                             "--host", "b:80", "--read-only"});
  ASSERT_FALSE(with.exit_code.has_value()) << with.err;
  EXPECT_THAT(with.options.hosts, ElementsAre("a", "b:80"));
  EXPECT_TRUE(with.options.read_only);
}

TEST(HttpOptions, MistakesAreSaid) {
  for (const std::vector<const char*>& words : {std::vector<const char*>{"--token", "secret"},
                                                {"--http-socket-mode", "rw"},
                                                {"--http-socket-mode", "1777"},
                                                {"--daemon-timeout", "0"},
                                                {"--log-level", "loud"},
                                                {"word"}}) {
    const Parsed parsed = Parse(words);
    EXPECT_EQ(parsed.exit_code, kExitUsage) << words.front();
    EXPECT_THAT(parsed.err, HasSubstr("trims-http --help")) << words.front();
  }
  EXPECT_EQ(Parse({"--version"}).exit_code, 0);
  EXPECT_THAT(Parse({"--help"}).out, HasSubstr("--listen"));
}

TEST(HttpOptions, ComeFromAFileToo) {
  const test::ScratchFolder folder;
  const std::string path = folder.path() + "/http.toml";
  std::ofstream(path) << "listen = \"127.0.0.1:9090\"\ntoken-file = \"t\"\nread-only = true\n";
  const Parsed parsed = Parse({"--config", path.c_str()});
  ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.err;
  EXPECT_EQ(parsed.options.listen, "127.0.0.1:9090");
  EXPECT_TRUE(parsed.options.read_only);
  std::ofstream(path) << "lissten = \"x\"\n";
  EXPECT_EQ(Parse({"--config", path.c_str()}).exit_code, kExitUsage);
}

TEST(DefaultHttpSocket, IsBesideTheDaemons) {
  EXPECT_EQ(DefaultHttpSocket("/run/trims/trimsd.sock"), "/run/trims/trims-http.sock");
  EXPECT_EQ(DefaultHttpSocket("trimsd.sock"), "trims-http.sock");
  ASSERT_EQ(::setenv("TRIMS_SOCKET", "/elsewhere/d.sock", 1), 0);
  EXPECT_EQ(DefaultHttpSocket(""), "/elsewhere/trims-http.sock");
  ASSERT_EQ(::unsetenv("TRIMS_SOCKET"), 0);
}

}  // namespace
}  // namespace trims::http

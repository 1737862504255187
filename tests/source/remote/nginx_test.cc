// Downloads from a real nginx with TLS, whose authority is of this test's own making: the bytes come, and
// from whom nobody vouches for nothing comes. Skipped, with the reason, where nginx or openssl isn't there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/program.h"
#include "base/unique_fd.h"
#include "source/download.h"
#include "source/http_exchange.h"
#include "source/http_store.h"
#include "support/free_port.h"
#include "support/scratch_folder.h"
#include "transfer/http_client.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kServedLength = (20 << 20) + 3;
const std::vector<std::string> kPlaces = {"/usr/sbin", "/usr/bin"};

std::string FoundProgram(const std::string& name) {
  for (const std::string& place : kPlaces) {
    if (IsProgram(place + "/" + name)) return place + "/" + name;
  }
  return FindProgram(name, {});
}

class NginxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string nginx = FoundProgram("nginx");
    if (nginx.empty()) GTEST_SKIP() << "no nginx: scripts/setup installs it";
    openssl_ = FoundProgram("openssl");
    if (openssl_.empty()) GTEST_SKIP() << "no openssl: apt-get install openssl";
    ASSERT_NO_FATAL_FAILURE(MakeAuthority("ca"));
    ASSERT_NO_FATAL_FAILURE(MakeAuthority("stranger"));
    ASSERT_NO_FATAL_FAILURE(MakeCertificate());
    std::filesystem::create_directories(folder_ / "www");
    uint32_t state = 5;
    for (char& c : content_) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    std::ofstream(folder_ / "www/w.bin", std::ios::binary) << content_;
    const std::string conf = folder_.Write("nginx.conf", Configuration());
    server_.emplace(
        Spawned({nginx, "-p", folder_.path(), "-e", folder_ / "error.log", "-c", conf}));
    // Whose retries wait until it listens.
    HttpClient client(Trusting("ca", 60));
    const Result<HttpResponse> there = client.Ask({.method = "HEAD", .url = url()});
    ASSERT_TRUE(there.ok()) << there.status().ToString();
    ASSERT_EQ(there->status, 200);
  }

  ChildProcess Spawned(const std::vector<std::string>& command) {
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Result<ChildProcess> child = ChildProcess::Spawn(command, nothing.get());
    EXPECT_TRUE(child.ok()) << child.status().ToString();
    return *std::move(child);
  }

  void OpenSsl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {openssl_, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"});
    ChildProcess child = Spawned(arguments);
    pollfd ended{child.pidfd(), POLLIN, 0};
    ASSERT_EQ(::poll(&ended, 1, 60'000), 1);
    const ExitState state = child.Collect();
    ASSERT_FALSE(state.signalled);
    ASSERT_EQ(state.value, 0);
  }

  void MakeAuthority(const std::string& name) {
    OpenSsl({"-keyout", folder_ / (name + ".key"), "-out", folder_ / (name + ".pem"), "-subj",
             "/CN=Authority " + name});
  }

  void MakeCertificate() {
    OpenSsl({"-keyout", folder_ / "server.key", "-out", folder_ / "server.pem", "-CA",
             folder_ / "ca.pem", "-CAkey", folder_ / "ca.key", "-subj", "/CN=server", "-addext",
             "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"});
  }

  std::string Configuration() const {
    std::string temporary;
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      temporary += std::string("  ") + kind + "_temp_path " + (folder_ / kind) + ";\n";
    return "daemon off;\nmaster_process off;\npid " + (folder_ / "pid") + ";\nevents {}\nhttp {\n" +
           temporary + "  access_log off;\n  server {\n    listen 127.0.0.1:" + port_ +
           " ssl;\n    ssl_certificate " + (folder_ / "server.pem") +
           ";\n    ssl_certificate_key " + (folder_ / "server.key") + ";\n    root " +
           (folder_ / "www") + ";\n  }\n}\n";
  }

  HttpPatience Trusting(const std::string& authority, int attempts) const {
    return {.attempts = attempts,
            .first_pause = std::chrono::milliseconds(20),
            .longest_pause = std::chrono::milliseconds(200),
            .ca_file = folder_ / (authority + ".pem")};
  }

  std::string url() const { return "https://127.0.0.1:" + port_ + "/w.bin"; }

  Result<std::vector<RemoteFile>> List(const std::string& authority) const {
    HttpClient client(Trusting(authority, 2));
    return HttpStore(*ParseSourceUri(url()), ExchangeOver(&client)).List();
  }

  Status Fetch(const std::vector<RemoteFile>& files, const std::string& authority) const {
    HttpClient client(Trusting(authority, 2));
    HttpStore store(*ParseSourceUri(url()), ExchangeOver(&client));
    for (const char* name : {"files", "partial"})
      std::filesystem::create_directories(folder_ / name);
    return Download(&store, files, {.files = folder_ / "files", .partial = folder_ / "partial"},
                    {.patience = Trusting(authority, 2)});
  }

  ScratchFolder folder_;
  std::string openssl_;
  std::string content_ = std::string(kServedLength, '\0');
  const std::string port_ = FreePort();
  std::optional<ChildProcess> server_;  // the first to go
};

TEST_F(NginxTest, AFileComesOverTlsFromWhomTheAuthorityVouchesFor) {
  const Result<std::vector<RemoteFile>> files = List("ca");
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  EXPECT_EQ(files->front().length, kServedLength);
  EXPECT_THAT(files->front().last_modified, HasSubstr("GMT"));
  const Status status = Fetch(*files, "ca");
  ASSERT_TRUE(status.ok()) << status.ToString();
  std::stringstream fetched;
  fetched << std::ifstream(folder_ / "files/w.bin", std::ios::binary).rdbuf();
  EXPECT_TRUE(fetched.str() == content_) << "wrong bytes";
}

TEST_F(NginxTest, AServerThatNobodyVouchesForIsRefused) {
  const Status listed = List("stranger").status();
  EXPECT_EQ(listed.code(), StatusCode::kPermissionDenied) << listed.ToString();
  EXPECT_THAT(listed.hint(), HasSubstr("CURL_CA_BUNDLE"));
  const Result<std::vector<RemoteFile>> files = List("ca");
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  const Status fetched = Fetch(*files, "stranger");
  EXPECT_EQ(fetched.code(), StatusCode::kPermissionDenied) << fetched.ToString();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "files/w.bin"));
}

}  // namespace
}  // namespace trims::test

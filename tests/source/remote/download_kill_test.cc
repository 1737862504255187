// A download that is killed with SIGKILL in the middle: the next attempt fetches what is missing, and
// nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/unique_fd.h"
#include "source/download_journal.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr size_t kKilledRanges = 5;
constexpr size_t kKilledLength = (kKilledRanges - 1) * kDownloadRangeBytes + 5;

class DownloadKillTest : public ::testing::Test {
 protected:
  DownloadKillTest() {
    for (const char* name : {"files", "partial"})
      std::filesystem::create_directories(folder_ / name);
    uint32_t state = 3;
    for (char& c : content_) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  }

  ChildProcess StartDownload(const HttpOrigin& origin) const {
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Result<ChildProcess> child = ChildProcess::Spawn(
        {DOWNLOAD_PROGRAM, origin.url() + "/w.bin", folder_.path()}, nothing.get());
    EXPECT_TRUE(child.ok()) << child.status().ToString();
    return *std::move(child);
  }

  static bool Readable(int fd) {
    pollfd event{fd, POLLIN, 0};
    return ::poll(&event, 1, 60'000) == 1;
  }

  // Killed while the range after `complete` of them is half there.
  void KillAfter(size_t complete) const {
    const UniqueFd reached(::eventfd(0, EFD_CLOEXEC));
    HttpOrigin origin([&](const OriginRequest& request) {
      OriginReply reply = ServeObject(request, content_, "\"v1\"");
      const auto last = static_cast<int>(complete) + 1;  // the first asks for the head
      if (request.number < last) return reply;
      reply.stall_after = static_cast<int64_t>(reply.body.size() / 2);
      const uint64_t one = 1;
      EXPECT_EQ(::write(reached.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
      return reply;
    });
    ChildProcess child = StartDownload(origin);
    ASSERT_TRUE(Readable(reached.get())) << "so many requests never came";
    child.KillGroup();
    ASSERT_TRUE(Readable(child.pidfd()));
    const ExitState state = child.Collect();
    EXPECT_TRUE(state.signalled);
    EXPECT_EQ(state.value, SIGKILL);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "files/w.bin"));
  }

  std::string Fetched() const {
    std::stringstream text;
    text << std::ifstream(folder_ / "files/w.bin", std::ios::binary).rdbuf();
    return text.str();
  }

  ScratchFolder folder_;
  std::string content_ = std::string(kKilledLength, '\0');
};

TEST_F(DownloadKillTest, TheNextAttemptFetchesWhatIsMissing) {
  KillAfter(2);
  KillAfter(1);  // more, before it is killed again
  HttpOrigin origin(
      [this](const OriginRequest& request) { return ServeObject(request, content_, "\"v1\""); });
  ChildProcess child = StartDownload(origin);
  ASSERT_TRUE(Readable(child.pidfd()));
  const ExitState state = child.Collect();
  EXPECT_FALSE(state.signalled);
  EXPECT_EQ(state.value, 0);
  EXPECT_TRUE(Fetched() == content_) << "wrong bytes";
  std::multiset<std::string> asked;
  for (const OriginRequest& request : origin.requests()) {
    if (request.method == "GET") asked.insert(request.Header("range"));
  }
  const auto range = [](uint64_t number, uint64_t end) {
    return "bytes=" + std::to_string(number * kDownloadRangeBytes) + "-" + std::to_string(end - 1);
  };
  EXPECT_EQ(asked, (std::multiset<std::string>{range(3, 4 * kDownloadRangeBytes),
                                               range(4, kKilledLength)}));
}

}  // namespace
}  // namespace trims::test

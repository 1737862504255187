// What answers that nobody reads may keep in memory.
#include "admin/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>

#include "admin/answer_room.h"
#include "admin/fake_link.h"
#include "admin/listen.h"

namespace trims::admin {
namespace {

TEST(AnswerRoom, IsTakenAndGivenBack) {
  AnswerRoom room(10);
  EXPECT_TRUE(room.Take(6));
  EXPECT_FALSE(room.Take(5));
  EXPECT_TRUE(room.Take(4));
  EXPECT_TRUE(room.Take(0));
  EXPECT_FALSE(room.Take(1));
  room.Give(6);
  EXPECT_TRUE(room.Take(6));
  EXPECT_FALSE(room.Take(SIZE_MAX));
}

// There is nothing to tell until the test says so.
class QuietLink final : public test::FakeLink {
 public:
  explicit QuietLink(std::counting_semaphore<>* turns) : turns_(turns) {}
  Result<std::string> Events(const EventsOptions& options) override {
    if (options.wait.count() > 0) turns_->acquire();
    return std::string("{}");
  }

 private:
  std::counting_semaphore<>* const turns_;
};

// Far more than the kernel takes of it before the client reads.
constexpr size_t kAnswerBytes = size_t{32} << 20;
constexpr int kMostTries = 10'000;

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TcpListener listener = ListenOnTcp("127.0.0.1:0").value();
    port_ = static_cast<uint16_t>(std::strtoul(
        listener.address.substr(listener.address.rfind(':') + 1).c_str(), nullptr, 10));
    server_ = HttpServer::Start(std::move(listener.socket),
                                {.gate = &gate_,
                                 .quick = pool_.get(),
                                 .slow = pool_.get(),
                                 .streams = streams_.get(),
                                 .limits = {.answer_bytes = kAnswerBytes * 3 / 2}})
                  .value();
  }

  // A connection on which it has been asked for.
  UniqueFd Ask(const std::string& path = "/v1/status") const {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    return fd;
  }
  // The beginning of the answer, and none of the rest.
  static std::string BeginningOf(const UniqueFd& fd) {
    std::string line(12, '\0');
    const ssize_t got = ::recv(fd.get(), line.data(), line.size(), MSG_WAITALL);
    return line.substr(0, static_cast<size_t>(std::max<ssize_t>(got, 0)));
  }

  const Gate gate_{GateOptions()};
  std::counting_semaphore<> turns_{0};
  const std::unique_ptr<JobPool> pool_ = *JobPool::Start({.link = [this] {
    auto link = std::make_unique<QuietLink>(&turns_);
    link->answer = std::string(kAnswerBytes, ' ');
    return link;
  }});
  const std::unique_ptr<JobPool> streams_ = *JobPool::Start(
      {.threads = 1, .queue = 0, .link = [this] { return std::make_unique<QuietLink>(&turns_); }});
  uint16_t port_ = 0;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, WhoeverDoesNotReadKeepsNoMoreThanThereIsRoomFor) {
  UniqueFd idle = Ask();
  ASSERT_EQ(BeginningOf(idle), "HTTP/1.1 200");
  EXPECT_EQ(BeginningOf(Ask()), "HTTP/1.1 503") << "there is no room for two";
  idle.reset();
  std::string again;
  for (int i = 0; i < kMostTries && again != "HTTP/1.1 200"; ++i) again = BeginningOf(Ask());
  EXPECT_EQ(again, "HTTP/1.1 200") << "it is given back with the connection";
}

TEST_F(HttpServerTest, WhoHungUpWhileThereWasNothingToTellKeepsNoPlace) {
  UniqueFd listener = Ask("/v1/events");
  ASSERT_EQ(BeginningOf(listener), "HTTP/1.1 200");
  EXPECT_EQ(BeginningOf(Ask("/v1/events")), "HTTP/1.1 503") << "there is one place";
  listener.reset();
  turns_.release();
  std::string again;
  for (int i = 0; i < kMostTries && again != "HTTP/1.1 200"; ++i) {
    listener = Ask("/v1/events");
    again = BeginningOf(listener);
  }
  EXPECT_EQ(again, "HTTP/1.1 200");
  listener.reset();
  turns_.release();
}

}  // namespace
}  // namespace trims::admin

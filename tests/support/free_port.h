// FreePort: a port of loopback that nobody listens on, for a server that can't be told to take any.
//
//   const std::string port = FreePort();
#ifndef TRIMS_TESTS_SUPPORT_FREE_PORT_H_
#define TRIMS_TESTS_SUPPORT_FREE_PORT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "base/unique_fd.h"

namespace trims::test {

inline std::string FreePort() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return std::to_string(ntohs(address.sin_port));
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_FREE_PORT_H_

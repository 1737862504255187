// FewerOpenFiles: a limit of open files for the processes that a test starts meanwhile.
//
// Only root's process has all of its own again afterwards.
#ifndef TRIMS_TESTS_SUPPORT_FEWER_OPEN_FILES_H_
#define TRIMS_TESTS_SUPPORT_FEWER_OPEN_FILES_H_

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace trims::test {

class FewerOpenFiles {
 public:
  explicit FewerOpenFiles(rlim_t most) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit fewer{.rlim_cur = most, .rlim_max = most};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &fewer), 0);
  }
  ~FewerOpenFiles() { static_cast<void>(::setrlimit(RLIMIT_NOFILE, &before_)); }
  FewerOpenFiles(const FewerOpenFiles&) = delete;
  FewerOpenFiles& operator=(const FewerOpenFiles&) = delete;

 private:
  rlimit before_{};
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_FEWER_OPEN_FILES_H_

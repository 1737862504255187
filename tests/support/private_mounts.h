// PrivateMounts: mounts of this process's own, which its children have, too, and nobody else: a small tmpfs, a folder that
// can't be written. Where the machine refuses them, Enter() says why, and a test skips itself.
//
//   if (const std::string refused = PrivateMounts::Enter(); !refused.empty()) GTEST_SKIP() << refused;
//   PrivateMounts::MountTmpfs(folder / "data", 8 << 20);
//
// For the rest of the process, which has one thread so far.
#ifndef TRIMS_TESTS_SUPPORT_PRIVATE_MOUNTS_H_
#define TRIMS_TESTS_SUPPORT_PRIVATE_MOUNTS_H_

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace trims::test {

class PrivateMounts {
 public:
  // Empty, or why there are none to be had.
  static std::string Enter() {
    const uid_t uid = ::getuid();
    const gid_t gid = ::getgid();
    if (::unshare(CLONE_NEWNS) != 0) {  // who is not root needs a user namespace for it
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return Refused("a mount namespace");
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
      std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
    }
    const bool made = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    return made ? "" : Refused("private mounts");
  }

  static std::string MountTmpfs(const std::string& folder, uint64_t bytes) {
    const std::string options = "mode=0700,size=" + std::to_string(bytes);
    const bool made = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0;
    return made ? "" : Refused("a tmpfs");
  }

  // A mount of its own over itself, and whether that can be written.
  static std::string Bind(const std::string& folder) {
    const bool made = ::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) == 0;
    return made ? "" : Refused("a bind mount");
  }
  static std::string SetReadOnly(const std::string& folder, bool read_only) {
    const unsigned long flags = MS_REMOUNT | MS_BIND | (read_only ? MS_RDONLY : 0);
    const bool set = ::mount(nullptr, folder.c_str(), nullptr, flags, nullptr) == 0;
    return set ? "" : Refused("remounting");
  }

 private:
  static std::string Refused(const std::string& what) {
    return "this machine refuses " + what + ": " + std::strerror(errno);
  }
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_PRIVATE_MOUNTS_H_

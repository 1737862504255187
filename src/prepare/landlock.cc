#include "prepare/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/unique_fd.h"

namespace trims {
namespace {

// The kernel's interface, written out since Debian 12's headers know only its first versions.
struct RulesetAttributes {
  uint64_t handled_access_fs = 0;
  uint64_t handled_access_net = 0;  // from ABI 4 on
  uint64_t scoped = 0;              // from ABI 6 on
};
struct [[gnu::packed]] PathBeneath {
  uint64_t allowed_access;
  int32_t parent_fd;
};
constexpr int kRulePathBeneath = 1;
constexpr unsigned kCreateRulesetVersion = 1;

constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadFolder = 1 << 3;
constexpr uint64_t kRemoveFolder = 1 << 4;
constexpr uint64_t kRemoveFile = 1 << 5;
constexpr uint64_t kMakeFolder = 1 << 7;
constexpr uint64_t kMakeRegular = 1 << 8;
constexpr uint64_t kTruncate = 1 << 14;
constexpr uint64_t kAllOfAbi1 = (1 << 13) - 1;
constexpr uint64_t kRefer = 1 << 13;        // ABI 2
constexpr uint64_t kIoctlDevice = 1 << 15;  // ABI 5
constexpr uint64_t kTcp = 3;                // bind and connect
constexpr uint64_t kScopes = 3;             // abstract sockets and signals

constexpr uint64_t kReadFolderAndFiles = kReadFile | kReadFolder;
constexpr uint64_t kWriteFolder = kReadFolderAndFiles | kWriteFile | kRemoveFolder | kRemoveFile |
                                  kMakeFolder | kMakeRegular | kTruncate;
// What a rule on a file, instead of a folder, may hold.
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;

uint64_t HandledFiles(int abi) {
  uint64_t handled = kAllOfAbi1;
  if (abi >= 2) handled |= kRefer;
  if (abi >= 3) handled |= kTruncate;
  if (abi >= 5) handled |= kIoctlDevice;
  return handled;
}

Status Allow(int ruleset, const std::string& path, uint64_t access) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat seen;
  if (!fd) return errno == ENOENT ? Status() : ErrnoStatus("opening '" + path + "'");
  if (::fstat(fd.get(), &seen) != 0) return ErrnoStatus("'" + path + "'");
  if (!S_ISDIR(seen.st_mode)) access &= kOfFiles;
  const PathBeneath rule{access, fd.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &rule, 0) == 0) return Status();
  return ErrnoStatus("a Landlock rule for '" + path + "'");
}

size_t AttributeBytes(int abi) { return abi >= 6 ? 24 : abi >= 4 ? 16 : 8; }

}  // namespace

int LandlockAbi() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

Status RestrictToPaths(const LandlockPaths& paths) {
  const int abi = LandlockAbi();
  if (abi == 0) return Status(StatusCode::kUnimplemented, "this kernel has no Landlock");
  RulesetAttributes attributes;
  attributes.handled_access_fs = HandledFiles(abi);
  if (abi >= 4) attributes.handled_access_net = kTcp;
  if (abi >= 6) attributes.scoped = kScopes;
  const UniqueFd ruleset(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, AttributeBytes(abi), 0)));
  if (!ruleset) return ErrnoStatus("making a Landlock ruleset");
  for (const std::string& path : paths.readable) {
    TRIMS_RETURN_IF_ERROR(Allow(ruleset.get(), path, kReadFolderAndFiles));
  }
  for (const std::string& path : paths.writable) {
    TRIMS_RETURN_IF_ERROR(Allow(ruleset.get(), path, kWriteFolder & attributes.handled_access_fs));
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0) return Status();
  return ErrnoStatus("applying Landlock");
}

}  // namespace trims

#include "tools/trimsd/process_setup.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/errno_status.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/program.h"
#include "base/sys.h"
#include "base/unique_fd.h"

namespace trims::daemon {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLeastOpenFiles = 64;
constexpr char kPreparerName[] = "trims-prepare";
constexpr char kDeviceProgramName[] = "trims-device";
constexpr char kKeeperProgramName[] = "trims-keeper";

extern "C" void EndNow(int) {
  static constexpr char kMessage[] =
      "trimsd: something still runs after the time to stop; ending\n";
  static_cast<void>(!::write(STDERR_FILENO, kMessage, sizeof kMessage - 1));
  ::_exit(0);
}

uint64_t RaiseOpenFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

// An installed daemon has its programs in libexec, one in a build tree in a folder beside its own.
std::vector<std::string> ProgramFolders(const char* in_build_tree) {
  const fs::path own = OwnFolder();
  if (own.empty()) return {};
  return {own, own.parent_path() / "libexec" / "trims", own.parent_path() / in_build_tree};
}

std::string Listed(const std::vector<std::string>& folders) {
  std::string text;
  for (const std::string& folder : folders) text += folder + ", ";
  return text;
}

// A program without which an option can't be.
Result<std::string> FindForOption(const std::string& option, const std::string& name,
                                  const char* in_build_tree) {
  const std::vector<std::string> folders = ProgramFolders(in_build_tree);
  if (std::string program = FindProgram(name, folders); !program.empty()) return program;
  return Status(
      StatusCode::kFailedPrecondition,
      option + " needs " + name + ", and there is none in " + Listed(folders) + "nor on PATH",
      "install it beside trimsd, or start trimsd without " + option);
}

Status NoPreparer(const std::string& why) {
  return Status(
      StatusCode::kFailedPrecondition,
      "this daemon has no trims-prepare, without which models are served but not added: " + why,
      "start trimsd again with --preparer PATH of trims-prepare");
}

}  // namespace

uint64_t SetUpProcess() {
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  return RaiseOpenFiles();
}

Status CheckOpenFiles(uint64_t limit) {
  if (limit == 0 || limit >= kLeastOpenFiles) return Status();
  return Status(StatusCode::kFailedPrecondition,
                "trimsd may open " + std::to_string(limit) + " files, expected at least " +
                    std::to_string(kLeastOpenFiles) +
                    ": every connection and every model needs some",
                "raise the hard limit (ulimit -Hn, systemd: LimitNOFILE=)");
}

Status SetUpFaultInjection(bool allowed) {
  const char* text = std::getenv("TRIMS_FAULT");
  if (text == nullptr || *text == '\0') return Status();
  if (!allowed) {
    LogWarning("fault.ignored", {{"TRIMS_FAULT", text}, {"hint", "needs --allow-fault-injection"}});
    return Status();
  }
  TRIMS_ASSIGN_OR_RETURN(const fault::Plan plan, fault::ParsePlan(text));
  fault::Install(plan);
  LogWarning("fault.installed", {{"plan", text}});
  return Status();
}

void EndWithin(unsigned seconds) {
  std::signal(SIGALRM, EndNow);
  ::alarm(seconds);
}

Result<std::string> FindPreparer(const std::string& wanted) {
  std::error_code error;
  if (!wanted.empty()) {
    if (IsProgram(wanted)) return fs::absolute(wanted, error).string();
    return NoPreparer("trimsd's --preparer, '" + wanted + "', is no program");
  }
  const std::vector<std::string> folders = ProgramFolders("prepare");
  if (std::string program = FindProgram(kPreparerName, folders); !program.empty()) return program;
  return NoPreparer("there is none in " + Listed(folders) + "nor on PATH");
}

Result<std::string> FindDeviceProgram() {
  return FindForOption("--device", kDeviceProgramName, "device");
}

Result<std::string> FindKeeperProgram() {
  return FindForOption("--keeper process", kKeeperProgramName, "keeper");
}

void TellReady(int fd) {
  if (fd < 0) return;
  const UniqueFd owned(fd);
  const char byte = '1';
  if (sys::Write(fd, &byte, 1) != 1) {
    LogWarning("ready.failed",
               {{"error", ErrnoStatus("writing to --ready-fd " + std::to_string(fd))}});
  }
}

}  // namespace trims::daemon

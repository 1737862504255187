#include "tools/trims/doctor_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tools/trims/doctor_report.h"
#include "tools/trims/document.h"

namespace trims::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kGiB = uint64_t{1} << 30;

// A machine without fault.
DoctorFacts GoodFacts() {
  DoctorFacts facts;
  facts.kernel = {.release = "6.8.0-test",
                  .major = 6,
                  .minor = 8,
                  .madv_collapse = true,
                  .openat2 = true,
                  .pidfd = true,
                  .peer_pidfd = true,
                  .seccomp = true,
                  .landlock_abi = 4};
  facts.huge_pages = {
      .shmem_enabled = "advise",
      .support = {.pages = Pages::kTransparentHuge, .reason = "the kernel gives them", .mend = ""}};
  facts.memory = {.total = 16 * kGiB,
                  .available = 12 * kGiB,
                  .cgroup_version = 2,
                  .open_files = 65536,
                  .open_files_hard = 65536,
                  .max_map_count = 65530};
  facts.socket = {.path = "/run/user/1000/trims/trimsd.sock",
                  .folder = "/run/user/1000/trims",
                  .me = 1000,
                  .folder_exists = true,
                  .folder_owner = 1000,
                  .folder_mode = 0700,
                  .exists = true,
                  .is_socket = true,
                  .owner = 1000,
                  .daemon_version = "0.1.0"};
  facts.data = {.folder = "/data/trims", .exists = true, .daemon = 77};
  facts.programs = {.trimsd = "/usr/bin/trimsd",
                    .prepare = "/usr/libexec/trims/trims-prepare",
                    .sandbox = std::string(R"({"landlock":true,"seccomp":true})"),
                    .onnxruntime = "/usr/lib/libonnxruntime.so.1",
                    .onnxruntime_version = "1.32.0",
                    .bubblewrap = "/usr/bin/bwrap"};
  return facts;
}

Check Find(const DoctorFacts& facts, const std::string& id) {
  for (const Check& check : RunChecks(facts)) {
    if (check.id == id) return check;
  }
  ADD_FAILURE() << "no check " << id;
  return {};
}

TEST(DoctorChecksTest, FindsNothingWrongWithAGoodMachine) {
  for (const Check& check : RunChecks(GoodFacts())) {
    EXPECT_EQ(check.level, CheckLevel::kOk) << check.id << ": " << check.found;
    EXPECT_THAT(check.found, Not(IsEmpty())) << check.id;
    EXPECT_THAT(check.mend, IsEmpty()) << check.id;
  }
}

TEST(DoctorChecksTest, SaysWhetherMemoryPressureIsTold) {
  DoctorFacts facts = GoodFacts();
  facts.memory.pressure_file = "/proc/pressure/memory";
  EXPECT_THAT(Find(facts, "memory-pressure").found, HasSubstr("/proc/pressure/memory: trimsd"));
  facts.memory.pressure = Status(StatusCode::kUnimplemented, "no PSI", "boot with psi=1");
  const Check without = Find(facts, "memory-pressure");
  EXPECT_EQ(without.level, CheckLevel::kOk) << "nothing needs it";
  EXPECT_THAT(without.found, HasSubstr("not to be had"));
  EXPECT_EQ(without.mend, "boot with psi=1");
}

TEST(DoctorChecksTest, EveryCheckHasAnIdOfItsOwn) {
  std::set<std::string> ids;
  for (const Check& check : RunChecks(GoodFacts()))
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
}

TEST(DoctorChecksTest, SaysForEverythingThatIsMissingHowToMendIt) {
  DoctorFacts facts;  // nothing is there
  facts.kernel.memfd_seals = Status(StatusCode::kPermissionDenied, "memfd_create fails");
  facts.kernel.user_namespace = Status(StatusCode::kPermissionDenied, "may not");
  facts.socket.daemon = Status(StatusCode::kNotFound, "no socket");
  facts.socket.autostart = false;
  for (const Check& check : RunChecks(facts)) {
    EXPECT_TRUE(check.level == CheckLevel::kOk || !check.mend.empty()) << check.id;
  }
}

TEST(DoctorChecksTest, JudgesTheKernelByItsVersion) {
  DoctorFacts facts = GoodFacts();
  facts.kernel.minor = 0;
  EXPECT_EQ(Find(facts, "kernel").level, CheckLevel::kWarning);
  facts.kernel.major = 5;
  facts.kernel.minor = 13;
  EXPECT_EQ(Find(facts, "kernel").level, CheckLevel::kFailure);
}

TEST(DoctorChecksTest, SaysWhetherWhatIsResidentOutlivesTheDaemon) {
  DoctorFacts facts = GoodFacts();
  const auto found = [&](const char* keeper) {
    facts.socket.keeper = keeper;
    return Find(facts, "keeper").found;
  };
  EXPECT_THAT(found("systemd"), HasSubstr("descriptor store"));
  EXPECT_THAT(found("process"), HasSubstr("outlives"));
  EXPECT_THAT(found("off"), HasSubstr("trimsd --keeper process"));
  EXPECT_THAT(found(""), HasSubstr("not known"));
}

TEST(DoctorChecksTest, UnsealableMemoryIsFatal) {
  DoctorFacts facts = GoodFacts();
  facts.kernel.memfd_seals = Status(StatusCode::kPermissionDenied, "a memfd can't be sealed");
  EXPECT_EQ(Find(facts, "sealed-memory").level, CheckLevel::kFailure);
}

TEST(DoctorChecksTest, MissingKernelFeaturesAreWarnings) {
  DoctorFacts facts = GoodFacts();
  facts.kernel = {.release = "6.8.0-test", .major = 6, .minor = 8};
  for (const char* id :
       {"madv-collapse", "openat2", "pidfd", "peer-pidfd", "landlock", "seccomp"}) {
    EXPECT_EQ(Find(facts, id).level, CheckLevel::kWarning) << id;
  }
}

TEST(DoctorChecksTest, WithoutIoUringModelsAreReadByThreads) {
  DoctorFacts facts = GoodFacts();
  EXPECT_EQ(Find(facts, "io-uring").level, CheckLevel::kOk);
  facts.kernel.io_uring = Status(StatusCode::kPermissionDenied, "io_uring_setup: not permitted");
  const Check check = Find(facts, "io-uring");
  EXPECT_EQ(check.level, CheckLevel::kWarning);
  EXPECT_THAT(check.found, HasSubstr("io_uring_setup: not permitted"));
  EXPECT_THAT(check.mend, HasSubstr("kernel.io_uring_disabled=0"));
}

TEST(DoctorChecksTest, SmallPagesAreAWarningWithTheStoresRemedy) {
  DoctorFacts facts = GoodFacts();
  facts.huge_pages.support = {
      .pages = Pages::kSmall, .reason = "shmem_enabled is deny", .mend = "do this"};
  const Check check = Find(facts, "huge-pages");
  EXPECT_EQ(check.level, CheckLevel::kWarning);
  EXPECT_THAT(check.found, HasSubstr("shmem_enabled is deny"));
  EXPECT_EQ(check.mend, "do this");
}

TEST(DoctorChecksTest, NeverForSharedMemoryIsFineWhereTheProbeGotHugePages) {
  DoctorFacts facts = GoodFacts();
  facts.huge_pages.shmem_enabled = "never";
  EXPECT_EQ(Find(facts, "shmem-huge-pages").level, CheckLevel::kOk);
  facts.huge_pages.shmem_enabled = "deny";
  facts.huge_pages.support.pages = Pages::kSmall;
  EXPECT_EQ(Find(facts, "shmem-huge-pages").level, CheckLevel::kWarning);
}

TEST(DoctorChecksTest, AnExhaustedPoolIsAWarningOnlyIfItIsMissed) {
  DoctorFacts facts = GoodFacts();
  facts.huge_pages.pool_pages = 100;
  EXPECT_EQ(Find(facts, "hugetlb-pool").level, CheckLevel::kOk);
  facts.huge_pages.support.pages = Pages::kSmall;
  EXPECT_EQ(Find(facts, "hugetlb-pool").mend, "sudo sysctl vm.nr_hugepages=200");
}

TEST(DoctorChecksTest, WarnsOfLittleMemory) {
  DoctorFacts facts = GoodFacts();
  facts.memory.available = kGiB / 2;
  EXPECT_EQ(Find(facts, "memory").level, CheckLevel::kWarning);
  facts.memory.cgroup_limit = kGiB / 4;
  EXPECT_EQ(Find(facts, "cgroup-memory").level, CheckLevel::kWarning);
  EXPECT_THAT(Find(facts, "cgroup-memory").found, HasSubstr("256 MiB (cgroup v2)"));
}

TEST(DoctorChecksTest, RaisesTheOpenFilesNoFurtherThanTheHardLimit) {
  DoctorFacts facts = GoodFacts();
  facts.memory.open_files = 256;
  facts.memory.open_files_hard = 4096;
  EXPECT_EQ(Find(facts, "open-files").mend, "ulimit -n 4096");
}

TEST(DoctorChecksTest, AFolderThatClientsRefuseIsFatal) {
  DoctorFacts facts = GoodFacts();
  facts.socket.folder_trust =
      Status(StatusCode::kPermissionDenied, "others may write /x", "chmod go-w /x");
  const Check check = Find(facts, "socket-folder");
  EXPECT_EQ(check.level, CheckLevel::kFailure);
  EXPECT_EQ(check.mend, "chmod go-w /x");
}

TEST(DoctorChecksTest, AFolderThatCantBeMadeIsFatalUnlikeOneThatIsNotThereYet) {
  DoctorFacts facts = GoodFacts();
  facts.socket.folder_exists = false;
  EXPECT_EQ(Find(facts, "socket-folder").level, CheckLevel::kOk);
  facts.socket.parent_exists = false;
  EXPECT_EQ(Find(facts, "socket-folder").level, CheckLevel::kFailure);
  EXPECT_EQ(Find(facts, "socket-folder").mend, "mkdir -p /run/user/1000");
}

TEST(DoctorChecksTest, JudgesTheDataFolderByWhoUsesIt) {
  DoctorFacts facts = GoodFacts();
  facts.data.exists = false;  // under the running daemon
  EXPECT_EQ(Find(facts, "data-folder").level, CheckLevel::kFailure);
  EXPECT_THAT(Find(facts, "data-folder").mend, HasSubstr("kill 77"));
  facts.data.daemon = 0;
  EXPECT_EQ(Find(facts, "data-folder").level, CheckLevel::kOk);
  EXPECT_THAT(Find(facts, "data-folder").found, HasSubstr("trimsd makes it"));
  facts.data.writable = Status(StatusCode::kPermissionDenied, "may not write /home", "next");
  EXPECT_EQ(Find(facts, "data-folder").level, CheckLevel::kFailure);
  EXPECT_EQ(Find(facts, "data-folder").mend, "next");
}

TEST(DoctorChecksTest, SomethingElseInTheSocketsPlaceIsFatal) {
  DoctorFacts facts = GoodFacts();
  facts.socket.is_socket = false;
  EXPECT_EQ(Find(facts, "socket").level, CheckLevel::kFailure);
}

TEST(DoctorChecksTest, AMissingDaemonIsFineWhereItIsStartedOnDemand) {
  DoctorFacts facts = GoodFacts();
  facts.socket.daemon = Status(StatusCode::kNotFound, "no socket");
  EXPECT_EQ(Find(facts, "daemon").level, CheckLevel::kOk);
  facts.socket.autostart = false;
  EXPECT_EQ(Find(facts, "daemon").level, CheckLevel::kWarning);
  facts.socket.daemon = Status(StatusCode::kPermissionDenied, "refused");
  EXPECT_EQ(Find(facts, "daemon").level, CheckLevel::kFailure);
}

TEST(DoctorChecksTest, MissingProgramsAreFatalAndTheirPlacesNamed) {
  DoctorFacts facts = GoodFacts();
  facts.programs.prepare.clear();
  facts.programs.searched = {"/opt/trims", "PATH"};
  EXPECT_EQ(Find(facts, "trims-prepare").level, CheckLevel::kFailure);
  EXPECT_THAT(Find(facts, "trims-prepare").found, HasSubstr("/opt/trims, PATH"));
  EXPECT_EQ(Find(facts, "prepare-sandbox").level, CheckLevel::kWarning);
}

TEST(DoctorChecksTest, NamesTheLimitsThatTheSandboxLacks) {
  DoctorFacts facts = GoodFacts();
  facts.programs.sandbox = std::string(R"({"landlock":false,"seccomp":true,"abi":0})");
  const Check check = Find(facts, "prepare-sandbox");
  EXPECT_EQ(check.level, CheckLevel::kWarning);
  EXPECT_EQ(check.found, "confined by seccomp; missing: landlock");
  facts.programs.sandbox = std::string("no json");
  EXPECT_EQ(Find(facts, "prepare-sandbox").level, CheckLevel::kWarning);
}

TEST(DoctorReportTest, FailsOnlyIfACheckFailed) {
  const Check ok{.id = "a", .found = "x"};
  const Check warning{.id = "b", .level = CheckLevel::kWarning, .found = "x", .mend = "y"};
  const Check failure{.id = "c", .level = CheckLevel::kFailure, .found = "x", .mend = "y"};
  EXPECT_EQ(ChecksExitCode(std::vector{ok, warning}), 0);
  EXPECT_EQ(ChecksExitCode(std::vector{ok, warning, failure}), 1);
}

TEST(DoctorReportTest, PrintsALineACheckAndTheRemedyBelow) {
  std::ostringstream out;
  const Terminal terminal{.out = out, .err = out};
  const std::vector<Check> checks = {
      {.id = "kernel", .found = "Linux 6.8"},
      {.id = "huge-pages", .level = CheckLevel::kWarning, .found = "none", .mend = "sysctl x"}};
  EXPECT_EQ(RenderChecks(checks, {.globals = {}, .terminal = terminal}),
            "ok    kernel             Linux 6.8\n"
            "warn  huge-pages         none\n"
            "                         → sysctl x\n"
            "\n"
            "TrIMS works here, with 1 warning\n");
}

TEST(DoctorReportTest, CountsInItsDocument) {
  const std::vector<Check> checks = {
      {.id = "a", .found = "x"},
      {.id = "b", .level = CheckLevel::kFailure, .found = "y", .mend = "z"}};
  const Json json = Json::parse(ChecksDocument(checks));
  EXPECT_EQ(json["ok"], 1);
  EXPECT_EQ(json["warnings"], 0);
  EXPECT_EQ(json["failures"], 1);
  EXPECT_EQ(json["checks"][1],
            (Json{{"id", "b"}, {"level", "fail"}, {"found", "y"}, {"mend", "z"}}));
}

}  // namespace
}  // namespace trims::cli

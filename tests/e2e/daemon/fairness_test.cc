// Quotas, guarantees and the guard against churn of a real daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/macros.h"
#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kFairModelBytes = size_t{6} << 20;

class FairnessTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& arguments) {
    daemon_.emplace(folder_.path(), arguments);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  Result<Model> Open(const std::string& name) {
    TRIMS_ASSIGN_OR_RETURN(Client client, daemon_->Connect());
    return client.Open(name);
  }
  nlohmann::json Namespace(const std::string& name) {
    const nlohmann::json status = daemon_->GetStatus();
    for (const nlohmann::json& each : status["namespaces"]) {
      if (each["namespace"] == name) return each;
    }
    return {};
  }

  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(FairnessTest, AQuotaIsHeldAndShownAndEndsWithItsLeases) {
  Start({"--quota", "team:leases=1", "--quota", "*:bytes=7MiB"});
  std::filesystem::create_directory(folder_ / "team");  // its file's
  daemon_->AddFile("team/a", kFairModelBytes);
  daemon_->AddFile("plain", kFairModelBytes);
  daemon_->AddFile("second", kFairModelBytes);
  {
    const Result<Model> one = Open("team/a");
    ASSERT_TRUE(one.ok()) << one.status().ToString();
    const Result<Model> two = Open("team/a");
    EXPECT_EQ(two.status().code(), StatusCode::kQuotaExceeded) << two.status().ToString();
    EXPECT_EQ(Namespace("team")["leases"], 1);
    EXPECT_EQ(Namespace("team")["refused"], 1);
    EXPECT_EQ(Namespace("team")["quota"]["leases"], 1);
    EXPECT_TRUE(Namespace("team")["quota"]["bytes"].is_null());
    const Result<Model> plain = Open("plain");
    ASSERT_TRUE(plain.ok()) << plain.status().ToString();
    const Result<Model> second = Open("second");
    EXPECT_EQ(second.status().code(), StatusCode::kQuotaExceeded) << second.status().ToString();
    EXPECT_THAT(second.status().message(), HasSubstr("namespace 'default'"));
  }
  daemon_->GetStatus();  // the hang-ups have been seen
  EXPECT_EQ(Namespace("team")["leases"], 0);
  EXPECT_TRUE(Open("team/a").ok());
  EXPECT_TRUE(Open("second").ok()) << "the other one is idle, and goes";
}

TEST_F(FairnessTest, MoreGuaranteedThanThereIsEndsTheStart) {
  const DaemonProcess daemon(folder_.path(), {"--host-budget", "8MiB", "--quota",
                                              "a:guaranteed=5MiB", "--quota", "b:guaranteed=5MiB"});
  EXPECT_FALSE(daemon.ready());
  EXPECT_THAT(daemon.Log(), HasSubstr("quotas guarantee"));
}

TEST_F(FairnessTest, WithAGuardANewcomerIsRefusedRatherThanLettingGoOfWhatIsInUse) {
  Start({"--host-budget", "8MiB", "--churn-guard", "1h"});
  daemon_->AddFile("used", kFairModelBytes);
  daemon_->AddFile("next", kFairModelBytes);
  ASSERT_TRUE(Open("used").ok());
  daemon_->GetStatus();
  const Result<Model> next = Open("next");
  EXPECT_EQ(next.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(next.status().message(), HasSubstr("--churn-guard"));
}

}  // namespace
}  // namespace trims::test

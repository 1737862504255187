// What goes wrong with the store's disk while a real daemon has it: damage, files and folders that go, a disk that is full,
// read-only or broken, and a wall clock that jumps. Each is a typed error to whoever meets it, or is mended; other
// models are served as before, and the daemon lives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "e2e/store/recording.h"
#include "support/content.h"
#include "support/http_origin.h"
#include "support/private_mounts.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kTensorBytes = size_t{1} << 20;

class StoreFaultTest : public ::testing::Test {
 protected:
  // Nothing stays in memory, so that every open reads the disk.
  void StartDaemon(std::vector<std::string> arguments = {"--reclaim", "eager"}) {
    std::vector<std::string> environment;
    if (recording_) {
      const std::vector<std::string> own = recording_->arguments();
      arguments.insert(arguments.end(), own.begin(), own.end());
      environment = recording_->environment();
    }
    daemon_.emplace(folder_.path(), arguments, environment);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }

  // With two models, of which one is to have bad luck.
  void StartWithModels(const std::vector<std::string>& arguments = {"--reclaim", "eager"}) {
    StartDaemon(arguments);
    ASSERT_TRUE(Add("hurt").ok()) << daemon_->Log();
    hurt_ = Published().front();
    ASSERT_TRUE(Add("whole").ok()) << daemon_->Log();
  }

  void RestartDaemon() {
    daemon_->process().Signal(SIGTERM);
    ASSERT_EQ(daemon_->process().Wait(), 0) << daemon_->Log();
    daemon_.reset();
    StartDaemon();
  }

  static std::string TensorOf(const std::string& name, size_t bytes) {
    return Content(bytes, static_cast<uint32_t>(std::hash<std::string>()(name)));
  }

  std::string SourceOf(const std::string& name, size_t bytes = kTensorBytes) const {
    const std::string length = std::to_string(bytes);
    const std::string header =
        R"({"w":{"dtype":"U8","shape":[)" + length + R"(],"data_offsets":[0,)" + length + "]}}";
    const uint64_t size = header.size();
    return "file://" + folder_.Write(name + ".safetensors",
                                     std::string(reinterpret_cast<const char*>(&size), 8) + header +
                                         TensorOf(name, bytes));
  }

  Result<Admin> AdminOf() const {
    return Admin::Connect({.socket_path = daemon_->socket(), .client_name = "operator"});
  }

  Status Add(const std::string& name, size_t bytes = kTensorBytes,
             std::function<void(const Progress&)> on_progress = {}) const {
    Result<Admin> admin = AdminOf();
    if (!admin.ok()) return admin.status();
    return admin
        ->Add(name, SourceOf(name, bytes),
              {.variants = {Variant::kTensors}, .on_progress = std::move(on_progress)})
        .status();
  }

  Status Remove(const std::string& name) const {
    Result<Admin> admin = AdminOf();
    return admin.ok() ? admin->Remove(name).status() : admin.status();
  }

  // OK: it opens, with its own bytes.
  Status Open(const std::string& name, size_t bytes = kTensorBytes) const {
    Result<Client> client = daemon_->Connect();
    if (!client.ok()) return client.status();
    const Result<Model> model = client->Open(name, {.variant = Variant::kTensors});
    if (!model.ok()) return model.status();
    const Result<TensorView> tensor = model->Tensor("w");
    if (!tensor.ok()) return tensor.status();
    const std::string expected = TensorOf(name, bytes);
    const bool same = tensor->bytes.size() == bytes &&
                      std::memcmp(tensor->bytes.data(), expected.data(), bytes) == 0;
    return same ? Status() : Status(StatusCode::kInternal, "other bytes");
  }

  std::vector<std::string> Verified() const {
    Result<Admin> admin = AdminOf();
    const Result<std::string> verified = admin->Verify("");
    EXPECT_TRUE(verified.ok()) << verified.status().ToString();
    std::vector<std::string> states;
    if (!verified.ok()) return states;
    const nlohmann::json document = nlohmann::json::parse(*verified);
    for (const nlohmann::json& variant : document["variants"]) states.push_back(variant["state"]);
    return states;
  }

  std::string Prepared() const { return folder_ / "data/prepared"; }

  // The names of the folders in the store.
  std::vector<std::string> Published() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(Prepared(), none))
      names.push_back(entry.path().filename().string());
    return names;
  }

  // The file of the unlucky model's tensors.
  std::string HurtExtent() const {
    for (const auto& entry : fs::directory_iterator(Prepared() + "/" + hurt_)) {
      if (entry.is_regular_file() && entry.file_size() >= kTensorBytes)
        return entry.path().string();
    }
    ADD_FAILURE() << "no extent in " << hurt_;
    return "";
  }

  ScratchFolder folder_;
  std::optional<Recording> recording_;
  std::optional<DaemonProcess> daemon_;
  std::string hurt_;  // the folder of one of the models
};

struct Damage {
  const char* name;
  StatusCode code;
  std::function<void(const std::string& extent)> inflict;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class StoreDamageTest : public StoreFaultTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(StoreDamageTest, IsAnErrorOfThatModelAloneAndVerifyMendsIt) {
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  GetParam().inflict(HurtExtent());
  const Status opened = Open("hurt");
  EXPECT_EQ(opened.code(), GetParam().code) << opened.ToString();
  EXPECT_THAT(opened.message(), HasSubstr(hurt_));
  EXPECT_THAT(opened.hint(), Not(IsEmpty()));
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_THAT(Verified(), ::testing::UnorderedElementsAre("intact", "mended"));
  EXPECT_TRUE(Open("hurt").ok()) << Open("hurt").ToString();
  EXPECT_EQ(Published().size(), 2);
}

INSTANTIATE_TEST_SUITE_P(
    Store, StoreDamageTest,
    ::testing::Values(
        Damage{"ABitThatFlips", StatusCode::kDataLoss,
               [](const std::string& extent) {
                 std::fstream file(extent, std::ios::binary | std::ios::in | std::ios::out);
                 file.seekg(kTensorBytes / 2);
                 const int byte = file.get();
                 file.seekp(kTensorBytes / 2);
                 file.put(static_cast<char>(byte ^ 1));
               }},
        Damage{"AFileThatWasCut", StatusCode::kDataLoss,
               [](const std::string& extent) { fs::resize_file(extent, kTensorBytes / 2); }},
        Damage{"AFileThatIsEmpty", StatusCode::kDataLoss,
               [](const std::string& extent) { fs::resize_file(extent, 0); }},
        Damage{"AFileThatIsGone", StatusCode::kNotFound,
               [](const std::string& extent) { fs::remove(extent); }},
        Damage{"AFolderThatIsGone", StatusCode::kNotFound,
               [](const std::string& extent) { fs::remove_all(fs::path(extent).parent_path()); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(StoreFaultTest, TheFolderOfPreparedModelsGoesWhileItRuns) {
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  fs::remove_all(Prepared());
  EXPECT_EQ(Open("hurt").code(), StatusCode::kNotFound);
  EXPECT_TRUE(Add("new").ok()) << Add("new").ToString();
  EXPECT_TRUE(Open("new").ok());
  EXPECT_THAT(Verified(), ::testing::UnorderedElementsAre("intact", "mended", "mended"));
  EXPECT_TRUE(Open("hurt").ok());
  EXPECT_TRUE(Open("whole").ok());
}

TEST_F(StoreFaultTest, TheWholeDataFolderGoesWhileItRuns) {
  ASSERT_NO_FATAL_FAILURE(StartWithModels({"--reclaim", "lazy"}));
  ASSERT_TRUE(Open("whole").ok());
  fs::remove_all(folder_ / "data");
  EXPECT_TRUE(Open("whole").ok());  // it is in memory
  EXPECT_EQ(Open("hurt").code(), StatusCode::kNotFound);
  const Status added = Add("new");  // which would be gone with this daemon
  EXPECT_EQ(added.code(), StatusCode::kNotFound) << added.ToString();
  EXPECT_THAT(added.message(), HasSubstr(folder_ / "data"));
  EXPECT_THAT(added.hint(), Not(IsEmpty()));
  EXPECT_TRUE(Remove("hurt").ok());
  EXPECT_TRUE(daemon_->GetStatus().is_object());
  RestartDaemon();
  EXPECT_EQ(Open("whole").code(), StatusCode::kNotFound);
  EXPECT_TRUE(Add("new").ok());
}

// Once: what could not be read is prepared again. From then on: an error, of a daemon that lives.
TEST_F(StoreFaultTest, ADiskThatFailsToRead) {
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  for (const char* count : {"1", "1000000"}) {
    daemon_.reset();
    daemon_.emplace(folder_.path(),
                    std::vector<std::string>{"--reclaim", "eager", "--allow-fault-injection"},
                    std::vector<std::string>{"TRIMS_FAULT=read:1:" + std::to_string(EIO) + ":" +
                                             std::string(count)});
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
    const bool once = std::string(count) == "1";
    EXPECT_THAT(Verified(), once ? ::testing::UnorderedElementsAre("mended", "intact")
                                 : ::testing::UnorderedElementsAre("damaged", "damaged"));
    EXPECT_EQ(Open("hurt").code(), once ? StatusCode::kOk : StatusCode::kDataLoss);
  }
  ASSERT_NO_FATAL_FAILURE(RestartDaemon());
  EXPECT_THAT(Verified(), Each("intact"));
  EXPECT_TRUE(Open("hurt").ok());
}

TEST_F(StoreFaultTest, ADiskThatIsFull) {
  if (const std::string refused = PrivateMounts::Enter(); !refused.empty()) {
    GTEST_SKIP() << refused;
  }
  fs::create_directory(folder_ / "data");
  ASSERT_EQ(PrivateMounts::MountTmpfs(folder_ / "data", 4 * kTensorBytes), "");
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  const Status added = Add("large", 4 * kTensorBytes);
  EXPECT_EQ(added.code(), StatusCode::kResourceExhausted) << added.ToString();
  EXPECT_EQ(Published().size(), 2);
  EXPECT_TRUE(Open("hurt").ok());

  // Not even the catalog can be written.
  std::ofstream(folder_ / "data/balloon") << std::string(8 * kTensorBytes, 'x');
  const Status small = Add("small", 1024);
  EXPECT_EQ(small.code(), StatusCode::kResourceExhausted) << small.ToString();
  EXPECT_THAT(small.hint(), Not(IsEmpty())) << small.ToString();
  EXPECT_EQ(Published().size(), 2);
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_THAT(Verified(), Each("intact"));

  fs::remove(folder_ / "data/balloon");
  EXPECT_TRUE(Add("small", 1024).ok());
  EXPECT_TRUE(Remove("hurt").ok());
  EXPECT_TRUE(Open("small", 1024).ok());
  ASSERT_NO_FATAL_FAILURE(RestartDaemon());
  EXPECT_TRUE(Open("small", 1024).ok());
  EXPECT_TRUE(Open("whole").ok());
}

TEST_F(StoreFaultTest, ADiskThatIsFullForADownload) {
  if (const std::string refused = PrivateMounts::Enter(); !refused.empty()) {
    GTEST_SKIP() << refused;
  }
  fs::create_directory(folder_ / "data");
  ASSERT_EQ(PrivateMounts::MountTmpfs(folder_ / "data", 4 * kTensorBytes), "");
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  const std::string large(8 * kTensorBytes, 'x');
  HttpOrigin origin(
      [&](const OriginRequest& request) { return ServeObject(request, large, "\"1\""); });
  Result<Admin> admin = AdminOf();
  const Status added = admin->Add("large", origin.url() + "/large.bin").status();
  EXPECT_EQ(added.code(), StatusCode::kResourceExhausted) << added.ToString();
  EXPECT_THAT(added.hint(), Not(IsEmpty()));
  EXPECT_TRUE(Open("hurt").ok());
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_TRUE(Add("small", 1024).ok());
}

TEST_F(StoreFaultTest, AStoreThatIsRemountedReadOnly) {
  if (const std::string refused = PrivateMounts::Enter(); !refused.empty()) {
    GTEST_SKIP() << refused;
  }
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  ASSERT_EQ(PrivateMounts::Bind(Prepared()), "");  // the daemon sees it: it has this namespace
  ASSERT_EQ(PrivateMounts::SetReadOnly(Prepared(), true), "");
  const Status added = Add("new");
  EXPECT_EQ(added.code(), StatusCode::kPermissionDenied) << added.ToString();
  EXPECT_TRUE(Open("hurt").ok());
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_THAT(Verified(), Each("intact"));
  EXPECT_TRUE(Remove("hurt").ok());  // its folder can't go now
  EXPECT_EQ(Published().size(), 2);
  ASSERT_EQ(PrivateMounts::SetReadOnly(Prepared(), false), "");
  EXPECT_TRUE(Add("new").ok());
  ASSERT_NO_FATAL_FAILURE(RestartDaemon());
  EXPECT_TRUE(Open("new").ok());
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_TRUE(Remove("new").ok());
  ASSERT_NO_FATAL_FAILURE(RestartDaemon());
  EXPECT_TRUE(Open("whole").ok());
  daemon_->process().Signal(SIGTERM);
  EXPECT_EQ(daemon_->process().Wait(), 0);
  EXPECT_EQ(Published().size(), 1);
}

TEST_F(StoreFaultTest, ADataFolderThatIsReadOnlyFromTheStart) {
  if (const std::string refused = PrivateMounts::Enter(); !refused.empty()) {
    GTEST_SKIP() << refused;
  }
  ASSERT_NO_FATAL_FAILURE(StartWithModels());
  daemon_.reset();
  ASSERT_EQ(PrivateMounts::Bind(folder_ / "data"), "");
  ASSERT_EQ(PrivateMounts::SetReadOnly(folder_ / "data", true), "");
  DaemonProcess refused(folder_.path());
  EXPECT_FALSE(refused.ready());
  EXPECT_EQ(refused.process().Wait(), 1);
  EXPECT_THAT(refused.Log(), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(refused.Log(), HasSubstr(folder_ / "data"));
  ASSERT_EQ(PrivateMounts::SetReadOnly(folder_ / "data", false), "");
  ASSERT_NO_FATAL_FAILURE(StartDaemon());
  EXPECT_TRUE(Open("hurt").ok());
}

struct Failing {
  const char* name;
  int error;
  StatusCode code;
};

void PrintTo(const Failing& failing, std::ostream* out) { *out << failing.name; }

// Every change to the disk fails, those of SQLite and of the preparer, too.
class RecordedDiskTest : public StoreFaultTest {
 protected:
  void SetUp() override {
#ifdef TRIMS_SANITIZED
    GTEST_SKIP() << "the recorder can't be preloaded into programs with sanitizers";
#endif
    recording_.emplace(folder_.path(), folder_ / "data");
    StartWithModels();
  }
};

class FailingDiskTest : public RecordedDiskTest, public ::testing::WithParamInterface<Failing> {};

TEST_P(FailingDiskTest, WhatWouldChangeItSaysSoAndWhatIsThereIsServed) {
  recording_->FailChanges(GetParam().error);
  const Status added = Add("new");
  EXPECT_EQ(added.code(), GetParam().code) << added.ToString();
  const Status removed = Remove("hurt");
  EXPECT_EQ(removed.code(), GetParam().code) << removed.ToString();
  EXPECT_TRUE(Open("hurt").ok());
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_THAT(Verified(), Each("intact"));
  recording_->FailChanges(0);
  EXPECT_TRUE(Add("new").ok());
  EXPECT_TRUE(Remove("hurt").ok());
  ASSERT_NO_FATAL_FAILURE(RestartDaemon());
  EXPECT_TRUE(Open("new").ok());
  EXPECT_TRUE(Open("whole").ok());
  EXPECT_EQ(Open("hurt").code(), StatusCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(Store, FailingDiskTest,
                         ::testing::Values(Failing{"ReadOnly", EROFS,
                                                   StatusCode::kPermissionDenied},
                                           Failing{"Broken", EIO, StatusCode::kDataLoss},
                                           Failing{"Full", ENOSPC, StatusCode::kResourceExhausted}),
                         [](const auto& info) { return std::string(info.param.name); });

class DyingDiskTest : public RecordedDiskTest {};

// Before the first change of an add, before the second, and so on. What it has begun can't even be removed then,
// and goes with the next start.
TEST_F(DyingDiskTest, AnAddFailsAtAnyOfItsChangesAndWhatWasThereStays) {
  bool added = false;
  for (int64_t after = 0; !added; after += 3) {
    SCOPED_TRACE("after " + std::to_string(after) + " changes");
    recording_->FailChanges(EIO, after);
    const Status status = Add("new");
    added = status.ok();
    if (!added) {
      EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.ToString();
    }
    EXPECT_TRUE(Open("whole").ok());
    recording_->FailChanges(0);
    if (!added) {
      EXPECT_EQ(Open("new").code(), StatusCode::kNotFound);
    }
    if (HasFailure()) return;
  }
  ASSERT_NO_FATAL_FAILURE(RestartDaemon());
  for (const char* name : {"hurt", "whole", "new"}) EXPECT_TRUE(Open(name).ok()) << name;
  daemon_->process().Signal(SIGTERM);
  EXPECT_EQ(daemon_->process().Wait(), 0);
  EXPECT_EQ(Published().size(), 3);
}

// Then SQLite has written what it says it could not write, and a new daemon finds it.
class CatalogSyncTest : public RecordedDiskTest {
 protected:
  void ExpectWholeAfterAKill() {
    daemon_->process().Signal(SIGKILL);
    daemon_->process().Wait();
    recording_->FailChanges(0);
    ASSERT_NO_FATAL_FAILURE(StartDaemon());
    const nlohmann::json listed = nlohmann::json::parse(AdminOf()->List().value());
    for (const nlohmann::json& model : listed["models"]) {
      const std::string name = model["name"];
      EXPECT_TRUE(Open(name.substr(name.find('/') + 1)).ok()) << name;
    }
    EXPECT_THAT(Verified(), Each("intact"));
    daemon_->process().Signal(SIGTERM);
    EXPECT_EQ(daemon_->process().Wait(), 0);
    EXPECT_EQ(Published().size(), listed["models"].size());
  }
};

TEST_F(CatalogSyncTest, ThatFailsForAnAddLeavesItWholeOrNotAtAll) {
  recording_->FailSyncs("-wal", EIO);
  const Status added = Add("new");
  EXPECT_EQ(added.code(), StatusCode::kDataLoss) << added.ToString();
  EXPECT_THAT(added.hint(), HasSubstr("dmesg"));
  EXPECT_EQ(Open("new").code(), StatusCode::kNotFound);
  ExpectWholeAfterAKill();
}

TEST_F(CatalogSyncTest, ThatFailsForARemovalLeavesItWholeOrNotAtAll) {
  recording_->FailSyncs("-wal", EIO);
  EXPECT_EQ(Remove("hurt").code(), StatusCode::kDataLoss);
  EXPECT_TRUE(Open("hurt").ok());
  ExpectWholeAfterAKill();
}

TEST_F(CatalogSyncTest, ThatFailedOnceIsForgottenByTheNextChange) {
  recording_->FailSyncs("-wal", EIO);
  EXPECT_EQ(Add("new").code(), StatusCode::kDataLoss);
  recording_->FailChanges(0);
  EXPECT_TRUE(Remove("hurt").ok());
  EXPECT_TRUE(Add("new").ok());
  EXPECT_TRUE(Open("new").ok());
  ExpectWholeAfterAKill();
}

class ClockTest : public StoreFaultTest {
 protected:
  static constexpr int64_t kTenYears = int64_t{10} * 365 * 24 * 3600;

  void SetUp() override {
#ifdef TRIMS_SANITIZED
    GTEST_SKIP() << "the recorder can't be preloaded into programs with sanitizers";
#endif
    recording_.emplace(folder_.path(), folder_ / "data");
  }
};

TEST_F(ClockTest, ThatJumpsAheadEndsNoWaitAndNoDaemon) {
  ASSERT_NO_FATAL_FAILURE(StartWithModels({"--reclaim", "eager", "--idle-exit", "1h"}));
  recording_->ShiftClock(kTenYears);
  Result<Client> client = daemon_->Connect();
  ASSERT_TRUE(client.ok());
  EXPECT_TRUE(
      client->Open("hurt", {.variant = Variant::kTensors, .deadline = std::chrono::seconds(60)})
          .ok());
  EXPECT_TRUE(Add("new").ok());
  EXPECT_TRUE(Open("new").ok());
  const nlohmann::json status = daemon_->GetStatus();
  EXPECT_LT(status["server"]["uptime_ms"], 3'600'000);
  recording_->ShiftClock(0);
  EXPECT_THAT(Verified(), Each("intact"));
}

TEST_F(ClockTest, ThatJumpsBackKeepsNobodyWaiting) {
  ASSERT_NO_FATAL_FAILURE(StartWithModels({"--reclaim", "eager", "--idle-exit", "200ms"}));
  recording_->ShiftClock(-kTenYears);
  EXPECT_EQ(daemon_->process().Wait(), 0) << daemon_->Log();
}

}  // namespace
}  // namespace trims::test

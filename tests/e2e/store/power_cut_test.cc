// The power is cut at random moments of adding, adding again, downloading, removing and verifying: a real daemon's changes
// to the disk are recorded, and new daemons start on what a cut could have left of them (disk.h). Each of them has
// what was said to be added and not what was said to be removed, opens all of it, finds nothing damaged, and loses no
// space.
// TRIMS_POWER_CUTS=300 makes it long; TRIMS_POWER_SEED repeats a failure.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "e2e/store/disk.h"
#include "e2e/store/recording.h"
#include "support/content.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSmallBytes = size_t{200} << 10;
constexpr size_t kLargeBytes = (size_t{8} << 20) + (size_t{100} << 10);  // two ranges of a download
constexpr int kSmallContents = 3;
constexpr int kLargeContent = kSmallContents;  // the one that is downloaded
constexpr unsigned kModelNames = 3;
constexpr unsigned kCutsOfARecording = 5;
constexpr unsigned kOperations = 8;  // of a recording
constexpr size_t kVariants = 2;      // of each content: files and tensors

unsigned Variable(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

// A model of one tensor.
std::string ModelOf(const std::string& tensor) {
  const std::string header = R"({"w":{"dtype":"U8","shape":[)" + std::to_string(tensor.size()) +
                             R"(],"data_offsets":[0,)" + std::to_string(tensor.size()) + "]}}";
  const uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + tensor;
}

// Which contents are there, under which names.
using Held = std::set<std::pair<std::string, int>>;

// From one position of the recording to the other: and what is there after it.
struct Operation {
  std::string what;
  uint64_t begin = 0;
  uint64_t end = 0;
  Held after;
  bool damages = false;  // something on the disk, which it mends
};

bool Same(std::span<const std::byte> bytes, const std::string& expected) {
  return bytes.size() == expected.size() &&
         std::memcmp(bytes.data(), expected.data(), expected.size()) == 0;
}

class PowerCutTest : public ::testing::Test {
 protected:
  PowerCutTest() : origin_([this](const OriginRequest& request) { return Answer(request); }) {
    for (int i = 0; i <= kLargeContent; ++i) {
      const size_t bytes = i == kLargeContent ? kLargeBytes : kSmallBytes;
      tensors_.push_back(Content(bytes, static_cast<uint32_t>(i) + 1));
      const std::string name = "source-" + std::to_string(i) + ".safetensors";
      sources_.push_back("file://" + folder_.Write(name, ModelOf(tensors_.back())));
    }
    large_ = ModelOf(tensors_.back());
    sources_.back() = origin_.url() + "/large.safetensors";
  }

  OriginReply Answer(const OriginRequest& request) const {
    const std::string range = request.Header("range");
    const bool later = !range.empty() && !range.starts_with("bytes=0-");
    if (broken_ && later) return {.status = 404};
    return ServeObject(request, large_, "\"v1\"");
  }

  Result<Admin> AdminOf(const DaemonProcess& daemon) const {
    return Admin::Connect({.socket_path = daemon.socket(), .client_name = "operator"});
  }

  // What an operation does, between two positions. False: the daemon did something else than it was to.
  template <typename Do>
  void Note(const std::string& what, Held after, bool damages, Do act) {
    Operation operation{.what = what, .after = after, .damages = damages};
    operation.begin = recording_->size();
    const Status status = act();
    operation.end = recording_->size();
    EXPECT_TRUE(status.ok()) << what << ": " << status.ToString();
    operations_.push_back(std::move(operation));
    held_ = std::move(after);
  }

  void Add(Admin* admin, const std::string& name, int content) {
    Held after = held_;
    after.emplace(name, content);
    Note("add " + name + " " + std::to_string(content), after, false, [&] {
      return admin->Add(name, sources_[static_cast<size_t>(content)], {.on_progress = {}}).status();
    });
  }

  // A download whose second range does not come. Of one that a cut has left, it may be there already.
  void AddInVain(Admin* admin, const std::string& name) {
    if (Downloads(fs::path(data_).parent_path()) > 0) return;
    Note("download " + name + " in vain", held_, false, [&] {
      broken_ = true;
      const Status status = admin->Add(name, sources_.back(), {.on_progress = {}}).status();
      broken_ = false;
      return status.ok() ? Status(StatusCode::kInternal, "it was added") : Status();
    });
  }

  void Remove(Admin* admin, const std::string& name) {
    Held after = held_;
    std::erase_if(after, [&](const auto& held) { return held.first == name; });
    if (after == held_) return;
    Note("rm " + name, after, false, [&] { return admin->Remove(name).status(); });
  }

  // In the store of the daemon that is recorded, which may remove some meanwhile; sorted.
  std::vector<std::string> PublishedFiles() const {
    std::vector<std::string> files;
    std::error_code gone;
    for (const std::string& name : Names(fs::path(data_).parent_path())) {
      if (name.starts_with('.')) continue;
      fs::recursive_directory_iterator entries(data_ + "/prepared/" + name, gone);
      for (const fs::recursive_directory_iterator end; !gone && entries != end;
           entries.increment(gone)) {
        if (entries->is_regular_file(gone) && entries->file_size(gone) > 0)
          files.push_back(entries->path().string());
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  // Damages a file of a prepared folder, and has it mended.
  void DamageAndVerify(Admin* admin, Random* random) {
    if (held_.empty()) return;
    const std::vector<std::string> files = PublishedFiles();
    ASSERT_FALSE(files.empty());
    const std::string damaged = files[(*random)() % files.size()];
    Note("verify, with damage to " + damaged.substr(data_.size()), held_, true, [&] {
      std::error_code gone;  // it may have been removed by now
      const uint64_t size = fs::file_size(damaged, gone);
      if (!gone) recording_->Damage(damaged, (*random)() % size);
      const Result<std::string> verified = admin->Verify("");
      if (verified.ok()) ExpectStates(*verified, {"intact", "mended"});
      return verified.status();
    });
  }

  void Operate(const DaemonProcess& daemon, Random* random) {
    Result<Admin> admin = AdminOf(daemon);
    ASSERT_TRUE(admin.ok());
    if ((*random)() % 3 == 0) {  // nothing but a download
      AddInVain(&*admin, "m0");
      Add(&*admin, "m0", kLargeContent);
      return;
    }
    for (unsigned i = 0; i < kOperations; ++i) {
      const std::string name = "m" + std::to_string((*random)() % kModelNames);
      const unsigned kind = (*random)() % 10;
      if (kind < 5) Add(&*admin, name, static_cast<int>((*random)() % kSmallContents));
      if (kind == 5) AddInVain(&*admin, name);
      if (kind == 5 || kind == 6) Add(&*admin, name, kLargeContent);
      if (kind == 7 || kind == 8) Remove(&*admin, name);
      if (kind == 9) DamageAndVerify(&*admin, random);
    }
  }

  void ExpectStates(const std::string& verified, const std::set<std::string>& states) const {
    const nlohmann::json document = nlohmann::json::parse(verified);
    for (const nlohmann::json& variant : document["variants"])
      EXPECT_TRUE(states.contains(variant["state"])) << variant.dump(2);
  }

  // Opens all that the catalog has; each must be one of the contents, in both variants.
  Held OpenAll(const DaemonProcess& daemon) const {
    Held found;
    Result<Admin> admin = AdminOf(daemon);
    Result<Client> client = daemon.Connect();
    EXPECT_TRUE(admin.ok() && client.ok()) << daemon.Log();
    if (!admin.ok() || !client.ok()) return found;
    const nlohmann::json listed = nlohmann::json::parse(admin->List().value());
    for (const nlohmann::json& model : listed["models"]) {
      const std::string name = model["name"];
      const int content = OpenBoth(&*client, model["reference"]);
      EXPECT_TRUE(found.emplace(name.substr(name.find('/') + 1), content).second) << model.dump();
    }
    return found;
  }

  // Which content it is; -1: none of them.
  int OpenBoth(Client* client, const std::string& reference) const {
    const Result<Model> tensors = client->Open(reference, {.variant = Variant::kTensors});
    const Result<Model> files = client->Open(reference, {.variant = Variant::kFiles});
    EXPECT_TRUE(tensors.ok()) << reference << " " << tensors.status().ToString();
    EXPECT_TRUE(files.ok()) << reference << " " << files.status().ToString();
    if (!tensors.ok() || !files.ok()) return -1;
    const Result<TensorView> tensor = tensors->Tensor("w");
    if (!tensor.ok()) return -1;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (Same(tensor->bytes, tensors_[i]) && Same(files->file(0).bytes, ModelOf(tensors_[i])))
        return static_cast<int>(i);
    }
    ADD_FAILURE() << reference << " has other bytes than any model";
    return -1;
  }

  // What has to be there after a cut at `position`, and what may be.
  struct Expected {
    std::string while_doing = "nothing";
    bool damaged = false;
    Held least;
    Held most;
  };
  Expected ExpectedAt(uint64_t position) const {
    Expected expected{.least = first_, .most = first_};
    for (const Operation& operation : operations_) {
      if (operation.end <= position) expected.least = expected.most = operation.after;
      if (operation.begin >= position || operation.end <= position) continue;
      expected.while_doing = operation.what;
      expected.damaged = operation.damages;
      expected.most.insert(operation.after.begin(), operation.after.end());
      std::erase_if(expected.least,
                    [&](const auto& held) { return !operation.after.contains(held); });
    }
    return expected;
  }

  // A new daemon on what a cut has left in `folder`.
  void ExpectWhole(const std::string& folder, const Expected& expected) {
    DaemonProcess daemon(folder);
    ASSERT_TRUE(daemon.ready()) << daemon.Log();
    Result<Admin> admin = AdminOf(daemon);
    ASSERT_TRUE(admin.ok());
    if (expected.damaged) ExpectStates(admin->Verify("").value(), {"intact", "mended"});
    const Held found = OpenAll(daemon);
    EXPECT_TRUE(
        std::includes(found.begin(), found.end(), expected.least.begin(), expected.least.end()))
        << Shown(found) << "lacks some of " << Shown(expected.least);
    EXPECT_TRUE(
        std::includes(expected.most.begin(), expected.most.end(), found.begin(), found.end()))
        << Shown(found) << "has more than " << Shown(expected.most);
    ExpectStates(admin->Verify("").value(), {"intact"});
    ExpectResumed(folder, &*admin, found);
    daemon.process().Signal(SIGTERM);
    EXPECT_EQ(daemon.process().Wait(), 0) << daemon.Log();
    ExpectNothingLost(folder, found);
    if (HasFailure()) std::cout << daemon.Log();
  }

  static std::string Shown(const Held& held) {
    std::string text;
    for (const auto& [name, content] : held) text += name + "=" + std::to_string(content) + " ";
    return text;
  }

  // What is left of a download must not spoil the next attempt.
  void ExpectResumed(const std::string& folder, Admin* admin, const Held& found) {
    if (Downloads(folder) == 0) return;
    for (const auto& [name, content] : found) {
      if (content == kLargeContent) return;
    }
    const Status added = admin->Add("again", sources_.back(), {.on_progress = {}}).status();
    ASSERT_TRUE(added.ok()) << added.ToString();
    Result<Client> client =
        Client::Connect({.socket_path = folder + "/run/trimsd.sock", .client_name = "check"});
    EXPECT_EQ(OpenBoth(&*client, "again"), kLargeContent);
    EXPECT_TRUE(admin->Remove("again").ok());
  }

  static size_t Downloads(const std::string& folder) {
    size_t count = 0;
    for (const std::string& name : Names(folder)) count += name.starts_with(".download-") ? 1 : 0;
    return count;
  }

  static std::vector<std::string> Names(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code none;
    fs::directory_iterator entries(folder + "/data/prepared", none);
    for (const fs::directory_iterator end; !none && entries != end; entries.increment(none))
      names.push_back(entries->path().filename().string());
    return names;
  }

  // Two folders for each content that is there, and downloads.
  void ExpectNothingLost(const std::string& folder, const Held& found) const {
    std::set<int> contents;
    for (const auto& [name, content] : found) contents.insert(content);
    size_t published = 0;
    for (const std::string& name : Names(folder)) {
      EXPECT_FALSE(name.starts_with(".incoming-")) << name;
      published += name.starts_with('.') ? 0 : 1;
    }
    EXPECT_EQ(published, contents.size() * kVariants);
  }

  // One daemon at work in `folder`, from beginning to end.
  void RecordAll(const std::string& folder, Random* random) {
    recording_->Rewind();
    operations_.clear();
    DaemonProcess daemon(folder, recording_->arguments(), recording_->environment());
    ASSERT_TRUE(daemon.ready()) << daemon.Log();
    first_ = held_ = OpenAll(daemon);
    ASSERT_NO_FATAL_FAILURE(Operate(daemon, random));
    daemon.process().Signal(SIGTERM);
    EXPECT_EQ(daemon.process().Wait(), 0) << daemon.Log();
  }

  // Anywhere, within one of the operations, or soon after something got its last name.
  uint64_t ChoosePosition(Random* random) const {
    const std::vector<uint64_t> ends = recording_->Ends();
    const std::vector<Record> records = recording_->Records();
    std::vector<size_t> within;
    const unsigned kind = (*random)() % 3;
    const Operation anything{.what = {}, .begin = 0, .end = UINT64_MAX, .after = {}};
    const Operation operation =
        kind == 0 || operations_.empty() ? anything : operations_[(*random)() % operations_.size()];
    for (size_t i = 0; i < ends.size(); ++i) {
      const bool fits = operation.begin <= ends[i] && ends[i] <= operation.end;
      if (fits && (kind != 2 || records[i].change == Change::kRename)) within.push_back(i);
    }
    if (within.empty()) return std::min(operation.end, ends.back());
    const size_t chosen = within[(*random)() % within.size()] + (kind == 2 ? (*random)() % 6 : 0);
    return ends[std::min(chosen, ends.size() - 1)];
  }

  // The disk after all that was recorded up to `position`.
  Disk DiskAt(const Disk& before, uint64_t position) const {
    Disk disk = before;
    const std::vector<uint64_t> ends = recording_->Ends();
    const std::vector<Record> records = recording_->Records();
    for (size_t i = 0; i < records.size() && ends[i] <= position; ++i) disk.Apply(records[i]);
    return disk;
  }

  // What was recorded is all that was done.
  void ExpectAllRecorded(const Disk& before, const std::string& data) const {
    const std::string copy = folder_ / "copy";
    DiskAt(before, UINT64_MAX).Write("data", copy);
    EXPECT_EQ(Listed(copy), Listed(data));
    fs::remove_all(copy);
  }

  static std::map<std::string, size_t> Listed(const std::string& folder) {
    std::map<std::string, size_t> listed;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const std::string path = entry.path().string();
      listed[path.substr(folder.size())] =
          entry.is_regular_file() ? std::hash<std::string>()(TextOf(path)) : 0;
    }
    return listed;
  }

  // A folder for a daemon of its own.
  std::string NewFolder(const std::string& name) const {
    std::string path = folder_ / name;
    fs::remove_all(path);
    fs::create_directory(path);
    return path;
  }

  ScratchFolder folder_;
  std::vector<std::string> tensors_;
  std::vector<std::string> sources_;
  std::string large_;
  std::atomic<bool> broken_ = false;
  HttpOrigin origin_;
  std::optional<Recording> recording_;
  std::string data_;  // of the daemon that is recorded
  Held first_;        // what it had at first
  Held held_;         // and now
  std::vector<Operation> operations_;
};

TEST_F(PowerCutTest, NothingIsLostAndNothingIsHalf) {
#ifdef TRIMS_SANITIZED
  GTEST_SKIP() << "the recorder can't be preloaded into programs with sanitizers";
#endif
  const unsigned seed = Variable("TRIMS_POWER_SEED", 20261127);
  const unsigned cuts = Variable("TRIMS_POWER_CUTS", 25);
  std::cout << "TRIMS_POWER_SEED=" << seed << " TRIMS_POWER_CUTS=" << cuts << '\n';
  Random random(seed);
  std::string live = NewFolder("live-0");
  for (unsigned cut = 0; cut < cuts;) {
    recording_.emplace(folder_.path(), live + "/data");
    data_ = live + "/data";
    const Disk before(live);
    ASSERT_NO_FATAL_FAILURE(RecordAll(live, &random));
    ExpectAllRecorded(before, data_);
    for (unsigned i = 0; i < kCutsOfARecording && cut < cuts; ++i, ++cut) {
      const uint64_t position = ChoosePosition(&random);
      const Expected expected = ExpectedAt(position);
      SCOPED_TRACE("cut " + std::to_string(cut) + ", while: " + expected.while_doing);
      const std::string folder = NewFolder("cut");
      DiskAt(before, position).WriteAfterCut("data", folder + "/data", &random);
      ASSERT_NO_FATAL_FAILURE(ExpectWhole(folder, expected));
      if (HasFailure()) return;
      fs::remove_all(folder);
    }
    // The next daemon that is recorded begins with nothing, or with what a cut has left.
    const uint64_t position = ChoosePosition(&random);
    const bool goes_on = cut / kCutsOfARecording % 2 == 1 && !ExpectedAt(position).damaged;
    const std::string next = NewFolder("live-" + std::to_string(cut));
    if (goes_on) DiskAt(before, position).WriteAfterCut("data", next + "/data", &random);
    fs::remove_all(live);
    live = next;
  }
}

}  // namespace
}  // namespace trims::test

// After any sequence of operations a real daemon, real clients and real files are what they should have made of
// them. The one over fakes (tests/manager/properties) is a thousand times as fast and tells more; here are the
// processes, the wire, the disk and the kernel as well.
// TRIMS_PROPERTY_ROUNDS=500 makes it long; TRIMS_PROPERTY_SEED repeats a failure.
#include "support/properties.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/sha256.h"
#include "e2e/daemon/daemon_process.h"
#include "support/known_models.h"
#include "support/operations.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr std::array<size_t, kContents> kKilobytesOf{200, 300, 300, 400, 500, 1200};
constexpr char kBudget[] = "1000KiB";  // the last is too large
constexpr std::array<const char*, 4> kEvictions{"never", "lru", "worth", "eager"};

std::string BytesOfContent(int content) {
  const size_t length = kKilobytesOf[static_cast<size_t>(content)] * 1000;
  return std::string(length, static_cast<char>('a' + content));
}

Digests DigestsOfContents() {
  Digests digests;
  for (int content = 0; content < kContents; ++content) {
    const std::string bytes = BytesOfContent(content);
    digests[static_cast<size_t>(content)] = Sha256Hex(std::as_bytes(std::span(bytes)));
  }
  return digests;
}

class RealNode {
 public:
  RealNode() {
    for (int content = 0; content < kContents; ++content) {
      sources_.push_back(
          "file://" + folder_.Write("source-" + std::to_string(content), BytesOfContent(content)));
    }
    Start();
    for (int content = 0; content < kContents; ++content) {
      const FirstModel& first = kFirstModels[static_cast<size_t>(content)];
      Add(first.name, first.version, content);
    }
  }

  void Do(const Operation& operation);
  const std::string& wrong() const { return wrong_; }

 private:
  // A model in this process, or a process that has one open until it is killed.
  struct Held {
    int content = 0;
    std::variant<Model, ChildProcess> by;
  };

  void Start() {
    daemon_.reset();
    daemon_.emplace(folder_.path(), std::vector<std::string>{"--host-budget", kBudget});
    Expect(daemon_->ready(), "the daemon does not start: " + daemon_->Log());
    client_.emplace(daemon_->Connect().value());
    admin_.emplace(Admin::Connect({.socket_path = daemon_->socket()}).value());
  }
  void Restart() {
    daemon_->process().Signal(SIGKILL);
    daemon_->process().Wait();
    held_.clear();
    draining_ = false;
    keeps_ = gives_up_ = true;
    Start();
  }

  std::string Text(const Reference& reference) const { return TextOf(reference, digests_); }
  void Expect(bool holds, const std::string& what) {
    if (!holds && wrong_.empty()) wrong_ = what;
  }
  void ExpectCode(StatusCode expected, const Status& came, const std::string& what) {
    Expect(came.code() == expected, what + ": expected " + std::string(StatusCodeName(expected)) +
                                        ", came " + came.ToString());
  }

  void Add(std::string_view name, std::string_view version, int content) {
    const Status status =
        admin_
            ->Add(TextOf({.name = name, .label = version}), sources_[static_cast<size_t>(content)],
                  {.variants = {Variant::kFiles}, .on_progress = {}})
            .status();
    ExpectCode(known_.Add(name, version, content), status, "add");
  }
  void Open(const Operation& operation);
  void OpenInAProcess(const Reference& reference);
  void ExpectLoadable(int content, const Status& status, const std::string& what);
  void Release(const Operation& operation, bool kill);
  void Control(const Operation& operation);
  void ChangeCatalog(const Operation& operation);
  void ChangePolicy(const Operation& operation);
  void Compare();
  void CompareSegments(const nlohmann::json& status);

  const ScratchFolder folder_;
  const Digests digests_ = DigestsOfContents();
  std::vector<std::string> sources_;
  std::optional<DaemonProcess> daemon_;
  std::optional<Client> client_;
  std::optional<Admin> admin_;
  KnownModels known_{digests_};
  std::list<Held> held_;
  bool draining_ = false;
  bool keeps_ = true;     // what nobody holds
  bool gives_up_ = true;  // of that what another needs
  std::string wrong_;
};

void RealNode::Do(const Operation& operation) {
  switch (operation.act) {
    case Act::kAdd:
      Add(Nth(kModelNames, operation.a), Nth(kVersions, operation.b),
          static_cast<int>(operation.c % kContents));
      break;
    case Act::kOpen:
      Open(operation);
      break;
    case Act::kClose:
    case Act::kDie:
      Release(operation, operation.act == Act::kDie);
      break;
    case Act::kPin:
    case Act::kUnpin:
    case Act::kPrefetch:
    case Act::kEvict:
      Control(operation);
      break;
    case Act::kDrain:
      draining_ = operation.a == 0;
      ExpectCode(StatusCode::kOk, admin_->Drain({.on = draining_}).status(), "drain");
      break;
    case Act::kPolicy:
      ChangePolicy(operation);
      break;
    case Act::kRestart:
      Restart();
      break;
    default:
      ChangeCatalog(operation);
  }
  Compare();
}

void RealNode::Open(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  const KnownModel* model = known_.Find(reference);
  if (operation.c == 0 && model != nullptr && !draining_) return OpenInAProcess(reference);
  Result<Model> opened = client_->Open(Text(reference));
  if (draining_) return ExpectCode(StatusCode::kUnavailable, opened.status(), "open, draining");
  if (model == nullptr) return ExpectCode(StatusCode::kNotFound, opened.status(), "open");
  ExpectLoadable(model->content, opened.status(), "open");
  if (!opened.ok()) return;
  Expect(opened->info().reference == model->Text(), "the version that was opened is another");
  const std::string bytes = BytesOfContent(model->content);
  const auto mapped = opened->file(0).bytes;
  Expect(std::equal(mapped.begin(), mapped.end(), std::as_bytes(std::span(bytes)).begin(),
                    std::as_bytes(std::span(bytes)).end()),
         "a model has another's bytes");
  held_.push_back({model->content, *std::move(opened)});
}

void RealNode::OpenInAProcess(const Reference& reference) {
  ChildProcess child =
      ChildProcess::Start({CLIENT_PROGRAM, "hold", daemon_->socket(), Text(reference)});
  if (child.ReadByte()) held_.push_back({known_.Find(reference)->content, std::move(child)});
}

// What is leased and pinned stays; with it the newcomer fits, or it is refused.
void RealNode::ExpectLoadable(int content, const Status& status, const std::string& what) {
  std::set<int> stays = known_.PinnedContents();
  for (const Held& held : held_) stays.insert(held.content);
  if (content == kContents - 1) return ExpectCode(StatusCode::kTooLarge, status, what);
  stays.insert(content);
  size_t kilobytes = 0;
  for (const int one : stays) kilobytes += kKilobytesOf[static_cast<size_t>(one)] + 10;
  const bool fits = kilobytes * 1000 < 1000 * 1024 && gives_up_;
  if (fits) return ExpectCode(StatusCode::kOk, status, what);
  const bool told = status.ok() || status.code() == StatusCode::kResourceExhausted;
  Expect(told, what + ": " + status.ToString());
}

void RealNode::Release(const Operation& operation, bool kill) {
  if (held_.empty()) return;
  const auto place = std::next(held_.begin(), static_cast<ptrdiff_t>(operation.b % held_.size()));
  if (ChildProcess* process = std::get_if<ChildProcess>(&place->by); process != nullptr && kill) {
    process->Signal(SIGKILL);
    process->Wait();
  }
  held_.erase(place);
}

void RealNode::Control(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  const KnownModel* model = known_.Find(reference);
  const std::string text = Text(reference);
  if (operation.act == Act::kUnpin) {
    return ExpectCode(known_.Unpin(reference), admin_->Unpin(text).status(), "unpin");
  }
  Status status;
  if (operation.act == Act::kPin) status = admin_->Pin(text).status();
  if (operation.act == Act::kPrefetch) status = admin_->Prefetch(text).status();
  if (operation.act == Act::kEvict) {
    status = admin_->Evict(text, {.when_idle = operation.b % 2 == 0}).status();
  }
  if (model == nullptr) return ExpectCode(StatusCode::kNotFound, status, "control");
  const bool held = std::any_of(held_.begin(), held_.end(),
                                [&](const Held& one) { return one.content == model->content; });
  if (operation.act == Act::kEvict) {
    const bool pinned = known_.PinnedContents().contains(model->content);
    if (pinned || (held && operation.b % 2 != 0)) {
      return Expect(!status.ok() || !held, "what is pinned or in use was evicted");
    }
    return ExpectCode(StatusCode::kOk, status, "evict");
  }
  if (operation.act == Act::kPrefetch && !keeps_) {
    return ExpectCode(StatusCode::kFailedPrecondition, status, "prefetch");
  }
  ExpectLoadable(model->content, status, "pin or prefetch");
  if (operation.act == Act::kPin && status.ok()) known_.Pin(model->name, model->version);
}

void RealNode::ChangeCatalog(const Operation& operation) {
  const Reference& alias = Nth(kAliasNames, operation.a);
  const Reference& to = Nth(kReferences, operation.b);
  switch (operation.act) {
    case Act::kSetAlias:
      return ExpectCode(known_.SetAlias(alias, to),
                        admin_->SetAlias(Text(alias), Text(to)).status(), "alias");
    case Act::kDeleteAlias:
      return ExpectCode(known_.DeleteAlias(alias), admin_->DeleteAlias(Text(alias)).status(),
                        "alias --delete");
    case Act::kRollback:
      return ExpectCode(known_.Rollback(alias), admin_->Rollback(Text(alias)).status(), "rollback");
    case Act::kRemove: {
      const Reference& reference = Nth(kReferences, operation.a);
      return ExpectCode(known_.Remove(reference), admin_->Remove(Text(reference)).status(), "rm");
    }
    default:
      return;
  }
}

void RealNode::ChangePolicy(const Operation& operation) {
  const std::string eviction = Nth(kEvictions, operation.a);
  const std::string reclaim = operation.c % 3 == 0 ? "eager" : "lazy";
  keeps_ = eviction != "eager" && reclaim == "lazy";
  gives_up_ = eviction != "never" || reclaim == "eager";
  const Status status = admin_->Policy({.eviction = eviction, .reclaim = reclaim}).status();
  ExpectCode(StatusCode::kOk, status, "policy");
}

void RealNode::Compare() {
  std::vector<std::string> lines;
  const nlohmann::json listed = nlohmann::json::parse(admin_->List().value());
  for (const nlohmann::json& model : listed["models"]) {
    std::string line = model["reference"].get<std::string>() + " " +
                       model["digest"].get<std::string>().substr(0, 12);
    if (model["newest"]) line += " newest";
    for (const nlohmann::json& alias : model["aliases"]) line += " " + alias.get<std::string>();
    lines.push_back(std::move(line));
  }
  Expect(lines == known_.Lines(), "the catalog has " + nlohmann::json(lines).dump() +
                                      ", and should have " + nlohmann::json(known_.Lines()).dump());
  const auto processes = std::count_if(held_.begin(), held_.end(), [](const Held& held) {
    return std::holds_alternative<ChildProcess>(held.by);
  });
  constexpr size_t kOwn = 2;  // client and operator
  CompareSegments(daemon_->GetSettledStatus(kOwn + static_cast<size_t>(processes)));
}

void RealNode::CompareSegments(const nlohmann::json& status) {
  const nlohmann::json& host = status["host"];
  Expect(host["used_bytes"] <= host["budget_bytes"], "the budget is exceeded");
  Expect(status["leases"] == held_.size(),
         "leases: " + status["leases"].dump() + ", not " + std::to_string(held_.size()));
  std::map<std::string, nlohmann::json> segments;
  for (const nlohmann::json& segment : status["segments"]) segments[segment["digest"]] = segment;
  const std::set<int> pinned = known_.PinnedContents();
  for (int content = 0; content < kContents; ++content) {
    const std::string what = "content " + std::to_string(content) + " ";
    const auto found = segments.find(digests_[static_cast<size_t>(content)]);
    const bool resident = found != segments.end() && found->second["state"] == "resident";
    const auto leases = std::count_if(held_.begin(), held_.end(),
                                      [&](const Held& held) { return held.content == content; });
    if (leases > 0) {
      Expect(resident && found->second["leases"] == leases, what + "is leased by others");
    }
    if (!resident) continue;
    Expect(found->second["pinned"] == pinned.contains(content), what + "is pinned, or is not");
    const bool stays = leases > 0 || pinned.contains(content);
    Expect(stays || (keeps_ && known_.HasContent(content)), what + "stays and should not");
  }
}

// A daemon of any kind of operation costs milliseconds, so there are few.
const Weights kAnything{{3, Act::kAdd},      {20, Act::kOpen},       {10, Act::kClose},
                        {4, Act::kDie},      {5, Act::kPin},         {4, Act::kUnpin},
                        {4, Act::kPrefetch}, {5, Act::kEvict},       {2, Act::kDrain},
                        {4, Act::kSetAlias}, {1, Act::kDeleteAlias}, {2, Act::kRollback},
                        {3, Act::kRemove},   {2, Act::kPolicy},      {2, Act::kRestart}};

TEST(DaemonProperties, AfterAnyOperationsTheDaemonIsAsItShouldBe) {
  constexpr int kLongest = 60;
  EXPECT_TRUE(HoldsForAll("a daemon is what was made of it", {.rounds = 6}, [] {
    const std::vector<Operation> operations = *AnyOperations(kAnything, kLongest);
    RealNode node;
    for (const Operation& operation : operations) {
      node.Do(operation);
      if (node.wrong().empty()) continue;
      RC_LOG() << "at: " << operation << '\n';
      RC_FAIL(node.wrong());
    }
  }));
}

}  // namespace
}  // namespace trims::test

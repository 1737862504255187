#include "manager/properties/node.h"

#include <filesystem>
#include <iterator>
#include <utility>

namespace trims::test {
namespace {

constexpr uint64_t kBudgetPages = 10;
constexpr std::array<uint64_t, kContents> kPagesOf{2, 3, 3, 4, 5, 12};  // the last is too large
constexpr char kMemoryFolder[] = "/dev/shm";                            // so that syncing is quick

}  // namespace

Node::Node()
    : folder_(std::filesystem::exists(kMemoryFolder) ? kMemoryFolder : "/tmp"),
      source_(folder_.Write("model", "weights")) {
  for (int content = 0; content < kContents; ++content) {
    images_.push_back(MakeImages(ManifestOf(content), "default/any", "v1").front());
  }
  Start();
  for (int content = 0; content < kContents; ++content) {
    const FirstModel& first = kFirstModels[static_cast<size_t>(content)];
    BeginAdd(first.name, first.version, content);
    FinishAdd(0);
  }
}

Node::~Node() { Stop(); }

Manifest Node::ManifestOf(int content) {
  const uint64_t pages = kPagesOf[static_cast<size_t>(content)];
  return MakeManifest(DigestOf(content), {MakeVariant(Variant::kFiles, pages - 1)});
}

void Node::Start() {
  const std::string root = folder_ / "prepared";
  const PreparedBeside beside{.root = root, .folders = PreparedStore::CountPublished(root).value()};
  catalog_ = std::make_unique<CountedCatalog>(
      Catalog::Open(folder_ / "catalog.db", beside, loop_.post()).value());
  prepared_ = std::make_unique<PreparedStore>(root, &worker_);
  tier_ = std::make_unique<FakeTier>(kBudgetPages * 4096);
  policy_ = {};
  ManagerOptions options;
  options.residency.default_deadline = kDefaultDeadline;
  manager_ = std::make_unique<Manager>(options, ManagerDependencies{.clock = &clock_,
                                                                    .timers = &timers_,
                                                                    .catalog = catalog_.get(),
                                                                    .tiers = {tier_.get()},
                                                                    .preparer = &preparer_,
                                                                    .prepared = prepared_.get(),
                                                                    .worker = &worker_});
}

// As a daemon ends: the connections first.
void Node::Stop() {
  for (Client& client : clients_) client.clear();
  asks_.clear();
  adding_.clear();
  leaving_.clear();
  draining_ = false;
  manager_.reset();
  preparer_.requests.clear();
  timers_.Advance({});
  Expect(timers_.pending() == 0, "timers are left after the manager's end");
  Expect(tier_->budget().used() == 0, "room is taken after the manager's end");
  tier_.reset();
  prepared_.reset();
  catalog_.reset();
}

void Node::Restart() {
  Stop();
  Start();
  Pump();
}

void Node::Pump() {
  while (catalog_->under_way() > 0) loop_.RunOne();
}

void Node::Expect(bool holds, const std::string& what) {
  if (!holds && wrong_.empty()) wrong_ = what;
}

void Node::ExpectCode(StatusCode expected, const Status& came, const std::string& what) {
  Expect(came.code() == expected, what + ": expected " + std::string(StatusCodeName(expected)) +
                                      ", came " + came.ToString());
}

void Node::TakeAnswers(const std::set<StatusCode>& allowed) {
  for (Client& client : clients_) {
    for (auto place = client.begin(); place != client.end();) {
      Hold& hold = **place;
      const auto next = std::next(place);
      if (hold.answer) {
        Expect(allowed.contains(hold.answer->code()),
               "a wait is answered unexpectedly: " + hold.answer->ToString());
        hold.wait.reset();
        const bool failed = !std::exchange(hold.answer, std::nullopt)->ok();
        if (failed) client.erase(place);
      }
      place = next;
    }
  }
}

void Node::TakeAsks() {
  for (auto place = asks_.begin(); place != asks_.end();) {
    const auto next = std::next(place);
    const Ask& ask = **place;
    if (ask.answer) {
      const bool pinned = ask.pin && ask.answer->ok();
      Expect(!pinned || known_.Has(ask.name, ask.version), "what was removed is pinned");
      if (pinned) known_.Pin(ask.name, ask.version);
      asks_.erase(place);
    }
    place = next;
  }
}

void Node::FinishAll() {
  while (!adding_.empty()) FinishAdd(0);
  while (SomethingLoads()) {
    while (!tier_->fills.empty()) FinishFill(0, /*fails=*/false);
    while (!tier_->releases.empty()) FinishRelease(0);
  }
}

bool Node::SomethingLoads() const { return !tier_->fills.empty() || !tier_->releases.empty(); }

void Node::Settle() {
  Operation last{.act = Act::kFinishFill};
  SeenAll before = Look();
  FinishAll();
  TakeAsks();
  Compare(before, last);
  for (int content = 0; content < kContents; ++content) {
    Expect(WaitsOf(content) == 0, "somebody waits, and nothing is under way");
  }
  ChangePolicy(TierPolicy());  // which gives up what is idle
  for (Client& client : clients_) client.clear();
  for (int i = 0; i < 3; ++i) {
    Advance(3);
    FinishAll();
  }
  TakeAsks();
  Compare(Look(), last);
  const SeenAll now = Look();
  for (const int pinned : known_.PinnedContents()) {
    Expect(now[static_cast<size_t>(pinned)].state == SegmentState::kResident,
           "what is pinned does not come back");
  }
  Expect(manager_->Idle(), "nothing is under way, and the manager is not idle");
  Restart();
  Compare(Look(), {.act = Act::kRestart});
}

}  // namespace trims::test

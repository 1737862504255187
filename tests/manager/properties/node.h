// Node: a manager over a real catalog and a real prepared store, with loads, releases and time in the test's hands,
// and what the operations so far should have made of it. After each operation the two are compared.
//
//   Node node;
//   node.Do(operation);
//   if (!node.wrong().empty()) …  // what is not as it should be
//
// What is told exactly: the catalog, aliases and pins, how each operation is answered, who holds what, which bytes
// they have. Of what the policies decide only that it is allowed: nobody loses what is leased or pinned, no
// budget is exceeded, nothing is refused for which there is room. Thread-safety: none.
#ifndef TRIMS_TESTS_MANAGER_PROPERTIES_NODE_H_
#define TRIMS_TESTS_MANAGER_PROPERTIES_NODE_H_

#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog_fixture.h"
#include "manager/manager.h"
#include "manager/properties/counted_catalog.h"
#include "store/prepared_store.h"
#include "support/known_models.h"
#include "support/manager_fakes.h"
#include "support/operations.h"
#include "support/scratch_folder.h"

namespace trims::test {

class Node {
 public:
  Node();
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void Do(const Operation& operation);
  // Whatever is under way comes to its end; then nothing waits, and what is pinned is there.
  void Settle();

  const std::string& wrong() const { return wrong_; }  // the first thing that was; empty: nothing

 private:
  static constexpr size_t kClients = 4;
  static constexpr std::chrono::milliseconds kDefaultDeadline{60'000};

  // What a client has open, or waits for.
  struct Hold {
    int content = 0;
    TimePoint due;
    std::optional<OpenWait> wait;
    std::optional<Lease> lease;
    std::optional<Status> answer;  // to the wait, not seen yet
  };
  using Client = std::list<std::shared_ptr<Hold>>;

  // A pin or a prefetch.
  struct Ask {
    std::string name;
    std::string version;
    bool pin = false;
    std::optional<Status> answer;
  };

  struct Adding {
    std::string_view name;
    std::string_view version;
    int content = 0;
    std::optional<Status> answer;
  };

  // What a content has in the tier.
  struct Seen {
    SegmentState state = SegmentState::kAbsent;
    uint64_t leases = 0;
    size_t waiters = 0;
    bool pinned = false;
    bool leaving = false;
    bool backs_off = false;
    std::chrono::milliseconds idle{0};
  };
  using SeenAll = std::array<Seen, kContents>;

  static Manifest ManifestOf(int content);
  void Start();
  void Stop();
  void Pump();  // until no change of the catalog is under way

  void Expect(bool holds, const std::string& what);
  void ExpectCode(StatusCode expected, const Status& came, const std::string& what);

  void DoOnRequest(const Operation& operation);  // an operator's or a client's
  void DoByItself(const Operation& operation);   // what ends or passes
  void BeginAdd(std::string_view name, std::string_view version, int content);
  void FinishAdd(unsigned nth);
  void Open(const Operation& operation);
  void ExpectOpened(int content, const Seen& before, const TierSnapshot& host,
                    const Result<OpenOutcome>& outcome);
  void Close(const Operation& operation);
  void Pin(const Operation& operation, bool pin);
  void Unpin(const Operation& operation);
  void Evict(const Operation& operation);
  void Drain(bool on);
  void ChangeAlias(const Operation& operation);
  void Remove(const Operation& operation);
  void ChangePolicy(const TierPolicy& policy);
  void KeepAlive(const Operation& operation);
  void FinishFill(unsigned nth, bool fails);
  void FinishRelease(unsigned nth);
  void Advance(unsigned step);
  void Restart();

  // Whose waits may have been answered by the operation, and with what.
  void TakeAnswers(const std::set<StatusCode>& allowed);
  void TakeAsks();

  SeenAll Look() const;
  uint64_t Footprint(int content) const { return images_[static_cast<size_t>(content)]->footprint; }
  uint64_t Evictable(const RoomUse& use) const;
  size_t LeasesOf(int content) const;
  size_t WaitsOf(int content) const;

  void Compare(const SeenAll& before, const Operation& operation);
  void CompareCatalog();
  void CompareLookUps();
  void CompareRoom(const TierSnapshot& host);
  void CompareSegments(const SeenAll& before, const SeenAll& now, bool restarted);
  void CompareFolders();
  void CompareCounters(const ManagerSnapshot& snapshot);
  bool SomethingLoads() const;
  void FinishAll();

  const ScratchFolder folder_;
  const std::string source_;
  std::vector<ImagePtr> images_;  // by content
  ManualClock clock_;
  FakeTimers timers_{&clock_};
  InlineWorker worker_;
  TestLoop loop_;
  FakePreparer preparer_;
  std::unique_ptr<CountedCatalog> catalog_;
  std::unique_ptr<PreparedStore> prepared_;
  std::unique_ptr<FakeTier> tier_;
  std::unique_ptr<Manager> manager_;

  KnownModels known_;
  std::array<Client, kClients> clients_;
  std::list<std::shared_ptr<Ask>> asks_;
  std::list<std::shared_ptr<Adding>> adding_;  // in the preparer's order
  std::set<int> leaving_;                      // contents
  bool draining_ = false;
  TierPolicy policy_;
  std::string wrong_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_MANAGER_PROPERTIES_NODE_H_

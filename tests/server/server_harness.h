// ServerHarness: a real Server and a real Manager on a loop thread of their own, with everything
// that blocks faked.
//
//   ServerHarness harness;
//   harness.AddModel("ocr", 2);                       // two extents
//   RawClient client(harness.socket_path());
//   ASSERT_OK(client.OpenLease("ocr").status());
//
// Thread-safety: members are called on the test's thread; what touches the loop's state runs there
// through OnLoop().
#ifndef TRIMS_TESTS_SERVER_SERVER_HARNESS_H_
#define TRIMS_TESTS_SERVER_SERVER_HARNESS_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "ingest/preparer.h"
#include "load/tier.h"
#include "loop/event_loop.h"
#include "loop/worker.h"
#include "manager/manager.h"
#include "server/raw_client.h"
#include "server/server.h"
#include "store/eviction_policy.h"
#include "support/manager_fakes.h"
#include "support/scratch_folder.h"

namespace trims::test {

// Gives every image 4 KiB extents of its own; holds fills back while told to.
class HeldTier final : public Tier {
 public:
  HeldTier(uint64_t budget, PostToLoop post) : budget_("host", budget), post_(std::move(post)) {}
  std::string_view name() const override { return "host"; }
  Budget& budget() override { return budget_; }
  void Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) override;
  void Release(ResidentBytes bytes, LetGoCalls calls) override;

  void set_hold(bool hold) { hold_ = hold; }
  void AdvanceHeld(uint64_t bytes);  // so many more are there, of each that is held back
  void FinishHeld();                 // what was held back; holds nothing more
  size_t held() const { return held_.size(); }

 private:
  Budget budget_;
  const PostToLoop post_;
  bool hold_ = false;
  std::deque<std::function<void()>> held_;
  std::deque<std::shared_ptr<FillControl>> controls_;  // of those
};

// Works at once; that it is done comes in a turn of its own, as from a thread.
class PostingWorker final : public Worker {
 public:
  explicit PostingWorker(PostToLoop post) : post_(std::move(post)) {}
  void Run(std::function<void()> work, std::function<void()> done) override {
    work();
    post_(std::move(done));
  }

 private:
  const PostToLoop post_;
};

class RefusingPreparer final : public Preparer {
 public:
  Status Ready() const override { return Status(); }
  void Prepare(PrepareJob, Progress, std::function<void(Result<Manifest>)> done) override {
    done(Status(StatusCode::kUnimplemented, "no preparer in this test"));
  }
};

class ServerHarness {
 public:
  explicit ServerHarness(ServerOptions options = {});
  ~ServerHarness();
  ServerHarness(const ServerHarness&) = delete;
  ServerHarness& operator=(const ServerHarness&) = delete;

  const std::string& socket_path() const { return socket_path_; }

  void AddModel(const std::string& name, size_t extents = 1);
  void HoldLoads();
  void AdvanceLoads(uint64_t bytes);
  void ReleaseLoads();

  // Runs `call` on the loop and waits for it.
  void OnLoop(std::function<void()> call);
  // Waits until every timer has run that is in the loop now and is due within `delay`: timers run in
  // the order of their deadlines.
  void RunTimersDueWithin(Duration delay);
  void StopServer();

  ServerCounters Counters();
  size_t Connections();  // the harness's own not among them
  // Over a connection of the harness's own, which stays. What other clients did before, hang-ups
  // included, has been seen by then: a first round trip puts this connection behind all that were
  // ready.
  nlohmann::json StatusDocument();
  // Open descriptors of this process, which is server and clients, with nothing under way on the
  // loop.
  size_t Descriptors();

 private:
  ScratchFolder folder_;
  const std::string socket_path_ = folder_ / "s";
  std::unique_ptr<EventLoop> loop_;
  SteadyClock clock_;
  FakeCatalog catalog_;
  std::unique_ptr<HeldTier> tier_;
  std::unique_ptr<PostingWorker> worker_;
  RefusingPreparer preparer_;
  std::unique_ptr<Manager> manager_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::unique_ptr<RawClient> own_client_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SERVER_SERVER_HARNESS_H_

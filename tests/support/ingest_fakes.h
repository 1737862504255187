// Stand-ins for what adding and removing wait for, which do nothing until a test says which step it
// lets happen: a wrong name is a failure, so that a test can't pass by another order of things.
#ifndef TRIMS_TESTS_SUPPORT_INGEST_FAKES_H_
#define TRIMS_TESTS_SUPPORT_INGEST_FAKES_H_

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "loop/worker.h"
#include "support/manager_fakes.h"

namespace trims::test {

// Works in order, on the test's thread, one job at a time.
class StepWorker final : public Worker {
 public:
  void Run(std::function<void()> work, std::function<void()> done) override {
    jobs_.push_back({std::move(work), std::move(done)});
  }
  void RunNext() {
    ASSERT_FALSE(jobs_.empty());
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    job.work();
    job.done();
  }
  // Also what the completions ask for.
  void RunAll() {
    while (!jobs_.empty()) RunNext();
  }
  size_t size() const { return jobs_.size(); }

  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };
  // For a test that works on a thread.
  Job TakeNext() {
    EXPECT_FALSE(jobs_.empty());
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

 private:
  std::deque<Job> jobs_;
};

// Changes end when the test names them: "put default/ocr:v1", "erase default/ocr:v1".
class StepCatalog final : public Catalog {
 public:
  Result<const CatalogEntry*> Find(const ModelReference& reference) const override {
    return content.Find(reference);
  }
  std::vector<const CatalogEntry*> All() const override { return content.All(); }
  void Put(CatalogEntry entry, std::function<void(Status)> done) override {
    const std::string what = "put " + entry.name + ":" + entry.version;
    changes_.push_back(
        {what, [this, entry = std::move(entry)](auto call) { content.Put(entry, std::move(call)); },
         std::move(done)});
  }
  void Erase(const std::string& name, const std::string& version,
             std::function<void(Status)> done) override {
    changes_.push_back(
        {"erase " + name + ":" + version,
         [this, name, version](auto call) { content.Erase(name, version, std::move(call)); },
         std::move(done)});
  }

  const AliasTable& Aliases() const override { return content.Aliases(); }
  const std::set<PinnedVariant>& Pins() const override { return content.Pins(); }
  const std::map<std::string, KeepAlive>& KeepAlives() const override {
    return content.KeepAlives();
  }
  void SetKeepAlive(const std::string& name, KeepAlive keep,
                    std::function<void(Status)> done) override {
    changes_.push_back(
        {"keep " + name,
         [this, name, keep](auto call) { content.SetKeepAlive(name, keep, std::move(call)); },
         std::move(done)});
  }
  void ClearKeepAlive(const std::string& name, std::function<void(Status)> done) override {
    changes_.push_back({"keep no more " + name,
                        [this, name](auto call) { content.ClearKeepAlive(name, std::move(call)); },
                        std::move(done)});
  }
  void PutAlias(Alias alias, std::function<void(Status)> done) override {
    const std::string what = "alias " + alias.name.ToString() + "=" + alias.target().ToString();
    changes_.push_back({what,
                        [this, alias](auto call) { content.PutAlias(alias, std::move(call)); },
                        std::move(done)});
  }
  void EraseAlias(const AliasName& name, std::function<void(Status)> done) override {
    changes_.push_back({"erase alias " + name.ToString(),
                        [this, name](auto call) { content.EraseAlias(name, std::move(call)); },
                        std::move(done)});
  }
  void Pin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) override {
    changes_.push_back(
        {"pin", [this, pins](auto call) { content.Pin(pins, std::move(call)); }, std::move(done)});
  }
  void Unpin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) override {
    changes_.push_back({"unpin", [this, pins](auto call) { content.Unpin(pins, std::move(call)); },
                        std::move(done)});
  }

  std::string next() const { return changes_.empty() ? "" : changes_.front().what; }
  void Finish(const std::string& what, const Status& status = {}) {
    ASSERT_EQ(next(), what);
    const Change change = std::move(changes_.front());
    changes_.pop_front();
    if (!status.ok()) return change.done(status);
    change.apply(change.done);
  }
  // Nobody will be told any more.
  void Drop() { changes_.clear(); }

  FakeCatalog content;

 private:
  struct Change {
    std::string what;
    std::function<void(std::function<void(Status)>)> apply;
    std::function<void(Status)> done;
  };
  std::deque<Change> changes_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_INGEST_FAKES_H_

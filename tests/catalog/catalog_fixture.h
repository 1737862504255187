// CatalogFixture: a catalog in a folder of its own, whose writer is waited for.
#ifndef TRIMS_TESTS_CATALOG_CATALOG_FIXTURE_H_
#define TRIMS_TESTS_CATALOG_CATALOG_FIXTURE_H_

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "support/manager_fakes.h"

namespace trims::test {

// A loop that runs what was posted on the test's thread.
class TestLoop {
 public:
  PostToLoop post() {
    return [this](std::function<void()> call) {
      MutexLock lock(mutex_);
      calls_.push_back(std::move(call));
      posted_.NotifyOne();
    };
  }
  void RunOne() {
    std::function<void()> call;
    {
      MutexLock lock(mutex_);
      while (calls_.empty()) posted_.Wait(mutex_);
      call = std::move(calls_.front());
      calls_.pop_front();
    }
    call();
  }

 private:
  Mutex mutex_;
  CondVar posted_;
  std::deque<std::function<void()>> calls_ TRIMS_GUARDED_BY(mutex_);
};

class CatalogFixture : public ::testing::Test {
 protected:
  CatalogFixture() {
    char folder[] = "/tmp/trims-catalog-XXXXXX";
    folder_ = ::mkdtemp(folder);
    path_ = folder_ + "/catalog.db";
  }
  ~CatalogFixture() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  Status Open() {
    catalog_.reset();
    Result<std::unique_ptr<Catalog>> opened = Catalog::Open(path_, prepared_, loop_.post());
    if (!opened.ok()) return opened.status();
    catalog_ = *std::move(opened);
    return {};
  }

  static CatalogEntry Entry(const std::string& name, const std::string& version, char digit) {
    return MakeCatalogEntry(name, version,
                            MakeManifest(Digest(digit), {MakeVariant(Variant::kFiles, 1)}), 1);
  }

  // What the change that `begin` asks for is answered.
  template <typename Begin>
  Status Changed(Begin begin) {
    std::optional<Status> outcome;
    begin([&](const Status& status) { outcome = status; });
    while (!outcome) loop_.RunOne();
    return *outcome;
  }
  Status Put(CatalogEntry entry) {
    return Changed([&](auto done) { catalog_->Put(std::move(entry), done); });
  }
  Status Erase(const std::string& name, const std::string& version) {
    return Changed([&](auto done) { catalog_->Erase(name, version, done); });
  }
  // The version found, or the name of the error's code.
  std::string Find(const std::string& reference) {
    const auto found = catalog_->Find(ParseModelReference(reference).value());
    return found.ok() ? (*found)->version : std::string(StatusCodeName(found.status().code()));
  }

  std::string folder_;
  std::string path_;
  PreparedBeside prepared_{.root = "/prepared", .folders = 0};
  TestLoop loop_;
  std::unique_ptr<Catalog> catalog_;
};

inline void RunSql(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_CATALOG_CATALOG_FIXTURE_H_

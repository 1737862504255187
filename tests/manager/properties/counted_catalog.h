// CountedCatalog: a real catalog, and how many changes of it are under way. Thread-safety: loop only.
#ifndef TRIMS_TESTS_MANAGER_PROPERTIES_COUNTED_CATALOG_H_
#define TRIMS_TESTS_MANAGER_PROPERTIES_COUNTED_CATALOG_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace trims::test {

class CountedCatalog final : public Catalog {
 public:
  explicit CountedCatalog(std::unique_ptr<Catalog> real) : real_(std::move(real)) {}

  size_t under_way() const { return under_way_; }

  Result<const CatalogEntry*> Find(const ModelReference& reference) const override {
    return real_->Find(reference);
  }
  std::vector<const CatalogEntry*> All() const override { return real_->All(); }
  size_t size() const override { return real_->size(); }
  const AliasTable& Aliases() const override { return real_->Aliases(); }
  const std::set<PinnedVariant>& Pins() const override { return real_->Pins(); }
  const std::map<std::string, KeepAlive>& KeepAlives() const override {
    return real_->KeepAlives();
  }
  void SetKeepAlive(const std::string& name, KeepAlive keep,
                    std::function<void(Status)> done) override {
    real_->SetKeepAlive(name, keep, Counted(std::move(done)));
  }
  void ClearKeepAlive(const std::string& name, std::function<void(Status)> done) override {
    real_->ClearKeepAlive(name, Counted(std::move(done)));
  }
  void Put(CatalogEntry entry, std::function<void(Status)> done) override {
    real_->Put(std::move(entry), Counted(std::move(done)));
  }
  void PutAlias(Alias alias, std::function<void(Status)> done) override {
    real_->PutAlias(std::move(alias), Counted(std::move(done)));
  }
  void EraseAlias(const AliasName& name, std::function<void(Status)> done) override {
    real_->EraseAlias(name, Counted(std::move(done)));
  }
  void Pin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) override {
    real_->Pin(std::move(pins), Counted(std::move(done)));
  }
  void Unpin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) override {
    real_->Unpin(std::move(pins), Counted(std::move(done)));
  }
  void Erase(const std::string& name, const std::string& version,
             std::function<void(Status)> done) override {
    real_->Erase(name, version, Counted(std::move(done)));
  }

 private:
  std::function<void(Status)> Counted(std::function<void(Status)> done) {
    ++under_way_;
    return [this, done = std::move(done)](const Status& status) {
      --under_way_;
      done(status);
    };
  }

  size_t under_way_ = 0;
  const std::unique_ptr<Catalog> real_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_MANAGER_PROPERTIES_COUNTED_CATALOG_H_

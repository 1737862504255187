#include "catalog/catalog.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/macros.h"
#include "base/near_names.h"
#include "catalog/catalog_database.h"
#include "loop/worker.h"

namespace trims {
namespace {

constexpr size_t kMaxSuggestions = 3;
constexpr size_t kMaxVersionsShown = 5;

std::string WithoutDefault(const std::string& name) {
  constexpr std::string_view kPrefix = "default/";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

class MemoryCatalog final : public Catalog {
 public:
  explicit MemoryCatalog(std::unique_ptr<CatalogDatabase> database)
      : database_(std::move(database)) {}
  ~MemoryCatalog() override { alive_.reset(); }

  Status Start(PostToLoop post) {
    TRIMS_ASSIGN_OR_RETURN(CatalogContent content, database_->ReadAll());
    for (CatalogRow& row : content.rows) Insert(std::move(row));
    for (Alias& alias : content.aliases) aliases_.Put(std::move(alias));
    for (PinnedVariant& pin : content.pins) pins_.insert(std::move(pin));
    keep_alives_ = std::move(content.keep_alives);
    TRIMS_ASSIGN_OR_RETURN(writer_, MakeThreadWorker(std::move(post)));
    return {};
  }

  Result<const CatalogEntry*> Find(const ModelReference& reference) const override {
    if (const CatalogEntry* entry = Lookup(reference)) return entry;
    const Alias* alias = aliases_.Find({reference.name, reference.version});
    if (alias == nullptr) return Unknown(reference);
    const ModelReference meant = Meant(*alias, reference.digest);
    if (const CatalogEntry* entry = Lookup(meant)) return entry;
    return Unknown(meant);
  }

  const AliasTable& Aliases() const override { return aliases_; }
  const std::set<PinnedVariant>& Pins() const override { return pins_; }
  const std::map<std::string, KeepAlive>& KeepAlives() const override { return keep_alives_; }

  std::vector<const CatalogEntry*> All() const override {
    std::vector<const CatalogEntry*> all;
    for (const auto& [name, rows] : models_) {
      for (const CatalogRow& row : rows) all.push_back(&row.entry);
    }
    return all;
  }

  size_t size() const override { return size_; }

  void Put(CatalogEntry entry, std::function<void(Status)> done) override {
    auto row = std::make_shared<CatalogRow>(CatalogRow{std::move(entry), ++last_sequence_});
    Write([row](CatalogDatabase* database) { return database->Put(*row); },
          [this, row] { Insert(std::move(*row)); }, std::move(done));
  }

  void Erase(const std::string& name, const std::string& version,
             std::function<void(Status)> done) override {
    Write([=](CatalogDatabase* database) { return database->Erase(name, version); },
          [=, this] {
            Drop(name, version);
            std::erase_if(pins_, [&](const PinnedVariant& pin) {
              return pin.name == name && pin.version == version;
            });
            if (!models_.contains(name)) keep_alives_.erase(name);
          },
          std::move(done));
  }

  void PutAlias(Alias alias, std::function<void(Status)> done) override {
    auto put = std::make_shared<Alias>(std::move(alias));
    Write([put](CatalogDatabase* database) { return database->PutAlias(*put); },
          [this, put] { aliases_.Put(std::move(*put)); }, std::move(done));
  }

  void EraseAlias(const AliasName& name, std::function<void(Status)> done) override {
    Write([name](CatalogDatabase* database) { return database->EraseAlias(name); },
          [this, name] { aliases_.Erase(name); }, std::move(done));
  }

  void Pin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) override {
    Write([pins](CatalogDatabase* database) { return database->Pin(pins); },
          [this, pins] { pins_.insert(pins.begin(), pins.end()); }, std::move(done));
  }

  void Unpin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) override {
    Write([pins](CatalogDatabase* database) { return database->Unpin(pins); },
          [this, pins] {
            for (const PinnedVariant& pin : pins) pins_.erase(pin);
          },
          std::move(done));
  }

  void SetKeepAlive(const std::string& name, KeepAlive keep,
                    std::function<void(Status)> done) override {
    Write([=](CatalogDatabase* database) { return database->SetKeepAlive(name, keep); },
          [=, this] { keep_alives_[name] = keep; }, std::move(done));
  }

  void ClearKeepAlive(const std::string& name, std::function<void(Status)> done) override {
    Write([=](CatalogDatabase* database) { return database->ClearKeepAlive(name); },
          [=, this] { keep_alives_.erase(name); }, std::move(done));
  }

 private:
  using Rows = std::vector<CatalogRow>;  // newest first

  static bool Matches(const CatalogEntry& entry, const ModelReference& reference) {
    if (!reference.digest.empty()) return entry.manifest.digest == reference.digest;
    return reference.version.empty() || entry.version == reference.version;
  }

  // Of models alone: an alias means no other one. nullptr: there is none.
  const CatalogEntry* Lookup(const ModelReference& reference) const {
    const auto found = models_.find(reference.name);
    if (found == models_.end()) return nullptr;
    for (const CatalogRow& row : found->second) {
      if (Matches(row.entry, reference)) return &row.entry;
    }
    return nullptr;
  }

  // With a digest: of the model that it means, the version that has it.
  static ModelReference Meant(const Alias& alias, const std::string& digest) {
    const AliasTarget& target = alias.target();
    if (digest.empty()) return {target.name, target.version, ""};
    return {target.name, "", digest};
  }

  // Looks at all names: for errors, not for opens.
  Status Unknown(const ModelReference& reference) const {
    const auto found = models_.find(reference.name);
    if (found == models_.end()) return UnknownName(reference);
    return UnknownVersion(reference, found->second);
  }

  // Memory follows the disk: `apply` runs only if `write` went well.
  void Write(std::function<Status(CatalogDatabase*)> write, std::function<void()> apply,
             std::function<void(Status)> done) {
    auto outcome = std::make_shared<Status>();
    writer_->Run([database = database_.get(), write = std::move(write),
                  outcome] { *outcome = write(database); },
                 [alive = std::weak_ptr<bool>(alive_), outcome, apply = std::move(apply),
                  done = std::move(done)] {
                   if (alive.expired()) return;
                   if (outcome->ok()) apply();
                   done(*outcome);
                 });
  }

  void Drop(const std::string& name, const std::string& version) {
    const auto found = models_.find(name);
    if (found == models_.end()) return;
    size_ -= std::erase_if(found->second,
                           [&](const CatalogRow& row) { return row.entry.version == version; });
    if (found->second.empty()) models_.erase(found);
  }

  void Insert(CatalogRow row) {
    Drop(row.entry.name, row.entry.version);
    last_sequence_ = std::max(last_sequence_, row.sequence);
    Rows& rows = models_[row.entry.name];
    const auto place = std::find_if(rows.begin(), rows.end(), [&](const CatalogRow& other) {
      return other.sequence < row.sequence;
    });
    rows.insert(place, std::move(row));
    ++size_;
  }

  Status UnknownName(const ModelReference& reference) const {
    std::vector<std::string> known;
    for (const auto& [name, rows] : models_) known.push_back(WithoutDefault(name));
    for (const Alias* alias : aliases_.All()) known.push_back(WithoutDefault(alias->name.name));
    const std::string wanted = WithoutDefault(reference.name);
    std::string message = "no model '" + wanted + "'";
    const std::vector<std::string> near = NearNames(wanted, known, kMaxSuggestions);
    if (!near.empty()) message += "; did you mean " + Alternatives(near) + "?";
    return Status(StatusCode::kNotFound, message,
                  models_.empty() ? "trims add " + wanted + " file:///path/of/the/model"
                                  : "trims ls shows what there is");
  }

  static Status UnknownVersion(const ModelReference& reference, const Rows& rows) {
    std::vector<std::string> versions;
    for (size_t i = 0; i < std::min(rows.size(), kMaxVersionsShown); ++i) {
      versions.push_back(rows[i].entry.version);
    }
    const std::string name = WithoutDefault(reference.name);
    const std::string wanted = reference.digest.empty()
                                   ? "no version '" + reference.version + "'"
                                   : "no version with digest sha256:" + reference.digest;
    return Status(StatusCode::kNotFound,
                  "model '" + name + "' has " + wanted + "; there is " + Alternatives(versions),
                  "trims show " + name + ":" + versions.front());
  }

  const std::unique_ptr<CatalogDatabase> database_;  // used by the writer once it runs
  std::map<std::string, Rows> models_;               // no name without rows
  AliasTable aliases_;
  std::set<PinnedVariant> pins_;
  std::map<std::string, KeepAlive> keep_alives_;
  size_t size_ = 0;  // of all rows together
  int64_t last_sequence_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Worker> writer_;  // last: it ends before what it uses
};

}  // namespace

CatalogEntry MakeCatalogEntry(std::string name, std::string version, Manifest manifest,
                              int64_t added_unix_seconds) {
  std::vector<ImagePtr> images = MakeImages(manifest, name, version);
  return {.name = std::move(name),
          .version = std::move(version),
          .manifest = std::move(manifest),
          .added_unix_seconds = added_unix_seconds,
          .images = std::move(images)};
}

Result<std::unique_ptr<Catalog>> Catalog::Open(const std::string& path,
                                               const PreparedBeside& prepared, PostToLoop post) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CatalogDatabase> database,
                         CatalogDatabase::Open(path, prepared));
  auto catalog = std::make_unique<MemoryCatalog>(std::move(database));
  TRIMS_RETURN_IF_ERROR(catalog->Start(std::move(post)));
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace trims

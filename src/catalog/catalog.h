// Catalog: which models this node knows. SQLite on disk; a copy in memory answers the event loop.
//
// Look-ups never touch the disk. Changes are written on the catalog's own thread and reported on
// the loop once they are durable; the copy in memory changes at that moment. DATA_LOSS from Open:
// the file is no catalog, or damaged. Thread-safety: loop only.
#ifndef TRIMS_CATALOG_CATALOG_H_
#define TRIMS_CATALOG_CATALOG_H_

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "catalog/alias.h"
#include "catalog/model_reference.h"
#include "format/image.h"
#include "format/manifest.h"
#include "loop/post_to_loop.h"

namespace trims {

struct CatalogEntry {
  std::string name;     // "namespace/name"
  std::string version;  // a label, or the first 12 digits of the digest
  Manifest manifest;
  int64_t added_unix_seconds = 0;
  std::vector<ImagePtr> images;  // of the manifest's variants, in their order
};

// With the images of its variants, which takes a copy of them.
CatalogEntry MakeCatalogEntry(std::string name, std::string version, Manifest manifest,
                              int64_t added_unix_seconds);

// One variant of a model that is to stay in a tier, whatever needs its room.
struct PinnedVariant {
  std::string name;
  std::string version;
  Variant kind = Variant::kFiles;
  std::string tier;

  friend auto operator<=>(const PinnedVariant&, const PinnedVariant&) = default;
};

// How long models of a name outlive their last lease; none: for ever.
using KeepAlive = std::optional<std::chrono::milliseconds>;

// What lies beside a catalog that is opened, as its owner found it (PreparedStore::CountPublished).
struct PreparedBeside {
  std::string root;  // for messages
  size_t folders = 0;
};

class Catalog {
 public:
  // Opens `path`, or makes it where nothing has been prepared yet. FAILED_PRECONDITION: it is
  // missing or empty, but there are prepared folders, which would be taken for orphans. Blocks: call
  // it before the loop runs.
  static Result<std::unique_ptr<Catalog>> Open(const std::string& path,
                                               const PreparedBeside& prepared, PostToLoop post);
  virtual ~Catalog() = default;

  // The entry that a reference means: its version, its digest, or the newest of that name; or what the
  // alias of that name means. NOT_FOUND with near names. The pointer holds until the next change.
  virtual Result<const CatalogEntry*> Find(const ModelReference& reference) const = 0;
  virtual std::vector<const CatalogEntry*> All() const = 0;  // by name, then newest first
  virtual size_t size() const { return All().size(); }

  virtual const AliasTable& Aliases() const = 0;
  virtual const std::set<PinnedVariant>& Pins() const = 0;
  virtual const std::map<std::string, KeepAlive>& KeepAlives() const = 0;  // by name

  // Errors as CatalogDatabase's: after DATA_LOSS the next daemon may find the change made.
  virtual void Put(CatalogEntry entry, std::function<void(Status)> done) = 0;
  // What had this name and label before is replaced, in one step.
  virtual void PutAlias(Alias alias, std::function<void(Status)> done) = 0;
  virtual void EraseAlias(const AliasName& name, std::function<void(Status)> done) = 0;
  // All of them or none. NOT_FOUND: there is no such model.
  virtual void Pin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) = 0;
  virtual void Unpin(std::vector<PinnedVariant> pins, std::function<void(Status)> done) = 0;
  // For all versions of a name, whenever they come. NOT_FOUND: there is none.
  virtual void SetKeepAlive(const std::string& name, KeepAlive keep,
                            std::function<void(Status)> done) = 0;
  virtual void ClearKeepAlive(const std::string& name, std::function<void(Status)> done) = 0;
  // Its pins go with it, and with the last of a name how long that is kept.
  virtual void Erase(const std::string& name, const std::string& version,
                     std::function<void(Status)> done) = 0;
};

}  // namespace trims

#endif  // TRIMS_CATALOG_CATALOG_H_

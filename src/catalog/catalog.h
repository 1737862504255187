// Catalog: which models this node knows. SQLite on disk; a copy in memory answers the event loop.
//
// Look-ups never touch the disk. Changes are written on the catalog's own thread and reported on
// the loop once they are durable; the copy in memory changes at that moment. DATA_LOSS from Open:
// the file is no catalog, or damaged. Thread-safety: loop only.
#ifndef TRIMS_CATALOG_CATALOG_H_
#define TRIMS_CATALOG_CATALOG_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

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

  // The entry that a reference means: its version, its digest, or the newest of that name.
  // NOT_FOUND with near names. The pointer holds until the next change.
  virtual Result<const CatalogEntry*> Find(const ModelReference& reference) const = 0;
  virtual std::vector<const CatalogEntry*> All() const = 0;  // by name, then newest first
  virtual size_t size() const { return All().size(); }

  // Errors as CatalogDatabase's: after DATA_LOSS the next daemon may find the change made.
  virtual void Put(CatalogEntry entry, std::function<void(Status)> done) = 0;
  virtual void Erase(const std::string& name, const std::string& version,
                     std::function<void(Status)> done) = 0;
};

}  // namespace trims

#endif  // TRIMS_CATALOG_CATALOG_H_

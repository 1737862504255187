// CatalogDatabase: the SQLite file behind the catalog. One connection, write-ahead log, every
// change synced.
//
// Opened on one thread and then used on one other: it has no lock of its own.
#ifndef TRIMS_CATALOG_CATALOG_DATABASE_H_
#define TRIMS_CATALOG_CATALOG_DATABASE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

#include "catalog/catalog.h"

namespace trims {

// A bump makes the catalogs of older releases unreadable until a migration is written for them.
// 5: aliases and pins; 6: keep-alive times. Those since 4 are taken over as they are opened.
inline constexpr int kCatalogSchemaVersion = 6;

struct CatalogRow {
  CatalogEntry entry;
  int64_t sequence = 0;  // rises with every Put: the highest of a name is its newest version
};

// All that a catalog holds.
struct CatalogContent {
  std::vector<CatalogRow> rows;
  std::vector<Alias> aliases;
  std::vector<PinnedVariant> pins;
  std::map<std::string, KeepAlive> keep_alives;
};

class CatalogDatabase {
 public:
  // DATA_LOSS: no catalog, or damaged; FAILED_PRECONDITION: written by another release, or missing
  // or empty although there are prepared folders; RESOURCE_EXHAUSTED: too few open files.
  static Result<std::unique_ptr<CatalogDatabase>> Open(const std::string& path,
                                                       const PreparedBeside& prepared);
  virtual ~CatalogDatabase() = default;

  virtual Result<CatalogContent> ReadAll() = 0;
  // Each is all or nothing. RESOURCE_EXHAUSTED: the disk is full; PERMISSION_DENIED: it is read-only; DATA_LOSS: an
  // I/O error or damage, after which whoever opens the catalog next may find the change made.
  virtual Status Put(const CatalogRow& row) = 0;
  virtual Status Erase(const std::string& name, const std::string& version) = 0;
  virtual Status PutAlias(const Alias& alias) = 0;
  virtual Status EraseAlias(const AliasName& name) = 0;
  // NOT_FOUND: there is no such model.
  virtual Status Pin(const std::vector<PinnedVariant>& pins) = 0;
  virtual Status Unpin(const std::vector<PinnedVariant>& pins) = 0;
  // NOT_FOUND: there is no model of that name.
  virtual Status SetKeepAlive(const std::string& name, KeepAlive keep) = 0;
  virtual Status ClearKeepAlive(const std::string& name) = 0;
};

}  // namespace trims

#endif  // TRIMS_CATALOG_CATALOG_DATABASE_H_

// CatalogDatabase: the SQLite file behind the catalog. One connection, write-ahead log, every
// change synced.
//
// Opened on one thread and then used on one other: it has no lock of its own.
#ifndef TRIMS_CATALOG_CATALOG_DATABASE_H_
#define TRIMS_CATALOG_CATALOG_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

#include "catalog/catalog.h"

namespace trims {

// A bump makes the catalogs of older releases unreadable until a migration is written for them.
inline constexpr int kCatalogSchemaVersion = 4;

struct CatalogRow {
  CatalogEntry entry;
  int64_t sequence = 0;  // rises with every Put: the highest of a name is its newest version
};

class CatalogDatabase {
 public:
  // DATA_LOSS: no catalog, or damaged; FAILED_PRECONDITION: written by another release, or missing
  // or empty although there are prepared folders; RESOURCE_EXHAUSTED: too few open files.
  static Result<std::unique_ptr<CatalogDatabase>> Open(const std::string& path,
                                                       const PreparedBeside& prepared);
  virtual ~CatalogDatabase() = default;

  virtual Result<std::vector<CatalogRow>> ReadAll() = 0;
  // Both are all or nothing. RESOURCE_EXHAUSTED: the disk is full; PERMISSION_DENIED: it is read-only; DATA_LOSS: an
  // I/O error or damage, after which whoever opens the catalog next may find the change made.
  virtual Status Put(const CatalogRow& row) = 0;
  virtual Status Erase(const std::string& name, const std::string& version) = 0;
};

}  // namespace trims

#endif  // TRIMS_CATALOG_CATALOG_DATABASE_H_

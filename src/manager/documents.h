// The JSON documents that describe models and the host tier; docs/json.md gives their fields.
//
// Thread-safety: loop only, since they look at catalog and segments.
#ifndef TRIMS_MANAGER_DOCUMENTS_H_
#define TRIMS_MANAGER_DOCUMENTS_H_

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "manager/manager.h"
#include "residency/counters.h"
#include "residency/segment_table.h"

namespace trims {

std::string ListOf(const Catalog& catalog, const SegmentTable& segments);
std::string ShowOf(const CatalogEntry& entry, const Catalog& catalog, const SegmentTable& segments);

std::string RemovedOf(const std::vector<RemovedModel>& removed);

struct StatusParts {
  const ManagerOptions& options;
  const ManagerDependencies& dependencies;
  const SegmentTable& segments;
  const Counters& counters;
  const IngestCounters& ingest;
  size_t preparations = 0;
};
std::string StatusOf(const StatusParts& parts);

}  // namespace trims

#endif  // TRIMS_MANAGER_DOCUMENTS_H_

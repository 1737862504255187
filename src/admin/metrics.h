// MetricsPage: the daemon's status as Prometheus reads it (docs/http.md has the names).
//
// Thread-safety: pure functions.
#ifndef TRIMS_ADMIN_METRICS_H_
#define TRIMS_ADMIN_METRICS_H_

#include <string>

#include "trims/status.h"

namespace trims::admin {

// Of the document of trims::Admin::GetStatus(). Where there is none, that the daemon is down is a metric too, so that a scrape
// of a daemon that is away is no scrape that failed. Fields that an older daemon lacks are left out.
std::string MetricsPage(const Result<std::string>& status_document);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_METRICS_H_

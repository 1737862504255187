// CheckLoadPlan and OpenPlanFile: what a load plan may ask for.
//
// The plan's variant comes from a manifest on disk, so nothing about it is believed: sums that
// overflow, pieces that overlap and paths that leave the model are refused here, before any byte of
// memory is taken.
//
// Thread-safety: safe; OpenPlanFile blocks, so it belongs on a worker thread.
#ifndef TRIMS_LOAD_LOAD_PLAN_CHECK_H_
#define TRIMS_LOAD_LOAD_PLAN_CHECK_H_

#include <memory>
#include <string>

#include "trims/status.h"

#include "base/random_access.h"
#include "load/load_segment.h"

namespace trims {

// INVALID_ARGUMENT says what is wrong with it.
Status CheckLoadPlan(const LoadPlan& plan);

// A file of the model's source or of the variant's folder. INVALID_ARGUMENT: `path` is not plain;
// PERMISSION_DENIED: a link leads out; errors as OpenSourceTree's and FileBytes's.
Result<std::unique_ptr<RandomAccess>> OpenPlanFile(const LoadPlan& plan, PieceOrigin origin,
                                                   const std::string& path);

// Where that file is looked for, for messages.
std::string PlanPath(const LoadPlan& plan, PieceOrigin origin, const std::string& path);

}  // namespace trims

#endif  // TRIMS_LOAD_LOAD_PLAN_CHECK_H_

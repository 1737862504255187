// CheckOperator: who may change the models of this daemon.
//
// Thread-safety: safe.
#ifndef TRIMS_INGEST_CHECK_OPERATOR_H_
#define TRIMS_INGEST_CHECK_OPERATOR_H_

#include "trims/status.h"

#include "wire/principal.h"

namespace trims {

// PERMISSION_DENIED unless it is the daemon's user or root.
Status CheckOperator(const wire::Principal& principal);

}  // namespace trims

#endif  // TRIMS_INGEST_CHECK_OPERATOR_H_

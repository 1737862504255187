// Early return on error, for functions that return Status or Result<T>.
//
//   TRIMS_RETURN_IF_ERROR(file.Seal());
//   TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, OpenFile(path));
#ifndef TRIMS_BASE_MACROS_H_
#define TRIMS_BASE_MACROS_H_

#include "trims/status.h"

#define TRIMS_CONCAT_INNER(a, b) a##b
#define TRIMS_CONCAT(a, b) TRIMS_CONCAT_INNER(a, b)

#define TRIMS_RETURN_IF_ERROR(expr)                \
  do {                                             \
    ::trims::Status trims_status_ = (expr);        \
    if (!trims_status_.ok()) return trims_status_; \
  } while (false)

#define TRIMS_ASSIGN_OR_RETURN(lhs, expr) \
  TRIMS_ASSIGN_OR_RETURN_INNER(TRIMS_CONCAT(trims_result_, __LINE__), lhs, expr)
#define TRIMS_ASSIGN_OR_RETURN_INNER(result, lhs, expr) \
  auto result = (expr);                                 \
  if (!result.ok()) return std::move(result).status();  \
  lhs = *std::move(result)

#endif  // TRIMS_BASE_MACROS_H_

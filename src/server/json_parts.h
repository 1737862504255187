// What several of the documents have in common. Internal to server/.
//
// Thread-safety: pure functions.
#ifndef TRIMS_SERVER_JSON_PARTS_H_
#define TRIMS_SERVER_JSON_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/progress.h"
#include "trims/status.h"

#include "manager/snapshot.h"

namespace trims {

using Json = nlohmann::ordered_json;

// File names may be any bytes; what is no UTF-8 is replaced, since an exception is the only other
// choice.
std::string Dump(const Json& document);

std::string Rfc3339(int64_t unix_seconds);  // empty: no such time
Json ErrorJson(const Status& error);
Json QuotaJson(const Quota& quota);
Json LoadJson(const LoadProgress& load);
Json HoldersJson(const std::vector<LeaseHolder>& holders);

}  // namespace trims

#endif  // TRIMS_SERVER_JSON_PARTS_H_

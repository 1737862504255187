// CheckRuns: whether the runs of a variant make the extents of its range, out of what there is.
//
//   TRIMS_RETURN_IF_ERROR(CheckRuns(variant));  // from here on each run lies in its part, and in one extent of the range
//
// Clients map by them, so nothing is believed: not the order, not a bound, not a sum. Thread-safety: pure functions.
#ifndef TRIMS_FORMAT_MANIFEST_RUNS_H_
#define TRIMS_FORMAT_MANIFEST_RUNS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/sha256.h"
#include "format/manifest.h"

namespace trims {

// Runs begin at pages, in the range as in their part, and are whole pages but at the end of an extent of the range; all parts
// together have no more extents than an open may send, and what is borrowed has all its bytes in the prepared store
// and borrows nothing itself. INVALID_ARGUMENT says what is not so. OK for a variant without runs.
Status CheckRuns(const ManifestVariant& variant);

// Drops what a stranger says of sharing: INVALID_ARGUMENT where its bytes can't be known without that.
Status DropSharing(Manifest* manifest);

// Each as 64 hexadecimal digits, without anything between; and back. INVALID_ARGUMENT: other text.
std::string BlockDigestsToHex(std::span<const Sha256::Digest> blocks);
Result<std::vector<Sha256::Digest>> BlockDigestsFromHex(std::string_view hex);

}  // namespace trims

#endif  // TRIMS_FORMAT_MANIFEST_RUNS_H_

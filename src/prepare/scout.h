// ScoutCompanions: asks a child, confined to the one file, which other files that file needs.
//
// The preparer may then be confined to exactly those: reading a file must not open its whole folder to
// whoever wrote it.
//
//   for (const std::string& name : ScoutCompanions(source, limits)) …
//
// Forks: call it while one thread runs. Blocks until the child has answered, which its limits bound.
#ifndef TRIMS_PREPARE_SCOUT_H_
#define TRIMS_PREPARE_SCOUT_H_

#include <string>
#include <vector>

#include "prepare/sandbox.h"
#include "source/source_uri.h"

namespace trims {

// Plain paths in the file's folder; none where the child fails, since preparing fails then, too, and says
// why. Of `limits`, what it may read and write is not used.
std::vector<std::string> ScoutCompanions(const SourceUri& source, const SandboxOptions& limits);

}  // namespace trims

#endif  // TRIMS_PREPARE_SCOUT_H_

// The mark of what is lent: how the kernel tells a daemon which segments are still open in processes that got
// them from a daemon before it.
//
// Each daemon hands out an open file of its own of each memfd (never the one that the keeper holds), and puts a
// shared lock on it. The lock is the open file's, not a process's: it stays as long as anybody has a descriptor or a
// mapping of that open file, whatever becomes of the daemon, and goes with the last of them. So the next daemon, whose
// open file is another one, asks for a lock that conflicts, and learns the truth. Nobody has to call, to connect or
// to notice anything.
//
//   TRIMS_RETURN_IF_ERROR(MarkLent(fd));      // before it is handed out
//   if (IsLentByAnother(fd)) …                // somebody has the open file of a daemon before
//
// Who holds such an open file can take its mark away, as it can its pages' protection from eviction: the pages stay
// theirs, and are counted no more (docs/security.md). Thread-safety: safe.
#ifndef TRIMS_KEEPER_LENT_MARK_H_
#define TRIMS_KEEPER_LENT_MARK_H_

#include <vector>

#include "trims/status.h"

#include "store/resident_bytes.h"

namespace trims {

// UNIMPLEMENTED, INTERNAL: this kernel has no such locks.
Status MarkLent(int fd);
bool IsLentByAnother(int fd);

// What is handed out of it. What has been open from before may be any of them: who maps the extents may have let go of the index.
std::vector<int> DescriptorsOf(const ResidentBytes& bytes);
bool IsLentByAnother(const ResidentBytes& bytes);

}  // namespace trims

#endif  // TRIMS_KEEPER_LENT_MARK_H_

// Downloads that aren't complete: git-lfs pointers, partial files, files without bytes. Each looks like
// a model file by its name and would be refused, or worse, shared, for what it is not.
//
//   TRIMS_RETURN_IF_ERROR(CheckFinished(source, file));
//
// Source: git-lfs's specification of its pointer files; the names that huggingface_hub, curl, browsers
// and aria2 give to what they have not finished. Thread-safety: functions.
#ifndef TRIMS_PREPARE_UNFINISHED_H_
#define TRIMS_PREPARE_UNFINISHED_H_

#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "source/file_tree.h"

namespace trims {

// FAILED_PRECONDITION says what it is instead and how to get the rest.
Status CheckFinished(const FileTree& source, const ListedFile& file);

// Of a source of which no file is a known format's: FAILED_PRECONDITION where it is a partial file, or a
// folder that holds one whose complete form isn't there.
Status CheckNothingPartial(const FileTree& source);

// A note about those files besides `parts` that are unfinished; empty: there are none.
std::string NoteUnfinished(const FileTree& source, const std::vector<size_t>& parts);

}  // namespace trims

#endif  // TRIMS_PREPARE_UNFINISHED_H_

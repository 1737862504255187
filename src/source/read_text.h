// ReadText: all of a small file of a source, such as an index. Thread-safety: a function.
#ifndef TRIMS_SOURCE_READ_TEXT_H_
#define TRIMS_SOURCE_READ_TEXT_H_

#include <cstddef>
#include <string>

#include "trims/status.h"

#include "source/source_tree.h"

namespace trims {

// TOO_LARGE: longer than `max_bytes`; else as SourceTree::Open().
Result<std::string> ReadText(const SourceTree& source, const std::string& name, size_t max_bytes);

}  // namespace trims

#endif  // TRIMS_SOURCE_READ_TEXT_H_

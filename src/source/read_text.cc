#include "source/read_text.h"

#include <memory>
#include <span>

#include "base/macros.h"
#include "base/random_access.h"

namespace trims {

Result<std::string> ReadText(const SourceTree& source, const std::string& name, size_t max_bytes) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file, source.Open(name));
  if (file->size() > max_bytes) {
    return Status(StatusCode::kTooLarge, "'" + name + "' has " + std::to_string(file->size()) +
                                             " bytes: expected at most " +
                                             std::to_string(max_bytes));
  }
  std::string text(static_cast<size_t>(file->size()), '\0');
  if (text.empty()) return text;
  TRIMS_RETURN_IF_ERROR(file->ReadAt(0, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace trims

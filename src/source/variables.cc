#include "source/variables.h"

#include <span>

#include "base/ascii.h"
#include "base/macros.h"
#include "source/file_bytes.h"

namespace trims {

std::string VariableOf(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = environment(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

bool IsSwitchedOn(const Environment& environment, const char* name) {
  const std::string value = InLowerCase(VariableOf(environment, {name}));
  return value == "1" || value == "true" || value == "yes" || value == "on";
}

std::string InHome(const Environment& environment, const std::string& relative) {
  const std::string home = VariableOf(environment, {"HOME"});
  return home.empty() ? "" : home + "/" + relative;
}

Result<std::string> ReadSettings(const std::string& path, size_t max_bytes) {
  if (path.empty()) return std::string();
  Result<FileBytes> file = FileBytes::Open(path);
  if (!file.ok() && file.status().code() == StatusCode::kNotFound) return std::string();
  if (!file.ok()) return file.status();
  if (file->size() > max_bytes) {
    return Status(StatusCode::kTooLarge,
                  "'" + path + "' is " + std::to_string(file->size()) +
                      " bytes, expected at most " + std::to_string(max_bytes),
                  "it is no file of settings: look what it is");
  }
  std::string text(file->size(), '\0');
  if (text.empty()) return text;
  TRIMS_RETURN_IF_ERROR(file->ReadAt(0, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace trims

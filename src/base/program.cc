#include "base/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace trims {
namespace {

std::vector<std::string> PathFolders() {
  std::vector<std::string> folders;
  const std::string path = EnvironmentVariable("PATH");
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    if (folder.starts_with('/')) folders.emplace_back(folder);
    rest.remove_prefix(folder.size() == rest.size() ? folder.size() : folder.size() + 1);
  }
  return folders;
}

}  // namespace

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool IsProgram(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

std::string OwnFolder() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string() : program.parent_path().string();
}

std::string FindProgram(std::string_view name, const std::vector<std::string>& folders) {
  std::vector<std::string> all = folders;
  for (std::string& folder : PathFolders()) all.push_back(std::move(folder));
  for (const std::string& folder : all) {
    const std::string path = (std::filesystem::path(folder) / name).lexically_normal().string();
    if (!folder.empty() && IsProgram(path)) return path;
  }
  return {};
}

}  // namespace trims

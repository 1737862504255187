#include "source/link_bounds.h"

namespace trims {
namespace {

constexpr std::string_view kModels = "models--";
constexpr std::string_view kSnapshots = "/snapshots/";

}  // namespace

LinkBounds LinkBounds::Of(std::string_view folder, bool follow_links) {
  const std::string_view repository = HubRepositoryOf(folder);
  return {.anywhere = follow_links,
          .folder = std::string(repository.empty() ? folder : repository)};
}

bool LinkBounds::Allow(std::string_view target) const {
  if (anywhere || folder.empty() || folder == "/") return true;
  return target.size() > folder.size() && target.starts_with(folder) &&
         target[folder.size()] == '/';
}

std::string_view HubRepositoryOf(std::string_view path) {
  // The last that is one: a snapshot may hold a folder of that name.
  for (size_t end = path.rfind(kSnapshots); end != std::string_view::npos && end > 0;
       end = path.rfind(kSnapshots, end - 1)) {
    const std::string_view repository = path.substr(0, end);
    const size_t slash = repository.rfind('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view name = repository.substr(slash + 1);
    const bool revision = path.size() > end + kSnapshots.size();
    if (name.starts_with(kModels) && name.size() > kModels.size() && revision) return repository;
  }
  return {};
}

std::string HubNameOf(std::string_view repository_folder) {
  const size_t slash = repository_folder.rfind('/');
  std::string name(repository_folder.substr(slash == std::string_view::npos ? 0 : slash + 1));
  if (!name.starts_with(kModels)) return {};
  name.erase(0, kModels.size());
  const size_t dashes = name.find("--");
  if (dashes != std::string::npos) name.replace(dashes, 2, "/");
  return name;
}

}  // namespace trims

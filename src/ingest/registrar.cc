#include "ingest/registrar.h"

#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "loop/worker.h"
#include "store/folders.h"

namespace trims {
namespace {

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Registrar::Registrar(const IngestOptions& options, const IngestDependencies& dependencies)
    : options_(options), dependencies_(dependencies) {
  if (dependencies_.worker == nullptr || options_.prepared_root.empty()) return;
  std::set<std::string> keep;
  for (const CatalogEntry* entry : dependencies_.catalog->All()) {
    keep.insert(BaseName(entry->prepared_folder));
  }
  dependencies_.worker->Run([root = options_.prepared_root, keep] { RemoveOrphans(root, keep); },
                            [] {});
}

void Registrar::InTurn(std::function<void()> call) {
  if (busy_) return queue_.push_back(std::move(call));
  busy_ = true;
  call();
}

void Registrar::EndTurn() {
  busy_ = false;
  if (queue_.empty()) return;
  std::function<void()> next = std::move(queue_.front());
  queue_.pop_front();
  InTurn(std::move(next));
}

void Registrar::OnWorker(std::function<void()> work, std::function<void()> done) {
  dependencies_.worker->Run(std::move(work), IfAlive(std::move(done)));
}

void Registrar::AfterChange(const std::string& unused_folder) {
  dependencies_.catalog_changed();
  if (!unused_folder.empty()) unused_folders_.insert(unused_folder);
  SweepFolders();
}

void Registrar::SweepFolders() {
  if (unused_folders_.empty()) return;
  std::set<std::string> named;
  for (const CatalogEntry* entry : dependencies_.catalog->All()) {
    named.insert(entry->prepared_folder);
  }
  std::erase_if(unused_folders_, [&](const std::string& folder) {
    if (named.contains(folder) || dependencies_.worker == nullptr) return true;
    if (dependencies_.is_read_from(folder)) return false;
    dependencies_.worker->Run([folder] { RemoveFolder(folder).ok(); }, [] {});
    return true;
  });
}

}  // namespace trims

#include "e2e/store/disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include "support/content.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;

constexpr Change kNamings[] = {Change::kMakeFile, Change::kMakeFolder, Change::kRename,
                               Change::kLink, Change::kRemove};

uint64_t InodeOf(const std::string& path) {
  struct stat state {};
  EXPECT_EQ(::lstat(path.c_str(), &state), 0) << path;
  return state.st_ino;
}

void WriteAt(std::string* content, uint64_t at, std::string_view data) {
  if (content->size() < at + data.size()) content->resize(at + data.size());
  content->replace(at, data.size(), data);
}

// Those sectors of a write that the disk has got.
void WriteTorn(std::string* content, uint64_t at, std::string_view data, Random* random) {
  const size_t sector = (*random)() % 2 == 0 ? 512 : 4096;
  for (size_t done = 0; done < data.size();) {
    const size_t size = std::min(data.size() - done, sector - (at + done) % sector);
    if ((*random)() % 2 == 0) WriteAt(content, at + done, data.substr(done, size));
    done += size;
  }
}

// SQLite makes the index of its log anew when nobody else has the catalog open.
bool IsLogIndex(std::string_view name) { return name.ends_with("-shm"); }

std::string Garbage(Random* random) {
  std::string garbage((*random)() % 2 * 32768, '\0');
  for (char& c : garbage) c = static_cast<char>((*random)());
  return garbage;
}

}  // namespace

Disk::Disk(const std::string& folder) {
  Add(InodeOf(folder), true);
  Load(folder, 0);
}

Disk::Id Disk::Add(uint64_t inode, bool is_folder) {
  const Id id = files_.size();
  files_.push_back({.is_folder = is_folder, .synced = {}, .pending = {}});
  ids_[inode] = id;
  if (is_folder) synced_[id];
  return id;
}

void Disk::Load(const std::string& path, Id folder) {
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string found = entry.path().string();
    const uint64_t inode = InodeOf(found);
    const bool is_new = !ids_.contains(inode);
    const bool is_folder = entry.is_directory();
    const Id id = is_new ? Add(inode, is_folder) : ids_.at(inode);
    synced_[folder][entry.path().filename().string()] = id;
    if (is_folder) Load(found, id);
    if (is_new && entry.is_regular_file() && folder != 0) files_[id].synced = TextOf(found);
  }
}

void Disk::Apply(const Record& record) {
  if (std::find(std::begin(kNamings), std::end(kNamings), record.change) != std::end(kNamings))
    return AddNaming(record);
  const auto found = ids_.find(record.file);
  if (found == ids_.end()) return;  // not of this folder
  if (record.change == Change::kSync) return Sync(found->second);
  files_[found->second].pending.push_back({.resize = record.change == Change::kResize,
                                           .at = record.number,
                                           .data = std::string(record.data)});
}

void Disk::AddNaming(const Record& record) {
  const auto folder = ids_.find(record.folder);
  if (folder == ids_.end()) return;
  const bool makes = record.change == Change::kMakeFile || record.change == Change::kMakeFolder;
  Naming naming{.change = record.change,
                .synced = false,
                .file = 0,
                .folder = folder->second,
                .other_folder = folder->second,
                .name = std::string(record.name),
                .other_name = std::string(record.data),
                .flags = record.number};
  naming.file =
      makes ? Add(record.file, record.change == Change::kMakeFolder) : ids_.at(record.file);
  if (record.change == Change::kRename) naming.other_folder = ids_.at(record.other_folder);
  namings_.push_back(std::move(naming));
}

void Disk::Sync(Id id) {
  files_[id].synced = Cached(files_[id]);
  files_[id].pending.clear();
  if (!files_[id].is_folder) return;
  for (Naming& naming : namings_) {
    if (naming.folder == id || naming.other_folder == id) naming.synced = true;
  }
}

bool Disk::Touches(const Naming& naming, Id folder, const std::string& name) {
  return (naming.folder == folder && naming.name == name) ||
         (naming.change == Change::kRename && naming.other_folder == folder &&
          naming.other_name == name);
}

// False: the tree is not such that it could be made.
bool Disk::TryNaming(const Naming& naming, Tree* tree) {
  std::map<std::string, Id>& folder = (*tree)[naming.folder];
  const auto found = folder.find(naming.name);
  if (naming.change != Change::kRename && naming.change != Change::kRemove)
    return folder.emplace(naming.name, naming.file).second;
  if (found == folder.end() || found->second != naming.file) return false;
  if (naming.change == Change::kRemove) {
    folder.erase(found);
    return true;
  }
  std::map<std::string, Id>& other = (*tree)[naming.other_folder];
  const auto there = other.find(naming.other_name);
  if ((naming.flags & RENAME_EXCHANGE) != 0) {
    if (there == other.end()) return false;
    std::swap(found->second, there->second);
    return true;
  }
  if ((naming.flags & RENAME_NOREPLACE) != 0 && there != other.end()) return false;
  folder.erase(found);
  other[naming.other_name] = naming.file;
  return true;
}

// What a change can't be without: those of its names, and for a folder that goes, those of what was in it.
std::vector<size_t> Disk::Needed(const Naming& naming, size_t before) const {
  std::vector<size_t> needed;
  const bool folder_goes = naming.change == Change::kRemove && files_[naming.file].is_folder;
  for (size_t i = 0; i < before; ++i) {
    const Naming& earlier = namings_[i];
    const bool of_names = Touches(earlier, naming.folder, naming.name) ||
                          (naming.change == Change::kRename &&
                           Touches(earlier, naming.other_folder, naming.other_name));
    const bool in_it =
        folder_goes && (earlier.folder == naming.file || earlier.other_folder == naming.file);
    if (of_names || in_it) needed.push_back(i);
  }
  return needed;
}

std::vector<bool> Disk::ChooseNamings(Random* random) const {
  const unsigned odds = (*random)() % 7;  // of four: none, …, all
  std::vector<bool> kept(namings_.size());
  for (size_t i = namings_.size(); i-- > 0;) {
    if (!kept[i]) kept[i] = namings_[i].synced || (*random)() % 4 < odds;
    if (!kept[i]) continue;
    for (const size_t needed : Needed(namings_[i], i)) kept[needed] = true;
  }
  return kept;
}

Disk::Tree Disk::TreeOf(const std::vector<bool>& kept) const {
  Tree tree = synced_;
  for (size_t i = 0; i < namings_.size(); ++i) {
    if (!kept[i]) continue;
    EXPECT_TRUE(TryNaming(namings_[i], &tree))
        << "the disk model: change " << i << " of '" << namings_[i].name << "'";
  }
  return tree;
}

std::string Disk::Cached(const File& file) {
  std::string content = file.synced;
  for (const Pending& pending : file.pending) {
    if (pending.resize) {
      content.resize(pending.at);
    } else {
      WriteAt(&content, pending.at, pending.data);
    }
  }
  return content;
}

std::string Disk::AfterCut(const File& file, Random* random) {
  const unsigned kind = (*random)() % 4;
  if (kind == 0) return file.synced;
  if (kind == 1) return Cached(file);
  std::string content = file.synced;
  for (const Pending& pending : file.pending) {
    const unsigned fate = (*random)() % 4;
    if (fate == 0) continue;
    if (pending.resize) {
      content.resize(pending.at);
      continue;
    }
    const uint64_t end = pending.at + pending.data.size();
    if (fate == 1) WriteAt(&content, pending.at, pending.data);
    if (fate == 2) WriteTorn(&content, pending.at, pending.data, random);
    if (fate == 3 && content.size() < end) content.resize(end);  // a length without its bytes
  }
  return content;
}

template <typename ContentOf>
void Disk::WriteTree(const Tree& tree, Id folder, const std::string& path,
                     std::map<Id, std::string>* made, const ContentOf& content_of) const {
  fs::create_directory(path);
  fs::permissions(path, fs::perms::owner_all);
  for (const auto& [name, id] : tree.at(folder)) {
    const std::string to = path + "/" + name;
    if (files_[id].is_folder) {
      WriteTree(tree, id, to, made, content_of);
    } else if (const auto [first, is_new] = made->emplace(id, to); is_new) {
      std::ofstream(to, std::ios::binary) << content_of(name, files_[id]);
      fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write);
    } else {
      fs::create_hard_link(first->second, to);
    }
  }
}

void Disk::Write(const std::string& name, const std::string& folder) const {
  const Tree tree = TreeOf(std::vector<bool>(namings_.size(), true));
  std::map<Id, std::string> made;
  WriteTree(tree, tree.at(0).at(name), folder, &made,
            [](const std::string&, const File& file) { return Cached(file); });
}

void Disk::WriteAfterCut(const std::string& name, const std::string& folder, Random* random) const {
  const Tree tree = TreeOf(ChooseNamings(random));
  const auto found = tree.at(0).find(name);
  if (found == tree.at(0).end()) return;  // not even the folder
  std::map<Id, std::string> made;
  WriteTree(tree, found->second, folder, &made,
            [random](const std::string& file_name, const File& file) {
              return IsLogIndex(file_name) ? Garbage(random) : AfterCut(file, random);
            });
}

}  // namespace trims::test

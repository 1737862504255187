// OutFolder and OutFile: what the preparer writes, summed on the way. Each variant has a folder of
// its own in the one that the preparer was given.
//
//   TRIMS_ASSIGN_OR_RETURN(OutFile file, out.Create("tensors.extent"));
//   TRIMS_RETURN_IF_ERROR(file.PadTo(256));
//   TRIMS_RETURN_IF_ERROR(file.Append(bytes));
//   TRIMS_ASSIGN_OR_RETURN(const Written written, std::move(file).Finish());
//
// A file that is not finished stays as it is: the caller of trims-prepare removes the folder.
// Thread-safety: one thread.
#ifndef TRIMS_PREPARE_OUT_FOLDER_H_
#define TRIMS_PREPARE_OUT_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "format/chunk_digests.h"
#include "prepare/mapped_file.h"
#include "source/file_bytes.h"

namespace trims {

// A file of the out folder, as a manifest names it.
struct Written {
  std::string name;
  uint64_t length = 0;
  std::vector<uint64_t> xxh3;  // of each chunk
};

class OutFile {
 public:
  OutFile(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  uint64_t size() const { return size_; }
  // RESOURCE_EXHAUSTED: the disk is full or the file reaches its limit.
  Status Append(std::span<const std::byte> bytes);
  Status PadTo(uint64_t size);  // with zeros; `size` >= size()
  Result<Written> Finish() &&;

 private:
  Status Flush();
  Status Write(std::span<const std::byte> bytes);

  UniqueFd fd_;
  std::string name_;
  ChunkSums sums_;
  uint64_t size_ = 0;
  std::vector<std::byte> pending_;
};

class OutFolder {
 public:
  explicit OutFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }
  // A new folder in it. ALREADY_EXISTS: there is one already.
  Result<OutFolder> MakeFolder(const std::string& name) const;
  void RemoveFolder(const std::string& name) const;  // with all in it
  // ALREADY_EXISTS: the folder is not empty.
  Result<OutFile> Create(const std::string& name) const;
  Result<Written> WriteFile(const std::string& name, std::string_view text) const;
  // A file that something else wrote there, and its length and sums.
  Result<FileBytes> Open(const std::string& name) const;
  // The same, in memory; read-only. INVALID_ARGUMENT: it is empty.
  Result<MappedFile> Map(const std::string& name) const;
  Result<Written> Describe(const std::string& name) const;
  void Remove(const std::string& name) const;
  Status Rename(const std::string& from, const std::string& to) const;

 private:
  std::string path_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_OUT_FOLDER_H_

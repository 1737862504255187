// SourceFiles: the files of a model's source, listed once and then read only as long as they stay
// what they were.
//
// A source is a regular file or a folder. Symbolic links inside a folder are followed only to
// regular files in the same folder. Every file is opened anew for each reading and compared with
// what the listing saw, so that a preparation can never mix two states of a source;
// CheckUnchanged() at the end says so for all of them.
//
//   TRIMS_ASSIGN_OR_RETURN(const SourceFiles source, SourceFiles::List("/models/ocr"));
//   TRIMS_ASSIGN_OR_RETURN(const FileBytes file, source.Open(source.files()[0]));
//   TRIMS_RETURN_IF_ERROR(file.ReadAt(0, buffer));
//
// Thread-safety: const members from any thread.
#ifndef TRIMS_PREPARE_SOURCE_FILES_H_
#define TRIMS_PREPARE_SOURCE_FILES_H_

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "source/file_bytes.h"

namespace trims {

struct SourceFile {
  std::string name;  // relative to the source, '/' between parts
  std::string path;  // absolute, without symbolic links
  uint64_t length = 0;
  struct stat seen = {};
};

class SourceFiles {
 public:
  // `path` is absolute. NOT_FOUND; INVALID_ARGUMENT: neither file nor folder, a link that leaves
  // the folder, a name that can't be written down, no files or only empty ones.
  static Result<SourceFiles> List(const std::string& path);

  const std::string& root() const { return root_; }  // absolute, without symbolic links
  bool is_folder() const { return is_folder_; }
  const std::vector<SourceFile>& files() const { return files_; }  // by name
  const SourceFile* Find(std::string_view name) const;

  // FAILED_PRECONDITION: it changed or vanished since it was listed.
  Result<FileBytes> Open(const SourceFile& file) const;
  Status CheckUnchanged() const;

 private:
  std::string root_;
  bool is_folder_ = false;
  std::vector<SourceFile> files_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_SOURCE_FILES_H_

// SourceFiles: the files of a model's source, listed once and then read only as long as they stay
// what they were.
//
// A source is a regular file or a folder. Symbolic links inside a folder are followed only to
// regular files in the same folder. Every file is opened anew for each reading and compared with
// what the listing saw, so that a preparation can never mix two states of a source;
// CheckUnchanged() at the end says so for all of them.
//
//   TRIMS_ASSIGN_OR_RETURN(const SourceFiles source, SourceFiles::List("/models/ocr"));
//   TRIMS_ASSIGN_OR_RETURN(const SourceReader reader, source.Open(source.files()[0]));
//   reader.bytes().Read(…);
//
// Thread-safety: const members from any thread.
#ifndef TRIMS_PREPARE_SOURCE_FILES_H_
#define TRIMS_PREPARE_SOURCE_FILES_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "format/random_access.h"

namespace trims {

struct SourceFile {
  std::string name;  // relative to the source, '/' between parts
  std::string path;  // absolute, without symbolic links
  uint64_t length = 0;
  struct stat seen = {};
};

// An open file of the source.
class SourceReader {
 public:
  SourceReader(UniqueFd fd, const SourceFile& file)
      : fd_(std::move(fd)),
        bytes_(std::make_unique<FileBytes>(fd_.get(), file.length, file.name)) {}
  const RandomAccess& bytes() const { return *bytes_; }
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::unique_ptr<FileBytes> bytes_;
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
  Result<SourceReader> Open(const SourceFile& file) const;
  Status CheckUnchanged() const;

 private:
  std::string root_;
  bool is_folder_ = false;
  std::vector<SourceFile> files_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_SOURCE_FILES_H_

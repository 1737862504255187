// ScratchFolder: a folder of a test's own, with the files that the test writes into it.
#ifndef TRIMS_TESTS_SUPPORT_SCRATCH_FOLDER_H_
#define TRIMS_TESTS_SUPPORT_SCRATCH_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace trims::test {

class ScratchFolder {
 public:
  // Ends the program if it can't be made.
  explicit ScratchFolder(const std::string& parent = "/tmp")
      : path_(parent + "/trims-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Writes a file, and the folders above it; returns its path.
  std::string Write(std::string_view name, std::string_view bytes) const {
    const std::string path = *this / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_SCRATCH_FOLDER_H_

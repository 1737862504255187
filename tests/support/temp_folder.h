// TempFolder: a folder of mode 0700 that goes with its owner.
#ifndef TRIMS_TESTS_SUPPORT_TEMP_FOLDER_H_
#define TRIMS_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace trims::testing {

class TempFolder {
 public:
  explicit TempFolder(const std::string& parent = "/tmp") : path_(parent + "/trims-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      std::perror("mkdtemp");
      std::abort();
    }
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace trims::testing

#endif  // TRIMS_TESTS_SUPPORT_TEMP_FOLDER_H_

#include "prepare/out_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/write_all.h"

namespace trims {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

Status WriteFailed(const std::string& name) {
  if (errno == EFBIG) {
    return Status(StatusCode::kResourceExhausted,
                  "writing '" + name + "': the file limit is reached");
  }
  if (errno == ENOSPC || errno == EDQUOT) {
    return Status(StatusCode::kResourceExhausted, "writing '" + name + "': the disk is full",
                  "make room on the disk that holds the data folder of trimsd");
  }
  return ErrnoStatus("writing '" + name + "'");
}

Status CreateFailed(const std::string& path) {
  if (errno != EEXIST) return ErrnoStatus("creating '" + path + "'");
  return Status(StatusCode::kAlreadyExists, "'" + path + "' is there already",
                "give --out an empty folder");
}

}  // namespace

Status OutFile::Write(std::span<const std::byte> bytes) {
  return WriteAll(fd_.get(), bytes) ? Status() : WriteFailed(name_);
}

Status OutFile::Flush() {
  TRIMS_RETURN_IF_ERROR(Write(pending_));
  pending_.clear();
  return Status();
}

Status OutFile::Append(std::span<const std::byte> bytes) {
  sums_.Update(bytes);
  size_ += bytes.size();
  if (pending_.size() + bytes.size() <= kBufferBytes) {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    return Status();
  }
  TRIMS_RETURN_IF_ERROR(Flush());
  if (bytes.size() >= kBufferBytes) return Write(bytes);
  pending_.assign(bytes.begin(), bytes.end());
  return Status();
}

Status OutFile::PadTo(uint64_t size) {
  static constexpr std::byte kZeros[4096] = {};
  while (size_ < size) {
    const uint64_t missing = size - size_;
    const auto step = static_cast<size_t>(missing < sizeof(kZeros) ? missing : sizeof(kZeros));
    TRIMS_RETURN_IF_ERROR(Append({kZeros, step}));
  }
  return Status();
}

Result<Written> OutFile::Finish() && {
  TRIMS_RETURN_IF_ERROR(Flush());
  fd_.reset();
  return Written{std::move(name_), size_, sums_.Finish()};
}

Result<OutFolder> OutFolder::MakeFolder(const std::string& name) const {
  if (::mkdir(PathOf(name).c_str(), 0700) != 0) return CreateFailed(PathOf(name));
  return OutFolder(PathOf(name));
}

void OutFolder::RemoveFolder(const std::string& name) const {
  std::error_code ignored;  // what is left, the caller of trims-prepare removes
  std::filesystem::remove_all(PathOf(name), ignored);
}

Result<OutFile> OutFolder::Create(const std::string& name) const {
  UniqueFd fd = sys::Open(PathOf(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!fd) return CreateFailed(PathOf(name));
  return OutFile(std::move(fd), name);
}

Result<Written> OutFolder::WriteFile(const std::string& name, std::string_view text) const {
  TRIMS_ASSIGN_OR_RETURN(OutFile file, Create(name));
  TRIMS_RETURN_IF_ERROR(file.Append(std::as_bytes(std::span(text))));
  return std::move(file).Finish();
}

Result<FileBytes> OutFolder::Open(const std::string& name) const {
  UniqueFd fd = sys::Open(PathOf(name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return ErrnoStatus("reading '" + name + "'");
  return FileBytes::FromFd(name, std::move(fd));
}

Result<MappedFile> OutFolder::Map(const std::string& name) const {
  return MapFile(PathOf(name), name);
}

Result<Written> OutFolder::Describe(const std::string& name) const {
  TRIMS_ASSIGN_OR_RETURN(const FileBytes bytes, Open(name));
  std::vector<std::byte> buffer(kBufferBytes);
  ChunkSums sums;
  TRIMS_RETURN_IF_ERROR(ForEachChunk(bytes, 0, bytes.size(), buffer, [&](auto chunk) {
    sums.Update(chunk);
    return Status();
  }));
  return Written{name, bytes.size(), sums.Finish()};
}

void OutFolder::Remove(const std::string& name) const { ::unlink(PathOf(name).c_str()); }

Status OutFolder::Rename(const std::string& from, const std::string& to) const {
  if (std::rename(PathOf(from).c_str(), PathOf(to).c_str()) == 0) return Status();
  return ErrnoStatus("renaming '" + from + "' to '" + to + "'");
}

}  // namespace trims

#include "source/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "base/write_all.h"
#include "base/xxh3.h"
#include "source/download_journal.h"
#include "source/file_bytes.h"

namespace trims {
namespace {

constexpr size_t kNameDigits = 16;
constexpr uint64_t kMaxJournalBytes = uint64_t{256} << 20;

std::string StemOf(const DownloadPlace& place, const RemoteFile& file) {
  const std::string digest = Sha256Hex(std::as_bytes(std::span(file.name)));
  return place.partial + "/" + digest.substr(0, kNameDigits);
}

// Empty where there is none that can be read.
std::string ReadJournal(const std::string& path) {
  const Result<FileBytes> file = FileBytes::Open(path);
  if (!file.ok() || file->size() == 0 || file->size() > kMaxJournalBytes) return "";
  std::string text(file->size(), '\0');
  return file->ReadAt(0, std::as_writable_bytes(std::span(text))).ok() ? text : "";
}

bool ReadAll(int fd, uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = sys::Pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got <= 0) return false;
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return true;
}

bool WriteText(int fd, std::string_view text) {
  return WriteAll(fd, std::as_bytes(std::span(text)));
}

}  // namespace

Status SyncFoldersOf(const std::string& folder, const std::string& name) {
  for (size_t slash = name.rfind('/');; slash = name.rfind('/', slash - 1)) {
    const bool last = slash == std::string::npos;
    const std::string path = last ? folder : folder + "/" + name.substr(0, slash);
    const UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!fd || sys::Fsync(fd.get()) != 0) return ErrnoStatus("can't write the folder " + path);
    if (last) return Status();
  }
}

bool PartFile::IsComplete(const DownloadPlace& place, const RemoteFile& file) {
  struct stat state {};
  const std::string target = place.files + "/" + file.name;
  if (::stat(target.c_str(), &state) != 0 || !S_ISREG(state.st_mode)) return false;
  if (static_cast<uint64_t>(state.st_size) != file.length) return false;
  const std::string head = JournalHead(file);
  return !head.empty() && ReadJournal(StemOf(place, file) + ".ranges").starts_with(head);
}

Result<PartFile> PartFile::Open(const DownloadPlace& place, const RemoteFile& file,
                                DownloadLanding* landing) {
  PartFile part;
  part.files_ = place.files;
  part.name_ = file.name;
  const std::string stem = StemOf(place, file);
  part.part_ = stem + ".part";
  part.ranges_ = stem + ".ranges";
  TRIMS_RETURN_IF_ERROR(MakeFoldersOf(place.files, file.name));
  TRIMS_RETURN_IF_ERROR(part.RemoveOlder());
  TRIMS_RETURN_IF_ERROR(part.OpenFile(file.length));
  TRIMS_RETURN_IF_ERROR(part.TakeMemory(landing, file.length));
  TRIMS_RETURN_IF_ERROR(part.OpenJournal(file, landing));
  if (landing != nullptr) TRIMS_RETURN_IF_ERROR(part.StartWriter());
  return part;
}

// What stands under the file's name is another one than the source has now. It would count as complete
// as soon as the journal speaks of this one.
Status PartFile::RemoveOlder() {
  const std::string target = files_ + "/" + name_;
  if (sys::Unlink(target.c_str()) == 0) return SyncFoldersOf(files_, name_);
  return errno == ENOENT ? Status() : ErrnoStatus("can't remove the older " + target);
}

Status PartFile::OpenFile(uint64_t length) {
  fd_ = sys::Open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (!fd_) return ErrnoStatus("can't make the file " + part_);
  if (sys::Ftruncate(fd_.get(), static_cast<off_t>(length)) != 0 ||
      sys::Fallocate(fd_.get(), 0, 0, static_cast<off_t>(length)) != 0) {
    return ErrnoStatus("can't take " + std::to_string(length) + " bytes of the disk for " + part_);
  }
  return Status();
}

Status PartFile::TakeMemory(DownloadLanding* landing, uint64_t length) {
  if (landing != nullptr) {
    TRIMS_ASSIGN_OR_RETURN(memory_, landing->Reach(0));
    return Status();
  }
  TRIMS_ASSIGN_OR_RETURN(map_, Mapping::OfFile(fd_.get(), length, PROT_READ | PROT_WRITE));
  memory_ = {map_.data(), map_.size()};
  return Status();
}

Status PartFile::OpenJournal(const RemoteFile& file, DownloadLanding* landing) {
  const std::map<uint64_t, uint64_t> sums = ParseJournal(ReadJournal(ranges_), file);
  std::string text = JournalHead(file);
  for (uint64_t range = 0; range < DownloadRanges(file.length); ++range) {
    const auto sum = sums.find(range);
    bool there = false;
    if (sum != sums.end()) {
      TRIMS_ASSIGN_OR_RETURN(there, IsThere(range, sum->second, landing));
    }
    there ? void(text += JournalLine(range, sum->second)) : missing_.push_back(range);
  }
  if (JournalHead(file).empty()) return Status();
  journal_ =
      sys::Open(ranges_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (journal_ && !WriteText(journal_.get(), text)) journal_.reset();
  return Status();
}

// Into the landing, where there is one. What can't be read is fetched again.
Result<bool> PartFile::IsThere(uint64_t range, uint64_t sum, DownloadLanding* landing) const {
  const std::span<std::byte> bytes = RangeOf(range);
  if (landing != nullptr) {
    const uint64_t begin = range * kDownloadRangeBytes;
    TRIMS_RETURN_IF_ERROR(landing->Reach(begin + bytes.size()).status());
    if (!ReadAll(fd_.get(), begin, bytes)) return false;
  }
  return Xxh3Of(bytes) == sum;
}

// Which notes what it has written.
Status PartFile::StartWriter() {
  auto journal = std::make_shared<const UniqueFd>(std::move(journal_));
  TRIMS_ASSIGN_OR_RETURN(
      writer_, PartWriter::Start(DirectFile(std::move(fd_), part_), part_,
                                 [journal](uint64_t range, std::span<const std::byte> bytes) {
                                   if (*journal)
                                     WriteText(journal->get(), JournalLine(range, Xxh3Of(bytes)));
                                 }));
  return Status();
}

std::span<std::byte> PartFile::RangeOf(uint64_t range) const {
  const uint64_t begin = range * kDownloadRangeBytes;
  return memory_.subspan(begin, std::min<size_t>(kDownloadRangeBytes, memory_.size() - begin));
}

Status PartFile::Complete(uint64_t range) {
  const std::span<const std::byte> bytes = RangeOf(range);
  if (writer_ != nullptr) return writer_->Write(range, range * kDownloadRangeBytes, bytes);
  if (journal_) WriteText(journal_.get(), JournalLine(range, Xxh3Of(bytes)));
  return Status();
}

Status PartFile::Finish() && {
  if (writer_ != nullptr) TRIMS_RETURN_IF_ERROR(writer_->Finish());
  const int written = writer_ != nullptr ? writer_->fd() : fd_.get();
  if (sys::Fsync(written) != 0) return ErrnoStatus("can't write " + part_);
  map_ = Mapping();
  const std::string target = files_ + "/" + name_;
  if (sys::Rename(part_.c_str(), target.c_str()) != 0)
    return ErrnoStatus("can't rename " + part_ + " to " + target);
  Status synced = SyncFoldersOf(files_, name_);
  // Under its own name it would count as durable.
  if (!synced.ok()) (void)sys::Rename(target.c_str(), part_.c_str());
  return synced;
}

void PartFile::Discard() && {
  writer_.reset();
  ::unlink(part_.c_str());
  ::unlink(ranges_.c_str());
}

}  // namespace trims

#include "load/copy_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <charconv>
#include <string_view>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/write_all.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

constexpr std::string_view kHead = "trims-copy 1\n";
constexpr size_t kMostBytes = size_t{16} << 20;

bool WriteText(int fd, std::string_view text) {
  return WriteAll(fd, std::as_bytes(std::span(text)));
}

// "<extent> <end>" and nothing else.
bool ParseLine(std::string_view line, CopyReach* reached) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const auto number = [](std::string_view text, auto* value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    return error == std::errc() && end == text.data() + text.size();
  };
  return number(line.substr(0, space), &reached->extent) &&
         number(line.substr(space + 1), &reached->end);
}

CopyReach ParseJournal(std::string_view text) {
  CopyReach reached;
  if (!text.starts_with(kHead)) return reached;
  text.remove_prefix(kHead.size());
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    CopyReach line;
    if (!ParseLine(text.substr(0, end), &line)) break;
    reached = line;
  }
  return reached;
}

}  // namespace

Result<CopyJournal> CopyJournal::Open(const std::string& folder) {
  std::string path = folder + "/" + std::string(prepared::kUnfinishedJournal);
  UniqueFd fd = sys::Open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (!fd) return ErrnoStatus("can't make the file " + path);
  CopyJournal journal(std::move(fd), std::move(path));
  TRIMS_RETURN_IF_ERROR(journal.Lock());
  journal.Read();
  return journal;
}

// Who had it before may have removed the name between.
Status CopyJournal::Lock() const {
  struct stat state {};
  const bool locked = ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0 &&
                      ::fstat(fd_.get(), &state) == 0 && state.st_nlink > 0;
  if (locked) return Status();
  return Status(StatusCode::kAlreadyExists, "a copy is being written beside " + path_ + " already");
}

void CopyJournal::Read() {
  struct stat state {};
  if (::fstat(fd_.get(), &state) != 0) return;
  if (state.st_size <= 0 || static_cast<uint64_t>(state.st_size) > kMostBytes) return;
  std::string text(static_cast<size_t>(state.st_size), '\0');
  const ssize_t got = sys::Pread(fd_.get(), text.data(), text.size(), 0);
  if (got > 0) reached_ = ParseJournal(std::string_view(text).substr(0, static_cast<size_t>(got)));
}

Status CopyJournal::StartAnew() {
  reached_ = {};
  const bool begun = sys::Ftruncate(fd_.get(), 0) == 0 && WriteText(fd_.get(), kHead);
  return begun ? Status() : ErrnoStatus("can't write " + path_);
}

void CopyJournal::Note(const CopyReach& reached) {
  if (torn_) return;
  const std::string line = std::to_string(reached.extent) + " " + std::to_string(reached.end);
  torn_ = !WriteText(fd_.get(), line + "\n");
  if (!torn_) reached_ = reached;
}

void CopyJournal::Remove() {
  reached_ = {};
  sys::Unlink(path_.c_str());
}

}  // namespace trims

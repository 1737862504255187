#include "keeper/kept_record.h"

#include <sys/stat.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "base/write_all.h"
#include "keeper/keeper_protocol.h"
#include "wire/protocol.h"

namespace trims {
namespace {

constexpr std::string_view kFirstLine = "trims-kept 1";
constexpr size_t kMaxRecordBytes = 64 * 1024;

std::string LineOf(std::string_view word, const KeptFile& file) {
  return std::string(word) + " " + std::to_string(file.device) + " " + std::to_string(file.inode) +
         " " + std::to_string(file.changed_seconds) + " " +
         std::to_string(file.changed_nanoseconds) + " " + std::to_string(file.length) + "\n";
}

Status Malformed(const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "a record of a kept segment: " + what);
}

// The next of the words that one space separates; nothing at the end.
std::optional<std::string_view> NextWord(std::string_view* line) {
  if (line->empty()) return std::nullopt;
  const size_t space = line->find(' ');
  const std::string_view word = line->substr(0, space);
  line->remove_prefix(space == std::string_view::npos ? line->size() : space + 1);
  return word;
}

template <typename Number>
bool ReadNumber(std::string_view* line, Number* number) {
  const std::optional<std::string_view> word = NextWord(line);
  if (!word) return false;
  const char* const end = word->data() + word->size();
  const auto [stopped, error] = std::from_chars(word->data(), end, *number);
  return error == std::errc() && stopped == end && *number >= 0;
}

Result<KeptFile> FileIn(std::string_view rest) {
  KeptFile file;
  const bool whole = ReadNumber(&rest, &file.device) && ReadNumber(&rest, &file.inode) &&
                     ReadNumber(&rest, &file.changed_seconds) &&
                     ReadNumber(&rest, &file.changed_nanoseconds) &&
                     ReadNumber(&rest, &file.length) && rest.empty();
  if (!whole || file.length == 0) return Malformed("a line of a file without its five numbers");
  return file;
}

Result<std::string_view> NextLine(std::string_view* text) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos) return Malformed("it ends too early");
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end + 1);
  return line;
}

// What follows `word` in the next line.
Result<std::string_view> NextLineOf(std::string_view word, std::string_view* text) {
  TRIMS_ASSIGN_OR_RETURN(std::string_view line, NextLine(text));
  if (NextWord(&line) != word) return Malformed("expected a line '" + std::string(word) + "'");
  return line;
}

}  // namespace

Result<KeptFile> KeptFileOf(int fd, uint64_t length) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at a descriptor");
  if (!S_ISREG(info.st_mode))
    return Status(StatusCode::kInvalidArgument, "a descriptor of no regular file");
  return KeptFile{.device = info.st_dev,
                  .inode = info.st_ino,
                  .changed_seconds = info.st_ctim.tv_sec,
                  .changed_nanoseconds = info.st_ctim.tv_nsec,
                  .length = length};
}

std::string FormatKeptRecord(const KeptRecord& record) {
  std::string text =
      std::string(kFirstLine) + "\nload_us " + std::to_string(record.load_time.count()) + "\n";
  if (!record.model.empty()) text += "model " + record.model + "\n";
  text += LineOf("index", record.index);
  for (const KeptFile& extent : record.extents) text += LineOf("extent", extent);
  return text;
}

Result<KeptRecord> ParseKeptRecord(std::string_view text) {
  KeptRecord record;
  TRIMS_ASSIGN_OR_RETURN(const std::string_view first, NextLine(&text));
  if (first != kFirstLine) return Malformed("it begins otherwise");
  TRIMS_ASSIGN_OR_RETURN(std::string_view load, NextLineOf("load_us", &text));
  int64_t load_us = 0;
  if (!ReadNumber(&load, &load_us) || !load.empty()) return Malformed("no time of its load");
  record.load_time = std::chrono::microseconds(load_us);
  // A daemon of before didn't write it.
  if (text.starts_with("model ")) {
    TRIMS_ASSIGN_OR_RETURN(const std::string_view model, NextLineOf("model", &text));
    record.model = model;
  }
  TRIMS_ASSIGN_OR_RETURN(const std::string_view index, NextLineOf("index", &text));
  TRIMS_ASSIGN_OR_RETURN(record.index, FileIn(index));
  while (!text.empty()) {
    if (record.extents.size() == wire::kMaxExtents) return Malformed("too many extents");
    TRIMS_ASSIGN_OR_RETURN(const std::string_view line, NextLineOf("extent", &text));
    TRIMS_ASSIGN_OR_RETURN(KeptFile extent, FileIn(line));
    record.extents.push_back(extent);
  }
  return record;
}

Status KeptRecords::MakeFolder() const { return trims::MakeFolder(folder_); }

Status KeptRecords::Write(const std::string& label, const KeptRecord& record) const {
  TRIMS_RETURN_IF_ERROR(CheckLabel(label));
  const std::string unfinished = PathOf(label) + ".new";
  const std::string text = FormatKeptRecord(record);
  const UniqueFd file =
      sys::Open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  if (file && WriteAll(file.get(), std::as_bytes(std::span(text))) &&
      sys::Rename(unfinished.c_str(), PathOf(label).c_str()) == 0) {
    return Status();
  }
  const Status why = ErrnoStatus("writing " + PathOf(label));
  static_cast<void>(sys::Unlink(unfinished.c_str()));
  return why;
}

Result<KeptRecord> KeptRecords::Read(const std::string& label) const {
  TRIMS_RETURN_IF_ERROR(CheckLabel(label));
  const UniqueFd file = sys::Open(PathOf(label).c_str(), O_RDONLY | O_NOFOLLOW);
  if (!file) return ErrnoStatus("opening " + PathOf(label));
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t size; (size = sys::Read(file.get(), buffer.data(), buffer.size())) != 0;) {
    if (size < 0) return ErrnoStatus("reading " + PathOf(label));
    text.append(buffer.data(), static_cast<size_t>(size));
    if (text.size() > kMaxRecordBytes) return Malformed("it is longer than any");
  }
  return ParseKeptRecord(text);
}

void KeptRecords::Remove(const std::string& label) const {
  if (CheckLabel(label).ok()) static_cast<void>(sys::Unlink(PathOf(label).c_str()));
}

void KeptRecords::RemoveAllBut(const std::set<std::string>& labels) const {
  std::error_code error;
  std::vector<std::string> others;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    std::string name = entry.path().filename().string();
    if (!labels.contains(name)) others.push_back(std::move(name));
  }
  for (const std::string& name : others) static_cast<void>(sys::Unlink(PathOf(name).c_str()));
}

}  // namespace trims

#include "source/download_journal.h"

#include <charconv>

#include "format/chunk_digests.h"
#include "source/percent.h"

namespace trims {
namespace {

constexpr std::string_view kMagic = "trims-download 1 ";

// "<range> <sum>"; false: it is no such line, or of no range of the file.
bool ParseLine(std::string_view line, uint64_t ranges, uint64_t* range, uint64_t* sum) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const auto [parsed, error] = std::from_chars(line.data(), line.data() + space, *range);
  if (error != std::errc() || parsed != line.data() + space || *range >= ranges) return false;
  const Result<std::vector<uint64_t>> sums = ChunkSumsFromHex(line.substr(space + 1));
  if (!sums.ok() || sums->size() != 1) return false;
  *sum = sums->front();
  return true;
}

// A weak ETag may stay while bytes change, and a date tells of it.
std::string VersionOf(const RemoteFile& file) {
  const bool dated = file.etag.starts_with("W/") && file.sha256.empty();
  return dated && !file.last_modified.empty() ? file.etag + " " + file.last_modified : file.etag;
}

}  // namespace

std::string JournalHead(const RemoteFile& file) {
  if (file.etag.empty() && file.sha256.empty()) return "";
  return std::string(kMagic) + std::to_string(file.length) + " " +
         std::to_string(kDownloadRangeBytes) + " " + (file.sha256.empty() ? "-" : file.sha256) +
         " " + (file.etag.empty() ? "-" : PercentEncodeStrictly(VersionOf(file))) + "\n";
}

std::string JournalLine(uint64_t range, uint64_t xxh3) {
  return std::to_string(range) + " " + ChunkSumsToHex({&xxh3, 1}) + "\n";
}

std::map<uint64_t, uint64_t> ParseJournal(std::string_view text, const RemoteFile& file) {
  const std::string head = JournalHead(file);
  std::map<uint64_t, uint64_t> sums;
  if (head.empty() || !text.starts_with(head)) return sums;
  text.remove_prefix(head.size());
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    uint64_t range = 0;
    uint64_t sum = 0;
    if (ParseLine(text.substr(0, end), DownloadRanges(file.length), &range, &sum))
      sums[range] = sum;
  }
  return sums;
}

}  // namespace trims

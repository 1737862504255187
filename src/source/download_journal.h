// DownloadJournal: which ranges of a file that is downloaded are on the disk.
//
// Text: a line that says which object it is, then one for each range that is complete, with its number and
// the XXH3 of its bytes:
// "trims-download 1 <length> <range bytes> <sha256 or -> <etag, %XX where it is not plain, or ->", and
// "<range> <16 hexadecimal digits>". A weak ETag is followed by a space and the Last-Modified, if there is one
// and no sha256.
// A line that was torn by a crash, or bytes that a power cut took, cost that range: a range counts only if
// its bytes have the sum. So nothing has to be synced while ranges come.
// Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_DOWNLOAD_JOURNAL_H_
#define TRIMS_SOURCE_DOWNLOAD_JOURNAL_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "source/remote_store.h"

namespace trims {

inline constexpr uint64_t kDownloadRangeBytes = uint64_t{8} << 20;

constexpr uint64_t DownloadRanges(uint64_t length) {
  return length / kDownloadRangeBytes + (length % kDownloadRangeBytes != 0 ? 1 : 0);
}

// The first line, with its end. Empty: the source says neither ETag nor SHA-256, so that nobody could
// tell whether the object is still the same.
std::string JournalHead(const RemoteFile& file);
std::string JournalLine(uint64_t range, uint64_t xxh3);

// Sums by range; none if the journal is of another object, or of another release.
std::map<uint64_t, uint64_t> ParseJournal(std::string_view text, const RemoteFile& file);

}  // namespace trims

#endif  // TRIMS_SOURCE_DOWNLOAD_JOURNAL_H_

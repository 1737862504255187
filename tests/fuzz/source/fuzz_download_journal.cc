// Any bytes as the journal of a download: sums of ranges that the file has, and none where the journal is of
// another object. What was read is written and read again the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "source/download_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const trims::RemoteFile file{.name = "w",
                               .length = 5 * trims::kDownloadRangeBytes + 1,
                               .etag = "W/\"v 1\"",
                               .last_modified = "Mon, 01 Jan 2024 00:00:00 GMT"};
  const std::string head = trims::JournalHead(file);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto alone = trims::ParseJournal(text, file);
  if (!alone.empty() && !text.starts_with(head)) std::abort();
  // Behind the right head, which few bytes have by chance.
  const auto sums = trims::ParseJournal(head + std::string(text), file);
  std::string written = head;
  for (const auto& [range, sum] : sums) {
    if (range >= trims::DownloadRanges(file.length)) std::abort();
    written += trims::JournalLine(range, sum);
  }
  if (trims::ParseJournal(written, file) != sums) std::abort();
  trims::RemoteFile other = file;
  other.last_modified = "Tue, 02 Jan 2024 00:00:00 GMT";
  if (!trims::ParseJournal(written, other).empty()) std::abort();
  return 0;
}

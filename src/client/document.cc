#include "client/document.h"

#include <sys/stat.h>

#include "base/errno_status.h"
#include "base/sys.h"
#include "wire/protocol.h"

namespace trims::client {
namespace {

Status Short() {
  return Status(StatusCode::kDataLoss, "trimsd sent a document that ends early", "ask again");
}

}  // namespace

Result<std::string> ReadDocument(int fd, uint64_t length) {
  if (length > wire::kMaxDocumentBytes)
    return Status(StatusCode::kTooLarge, "a document of " + std::to_string(length) + " bytes");
  // Before memory is taken for it. Reading, unlike mapping, can't meet SIGBUS.
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at a document");
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) < length) return Short();
  std::string text(length, '\0');
  for (uint64_t done = 0; done < length;) {
    const ssize_t got = sys::Pread(fd, text.data() + done, length - done, static_cast<off_t>(done));
    if (got < 0) return ErrnoStatus("reading a document");
    if (got == 0) return Short();
    done += static_cast<uint64_t>(got);
  }
  return text;
}

}  // namespace trims::client

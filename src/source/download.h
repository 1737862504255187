// Download: brings the files of a store on a network to this machine, many ranges at a time, and goes on
// where an earlier attempt has stopped.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
//   TRIMS_RETURN_IF_ERROR(Download(&store, files, {.files = "/d/files", .partial = "/d/partial"}, {}));
//
// The bytes come straight into the pages of the file, whose room on the disk is taken before. A file that
// stands under its own name is complete, durable and, where the source tells one, has the SHA-256 that it
// should. What is not complete lies in the other folder (source/part_file.h). With a landing they come into its
// memory, and from there to the disk.
// Blocks. Thread-safety: safe, for distinct stores and places.
#ifndef TRIMS_SOURCE_DOWNLOAD_H_
#define TRIMS_SOURCE_DOWNLOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "source/download_landing.h"
#include "source/remote_store.h"
#include "transfer/http.h"

namespace trims {

// Two folders of one file system, which are there.
struct DownloadPlace {
  std::string files;
  std::string partial;
};

struct DownloadOptions {
  size_t concurrency = 8;         // ranges in flight
  uint64_t bytes_per_second = 0;  // 0: no limit
  HttpPatience patience = {};
  // How far all files together are. On the calling thread.
  std::function<void(uint64_t done, uint64_t total)> progress = {};
  CancelToken* cancel = nullptr;
  // Of the only file, which has bytes; afterwards all of them are there. Outlives the call. nullptr: none.
  DownloadLanding* landing = nullptr;
};

// Errors as of transfer/http_error.h; DATA_LOSS: the bytes have another SHA-256 than the source says, and
// are thrown away; FAILED_PRECONDITION: the source changed meanwhile; RESOURCE_EXHAUSTED: the disk has not
// the room, with both numbers; CANCELLED. What was fetched stays for the next attempt.
Status Download(RemoteStore* store, const std::vector<RemoteFile>& files,
                const DownloadPlace& place, const DownloadOptions& options);

}  // namespace trims

#endif  // TRIMS_SOURCE_DOWNLOAD_H_

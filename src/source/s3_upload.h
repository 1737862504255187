// UploadToS3: sends files into a bucket, beneath a prefix, several requests at a time.
//
//   const S3Target target{.bucket = &bucket, .cleanup = &cleanup, .prefix = uri, .there = lengths};
//   TRIMS_RETURN_IF_ERROR(UploadToS3(target, files, {.cancel = &cancel}));
//
// A large file goes in parts, and is there when all of them are; a small one goes in one request. The SHA-256
// of what is sent is signed, so that the service refuses what was damaged on its way. A file that is there
// with the same length and content is not sent again. The last of the files is sent when all others are
// there. What fails or is given up leaves files that are whole, and no parts.
// Blocks. Thread-safety: safe, for distinct targets.
#ifndef TRIMS_SOURCE_S3_UPLOAD_H_
#define TRIMS_SOURCE_S3_UPLOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "base/random_access.h"
#include "source/s3_bucket.h"
#include "source/source_uri.h"
#include "transfer/http.h"

namespace trims {

struct UploadFile {
  std::string name;  // what follows the prefix
  uint64_t length = 0;
  // What tells its bytes from others, in printable ASCII; stored as metadata of the object.
  std::string content;
  // Of that length. What it reads is what is sent, so whoever reads there has to vouch for it.
  std::function<Result<std::unique_ptr<RandomAccess>>()> open;
};

using LengthsByName = std::map<std::string, uint64_t>;

struct S3Target {
  S3Bucket* bucket = nullptr;
  S3Bucket* cleanup = nullptr;  // the same one, for what is asked for after a cancel
  SourceUri prefix = {};        // of Scheme::kS3, its path empty or with a slash at its end
  LengthsByName there;          // what lies beneath the prefix
};

inline constexpr uint64_t kUploadPartBytes = uint64_t{16} << 20;
inline constexpr uint64_t kUploadMemory = uint64_t{48} << 20;

struct UploadOptions {
  HttpPatience patience = {};
  uint64_t part_bytes = kUploadPartBytes;  // at least; a service wants 5 MiB or more
  // How many bytes have been taken by the service, or were there. On any thread, one after the other; a part
  // that has to be sent again takes its own back.
  std::function<void(uint64_t done, uint64_t total)> progress = {};
  CancelToken* cancel = nullptr;
};

// So that no file has more parts than a service takes. More than kUploadMemory: it can't be sent.
uint64_t PartBytesOf(uint64_t length, uint64_t least);

// PERMISSION_DENIED: there are no credentials, or they don't suffice; NOT_FOUND: no such bucket;
// FAILED_PRECONDITION: in another region; UNAVAILABLE, DEADLINE_EXCEEDED; TOO_LARGE: no service takes a file
// in so many parts; DATA_LOSS: damaged on its way, again and again; CANCELLED; errors of open and of reading.
Status UploadToS3(const S3Target& target, const std::vector<UploadFile>& files,
                  const UploadOptions& options);

}  // namespace trims

#endif  // TRIMS_SOURCE_S3_UPLOAD_H_

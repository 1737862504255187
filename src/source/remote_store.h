// RemoteStore: which files a source on a network has, and how the bytes of each are asked for. What
// differs between S3, the hub and registries is here; ranges, retries and verification are not.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
//   TRIMS_ASSIGN_OR_RETURN(const RemoteRequest request, store.RequestFor(files.front()));
//   // GET request.url with request.headers, signed if it says so, range by range
//
// Every call may wait for a network. Thread-safety: RequestFor() and Refused() from any thread; List()
// alone.
#ifndef TRIMS_SOURCE_REMOTE_STORE_H_
#define TRIMS_SOURCE_REMOTE_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trims/status.h"

#include "source/aws_keys.h"

namespace trims {

struct RemoteFile {
  std::string name;  // plain (base/plain_path.h)
  uint64_t length = 0;
  std::string etag = {};    // with its quotes, for If-Match; empty: the server gave none
  std::string sha256 = {};  // of its bytes, 64 hexadecimal digits; empty: the source doesn't say
  std::string url = {};
  // The header's text; tells an object from another where neither a strong ETag nor a SHA-256 does.
  std::string last_modified = {};

  friend bool operator==(const RemoteFile&, const RemoteFile&) = default;
};

struct RemoteRequest {
  std::string url;
  // "Name: value". Redirects are followed: Authorization stays with this URL's host, others go along and
  // are no secret.
  std::vector<std::string> headers = {};
  std::optional<AwsSigning> signing = {};
};

class RemoteStore {
 public:
  virtual ~RemoteStore() = default;
  // By name; at least one of them has bytes. NOT_FOUND, PERMISSION_DENIED (the hint says what is
  // missing), UNAVAILABLE, DEADLINE_EXCEEDED; INVALID_ARGUMENT: an answer that isn't one, names that
  // can't be written down, more than a model may have; UNIMPLEMENTED: it isn't in plain files.
  virtual Result<std::vector<RemoteFile>> List() = 0;
  // With credentials that are good now.
  virtual Result<RemoteRequest> RequestFor(const RemoteFile& file) = 0;
  // The server took such a request for expired or unauthorised: the next one gets new credentials.
  virtual void Refused() = 0;
};

// Sorts them, and refuses what no model can be: no bytes at all (`where` is for that message), more
// files or bytes than a model may have, two of one name, names that can't be written down.
Status CheckListing(std::vector<RemoteFile>* files, const std::string& where);

}  // namespace trims

#endif  // TRIMS_SOURCE_REMOTE_STORE_H_

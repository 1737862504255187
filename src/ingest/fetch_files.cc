#include "ingest/fetch_files.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "source/download.h"
#include "source/download_choice.h"
#include "source/open_remote_store.h"

namespace trims {
namespace {

// Whether the source is one file, and not a folder that happens to have one.
bool NamesOneFile(const SourceUri& uri, const std::vector<RemoteFile>& files) {
  if (files.size() != 1) return false;
  switch (uri.scheme) {
    case SourceUri::Scheme::kHttp:
    case SourceUri::Scheme::kHttps:
      return true;
    case SourceUri::Scheme::kS3:
      return !uri.path.empty() && !uri.path.ends_with('/');
    case SourceUri::Scheme::kHf:
      return uri.path.ends_with(files.front().name);
    default:
      return false;
  }
}

Result<SourceUri> Fetch(const FetchJob& job, const FetchCalls& calls, const FetchOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<OpenedStore> opened,
                         OpenRemoteStore(job.uri, {.cancel = calls.cancel}));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> listed, opened->store().List());
  const std::vector<RemoteFile> files = WorthFetching(listed);
  TRIMS_RETURN_IF_ERROR(Download(&opened->store(), files,
                                 {.files = job.files, .partial = job.partial},
                                 {.concurrency = options.concurrency,
                                  .bytes_per_second = options.bytes_per_second,
                                  .progress = calls.progress,
                                  .cancel = calls.cancel}));
  if (!NamesOneFile(job.uri, files)) return SourceUri::OfPath(job.files);
  return SourceUri::OfPath(job.files + "/" + files.front().name);
}

}  // namespace

FetchFiles FetchFromNetwork(const FetchOptions& options) {
  return [options](const FetchJob& job, const FetchCalls& calls) {
    return Fetch(job, calls, options);
  };
}

}  // namespace trims

#include "ingest/fetch_files.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/plain_path.h"
#include "ingest/pushed_folder.h"
#include "source/download.h"
#include "source/download_choice.h"
#include "source/open_remote_store.h"
#include "source/percent.h"

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

class Fetch {
 public:
  Fetch(const FetchJob& job, const FetchCalls& calls, const FetchOptions& options)
      : job_(job), calls_(calls), options_(options) {}

  Result<SourceUri> Run() {
    TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, FetchAll(job_.uri));
    if (!NamesOneFile(job_.uri, files)) return SourceUri::OfPath(job_.files);
    if (files.front().name == kPushedManifest) return FetchPushed();
    return SourceUri::OfPath(job_.files + "/" + files.front().name);
  }

 private:
  // All that the source lists and that is worth it.
  Result<std::vector<RemoteFile>> FetchAll(const SourceUri& uri) {
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<OpenedStore> opened, Open(uri));
    TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> listed, opened->store().List());
    std::vector<RemoteFile> files = WorthFetching(listed, kPushedManifest);
    TRIMS_RETURN_IF_ERROR(DownloadFrom(&opened->store(), files));
    return files;
  }

  // A web server lists nothing; a pushed model's manifest says what lies beside it.
  Result<SourceUri> FetchPushed() {
    TRIMS_ASSIGN_OR_RETURN(const std::vector<std::string> names, FilesOfPushed(job_.files));
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<OpenedStore> opened, Open(job_.uri));
    std::vector<RemoteFile> files;
    for (const std::string& name : names) {
      TRIMS_ASSIGN_OR_RETURN(RemoteFile file, Beside(name));
      files.push_back(std::move(file));
    }
    TRIMS_RETURN_IF_ERROR(DownloadFrom(&opened->store(), files));
    return SourceUri::OfPath(job_.files);
  }

  Result<RemoteFile> Beside(const std::string& name) {
    SourceUri uri = job_.uri;
    const bool is_url =
        uri.scheme == SourceUri::Scheme::kHttp || uri.scheme == SourceUri::Scheme::kHttps;
    uri.path = std::string(FolderOfPath(uri.path)) + (is_url ? PercentEncode(name) : name);
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<OpenedStore> opened, Open(uri));
    TRIMS_ASSIGN_OR_RETURN(std::vector<RemoteFile> found, opened->store().List());
    found.front().name = name;
    return std::move(found.front());
  }

  Result<std::unique_ptr<OpenedStore>> Open(const SourceUri& uri) {
    return OpenRemoteStore(uri, {.cancel = calls_.cancel});
  }

  Status DownloadFrom(RemoteStore* store, const std::vector<RemoteFile>& files) {
    return Download(store, files, {.files = job_.files, .partial = job_.partial},
                    {.concurrency = options_.concurrency,
                     .bytes_per_second = options_.bytes_per_second,
                     .progress = calls_.progress,
                     .cancel = calls_.cancel});
  }

  const FetchJob& job_;
  const FetchCalls& calls_;
  const FetchOptions& options_;
};

}  // namespace

FetchFiles FetchFromNetwork(const FetchOptions& options) {
  return [options](const FetchJob& job, const FetchCalls& calls) {
    return Fetch(job, calls, options).Run();
  };
}

}  // namespace trims

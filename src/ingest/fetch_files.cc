#include "ingest/fetch_files.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "ingest/pushed_folder.h"
#include "source/download.h"
#include "source/download_choice.h"
#include "source/remote_tree.h"

namespace trims {
namespace {

class Fetch {
 public:
  Fetch(const FetchJob& job, const FetchCalls& calls, const FetchOptions& options)
      : job_(job), calls_(calls), options_(options) {}

  Result<SourceUri> Run() {
    TRIMS_ASSIGN_OR_RETURN(tree_, RemoteTree::Open(job_.uri, {.cancel = calls_.cancel}));
    if (tree_->Lists(kPushedManifest)) return FetchPushed();
    if (tree_->names_one_file()) {
      TRIMS_RETURN_IF_ERROR(DownloadAll(tree_->listed()));
      return SourceUri::OfPath(job_.files + "/" + tree_->listed().front().name);
    }
    TRIMS_RETURN_IF_ERROR(DownloadAll(WorthFetching(tree_->listed())));
    return SourceUri::OfPath(job_.files);
  }

 private:
  // Its manifest and its indexes: the rest stays where it is until somebody opens the model. But it has to
  // be there.
  Result<SourceUri> FetchPushed() {
    TRIMS_ASSIGN_OR_RETURN(RemoteFile manifest, tree_->Find(std::string(kPushedManifest)));
    TRIMS_RETURN_IF_ERROR(CheckPushedManifestLength(job_.uri.ToString(), manifest.length));
    TRIMS_RETURN_IF_ERROR(DownloadAll({std::move(manifest)}));
    TRIMS_ASSIGN_OR_RETURN(const std::vector<PushedFile> pushed, FilesOfPushed(job_.files));
    std::vector<RemoteFile> indexes;
    for (const PushedFile& file : pushed) {
      TRIMS_ASSIGN_OR_RETURN(RemoteFile found, tree_->Find(file.name));
      const bool fits =
          file.index ? found.length == file.least_length : found.length >= file.least_length;
      if (!fits) return WrongLength(found, file);
      if (file.index) indexes.push_back(std::move(found));
    }
    TRIMS_RETURN_IF_ERROR(DownloadAll(indexes));
    return SourceUri::OfPath(job_.files);
  }

  Status WrongLength(const RemoteFile& found, const PushedFile& file) const {
    return Status(StatusCode::kDataLoss,
                  "'" + file.name + "' of the pushed model " + job_.uri.ToString() + " has " +
                      std::to_string(found.length) + " bytes, expected " +
                      (file.index ? "" : "at least ") + std::to_string(file.least_length),
                  "push it again from where it was prepared: trims push");
  }

  Status DownloadAll(const std::vector<RemoteFile>& files) {
    return Download(&tree_->store(), files, {.files = job_.files, .partial = job_.partial},
                    {.concurrency = options_.concurrency,
                     .bytes_per_second = options_.bytes_per_second,
                     .progress = calls_.progress,
                     .cancel = calls_.cancel});
  }

  const FetchJob& job_;
  const FetchCalls& calls_;
  const FetchOptions& options_;
  std::unique_ptr<RemoteTree> tree_;
};

}  // namespace

FetchFiles FetchFromNetwork(const FetchOptions& options) {
  return [options](const FetchJob& job, const FetchCalls& calls) {
    return Fetch(job, calls, options).Run();
  };
}

}  // namespace trims

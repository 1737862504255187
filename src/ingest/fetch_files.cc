#include "ingest/fetch_files.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/macros.h"
#include "ingest/landed.h"
#include "ingest/pushed_folder.h"
#include "load/landed_file.h"
#include "source/download.h"
#include "source/download_choice.h"
#include "source/remote_tree.h"

namespace trims {
namespace {

class Fetch {
 public:
  Fetch(const FetchJob& job, const FetchCalls& calls, const FetchOptions& options)
      : job_(job), calls_(calls), options_(options) {}

  Result<Fetched> Run() {
    TRIMS_ASSIGN_OR_RETURN(tree_, RemoteTree::Open(job_.uri, {.cancel = calls_.cancel}));
    if (tree_->Lists(kPushedManifest)) return FetchPushed();
    if (tree_->names_one_file()) {
      const RemoteFile& file = tree_->listed().front();
      Fetched fetched{SourceUri::OfPath(job_.files + "/" + file.name)};
      TRIMS_ASSIGN_OR_RETURN(fetched.landed, DownloadOne(file));
      return fetched;
    }
    const std::vector<RemoteFile> files = WorthFetching(tree_->listed());
    Fetched fetched{SourceUri::OfPath(job_.files)};
    if (files.size() != 1) {
      TRIMS_RETURN_IF_ERROR(DownloadAll(files));
    } else {
      TRIMS_ASSIGN_OR_RETURN(fetched.landed, DownloadOne(files.front()));
    }
    return fetched;
  }

 private:
  // Its manifest and its indexes: the rest stays where it is until somebody opens the model. But it has to
  // be there.
  Result<Fetched> FetchPushed() {
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
    return Fetched{SourceUri::OfPath(job_.files)};
  }

  Status WrongLength(const RemoteFile& found, const PushedFile& file) const {
    return Status(StatusCode::kDataLoss,
                  "'" + file.name + "' of the pushed model " + job_.uri.ToString() + " has " +
                      std::to_string(found.length) + " bytes, expected " +
                      (file.index ? "" : "at least ") + std::to_string(file.least_length),
                  "push it again from where it was prepared: trims push");
  }

  // Where memory runs out on the way, what came is on the disk already.
  Result<std::shared_ptr<Landed>> DownloadOne(const RemoteFile& file) {
    if (calls_.take_room && file.length > 0) {
      Result<std::shared_ptr<Landed>> landed = Land(file);
      if (landed.ok() || landed.status().code() != StatusCode::kResourceExhausted) return landed;
      LogInfo("download.not_in_memory",
              {{"source", job_.uri.ToString()}, {"why", landed.status()}});
    }
    TRIMS_RETURN_IF_ERROR(DownloadAll({file}));
    return std::shared_ptr<Landed>();
  }

  Result<std::shared_ptr<Landed>> Land(const RemoteFile& file) {
    Result<SharedLandingRoom> room = calls_.take_room(ExtentFootprint(file.length));
    if (!room.ok()) return Status(StatusCode::kResourceExhausted, room.status().message());
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<LandedFile> landing,
                           LandedFile::Start(file.name, file.length, options_.pages));
    TRIMS_RETURN_IF_ERROR(DownloadAll({file}, landing.get()));
    TRIMS_ASSIGN_OR_RETURN(LandedContent content, landing->Finish());
    return std::make_shared<Landed>(
        Landed{file.name, file.length, std::move(content), *std::move(room)});
  }

  Status DownloadAll(const std::vector<RemoteFile>& files, DownloadLanding* landing = nullptr) {
    return Download(&tree_->store(), files, {.files = job_.files, .partial = job_.partial},
                    {.concurrency = options_.concurrency,
                     .bytes_per_second = options_.bytes_per_second,
                     .progress = calls_.progress,
                     .cancel = calls_.cancel,
                     .landing = landing});
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

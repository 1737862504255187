#include "ingest/pushed_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/plain_path.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "base/write_all.h"
#include "format/manifest_runs.h"
#include "ingest/pushed_files.h"
#include "load/image_files.h"
#include "load/verify_image.h"
#include "source/file_bytes.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

constexpr size_t kCopyBytes = size_t{4} << 20;
constexpr uint64_t kMaxPushedManifestBytes = uint64_t{64} << 20;

Status NoPushedModel(const std::string& folder, const std::string& what) {
  return Status(StatusCode::kInvalidArgument,
                folder + "/" + std::string(kPushedManifest) + " is none of a pushed model: " + what,
                "push it again from where it was prepared: trims push");
}

class Copier {
 public:
  explicit Copier(const PushCalls& calls, uint64_t total = 0)
      : calls_(calls), total_(total), buffer_(kCopyBytes) {}

  uint64_t done() const { return done_; }

  Status Copy(const RandomAccess& from, const std::string& path) {
    return Copy(from, from.size(), path);
  }
  // The first `length` bytes, or all if there are fewer.
  Status Copy(const RandomAccess& from, uint64_t length, const std::string& path) {
    const std::string unfinished = path + ".new";
    TRIMS_RETURN_IF_ERROR(Write(from, std::min(length, from.size()), unfinished));
    if (sys::Rename(unfinished.c_str(), path.c_str()) == 0) return Status();
    return ErrnoStatus("can't rename " + unfinished);
  }

 private:
  Status Write(const RandomAccess& from, uint64_t length, const std::string& path) {
    const UniqueFd to =
        sys::Open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (!to) return ErrnoStatus("can't make the file " + path);
    TRIMS_RETURN_IF_ERROR(ForEachChunk(from, 0, length, buffer_, [&](auto chunk) -> Status {
      if (calls_.cancel != nullptr && calls_.cancel->cancelled()) {
        return Status(StatusCode::kCancelled, "the copy was given up");
      }
      if (!WriteAll(to.get(), chunk)) return ErrnoStatus("can't write " + path);
      done_ += chunk.size();
      if (calls_.progress) calls_.progress("copy", done_, total_);
      return Status();
    }));
    return sys::Fsync(to.get()) == 0 ? Status() : ErrnoStatus("can't write " + path);
  }

  const PushCalls& calls_;
  const uint64_t total_;
  std::vector<std::byte> buffer_;
  uint64_t done_ = 0;
};

Status PushFiles(const std::vector<FileToPush>& files, const std::vector<ImagePtr>& images,
                 const std::string& prepared_root, const std::string& folder, CancelToken* cancel,
                 Copier* copier) {
  std::optional<ImageFiles> source;  // of the variant that the file before was of
  size_t variant = images.size();
  for (const FileToPush& file : files) {
    if (file.variant != variant) {
      variant = file.variant;
      source.emplace(*images[variant], prepared_root);
      TRIMS_RETURN_IF_ERROR(source->FetchMissing({.cancel = cancel}));
    }
    TRIMS_RETURN_IF_ERROR(MakeFoldersOf(folder, file.name));
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes,
                           source->Open(file.file.origin, file.file.path));
    TRIMS_RETURN_IF_ERROR(copier->Copy(*bytes, folder + "/" + file.name));
  }
  return Status();
}

Status VerifyAll(const Manifest& manifest, const std::string& root, const PushCalls& calls) {
  FillControl control;
  std::optional<CancelToken::Watch> watch;
  if (calls.cancel != nullptr) watch.emplace(calls.cancel, [&control] { control.Cancel(); });
  Pacer pacer(0);
  const std::vector<ImagePtr> images = MakeImages(manifest, "the pushed model", "new");
  uint64_t total = 0;
  for (const ImagePtr& image : images) total += image->variant.ExtentBytes();
  uint64_t done = 0;
  for (const ImagePtr& image : images) {
    if (calls.progress) calls.progress("verify", done, total);
    TRIMS_RETURN_IF_ERROR(VerifyImage(*image, root, &control, &pacer));
    done += image->variant.ExtentBytes();
  }
  return Status();
}

Status WriteManifest(const std::string& text, const std::string& folder, Copier* copier) {
  const std::string path = folder + "/" + std::string(kPushedManifest);
  return copier->Copy(SpanBytes(std::as_bytes(std::span(text)), path), path);
}

Result<Manifest> ReadPushed(const std::string& folder) {
  TRIMS_ASSIGN_OR_RETURN(const FileBytes file,
                         FileBytes::OpenBeneath(folder, std::string(kPushedManifest)));
  TRIMS_RETURN_IF_ERROR(CheckPushedManifestLength(folder, file.size()));
  std::string text(file.size(), '\0');
  TRIMS_RETURN_IF_ERROR(file.ReadAt(0, std::as_writable_bytes(std::span(text))));
  TRIMS_ASSIGN_OR_RETURN(Manifest manifest, ParseManifest(text));
  TRIMS_RETURN_IF_ERROR(DropSharing(&manifest));
  return manifest;
}

// What a disk can't hold at once, or what would come into the way of the store's own files.
Status CheckPushedFiles(const ManifestVariant& variant, const std::string& folder) {
  const std::map<std::string, uint64_t> files = variant.FileLengths();
  for (const auto& [name, length] : files) {
    if (name.starts_with(prepared::kUnfinishedPrefix)) {
      return NoPushedModel(folder, "'" + name + "' is no name for a file of a model");
    }
    for (size_t slash = name.find('/'); slash != std::string::npos;
         slash = name.find('/', slash + 1)) {
      if (!files.contains(name.substr(0, slash))) continue;
      return NoPushedModel(folder, "'" + name.substr(0, slash) + "' is a file and a folder");
    }
  }
  return Status();
}

Status CheckPushedPieces(const ManifestVariant& variant, const std::string& folder) {
  for (const ManifestExtent& extent : variant.extents) {
    for (const ManifestPiece& piece : extent.pieces) {
      if (piece.origin != PieceOrigin::kPrepared)
        return NoPushedModel(folder, "'" + piece.path + "' lies elsewhere");
      if (piece.path == variant.index_path)
        return NoPushedModel(folder, "'" + piece.path + "' is an index and more");
    }
  }
  return Status();
}

Status CheckPushed(const Manifest& manifest, const std::string& folder) {
  TRIMS_RETURN_IF_ERROR(CheckDigested(manifest));
  if (manifest.variants.empty()) return NoPushedModel(folder, "it has no variants");
  std::set<std::string_view> folders = {kPushedManifest};
  for (const ManifestVariant& variant : manifest.variants) {
    if (variant.remote) return NoPushedModel(folder, "it says that it lies elsewhere");
    if (!IsPlainName(variant.folder)) {
      return NoPushedModel(folder, "the variant's folder '" + variant.folder + "' is no name");
    }
    if (!folders.insert(variant.folder).second) {
      return NoPushedModel(folder, "the variant's folder '" + variant.folder + "' is not its own");
    }
    TRIMS_RETURN_IF_ERROR(CheckPushedPieces(variant, folder));
    TRIMS_RETURN_IF_ERROR(CheckPushedFiles(variant, folder));
  }
  return Status();
}

// Those that were asked for.
Status Choose(const std::vector<Variant>& wanted, Manifest* manifest) {
  if (wanted.empty()) return Status();
  const auto is_wanted = [&wanted](Variant kind) {
    return std::find(wanted.begin(), wanted.end(), kind) != wanted.end();
  };
  for (const Variant kind : wanted) {
    const bool there =
        std::any_of(manifest->variants.begin(), manifest->variants.end(),
                    [kind](const ManifestVariant& variant) { return variant.kind == kind; });
    if (there) continue;
    return Status(StatusCode::kNotFound,
                  "the pushed model has no variant " + std::string(VariantName(kind)),
                  "take what there is: leave --variant away");
  }
  std::erase_if(manifest->variants,
                [&](const ManifestVariant& variant) { return !is_wanted(variant.kind); });
  return Status();
}

// One file beneath the pushed folder, under the same name beneath the incoming one.
Status TakeFile(const ImportJob& job, const std::string& name, uint64_t length, Copier* copier) {
  const std::string to = job.incoming + "/" + name;
  TRIMS_ASSIGN_OR_RETURN(const FileBytes bytes, FileBytes::OpenBeneath(job.folder, name));
  const bool link = !job.remote.empty();
  if (link && sys::LinkAt((job.folder + "/" + name).c_str(), AT_FDCWD, to.c_str()) == 0)
    return Status();
  return copier->Copy(bytes, length, to);
}

Status TakeVariant(const ImportJob& job, const ManifestVariant& variant, Copier* copier) {
  TRIMS_RETURN_IF_ERROR(MakeFolder(job.incoming + "/" + variant.folder));
  const std::string folder = variant.folder;
  for (const auto& [name, length] : variant.FileLengths()) {
    if (!job.remote.empty() && name != variant.index_path) continue;
    TRIMS_RETURN_IF_ERROR(MakeFoldersOf(job.incoming, folder + "/" + name));
    TRIMS_RETURN_IF_ERROR(TakeFile(job, folder + "/" + name, length, copier));
  }
  return Status();
}

Status VerifyIndexes(const Manifest& manifest, const std::string& root) {
  for (const ImagePtr& image : MakeImages(manifest, "the pushed model", "new")) {
    TRIMS_RETURN_IF_ERROR(VerifyIndex(*image, root));
  }
  return Status();
}

}  // namespace

Result<uint64_t> PushToFolder(const Manifest& manifest, const std::vector<ImagePtr>& images,
                              const std::string& prepared_root, const std::string& folder,
                              const PushCalls& calls) {
  Manifest pushed = manifest;
  TRIMS_ASSIGN_OR_RETURN(const std::vector<FileToPush> files,
                         FilesToPush(images, prepared_root, calls.cancel, &pushed));
  const std::string text = ManifestToJson(pushed);
  Copier copier(calls, TotalLength(files) + text.size());
  TRIMS_RETURN_IF_ERROR(MakeFolder(folder));
  TRIMS_RETURN_IF_ERROR(PushFiles(files, images, prepared_root, folder, calls.cancel, &copier));
  TRIMS_RETURN_IF_ERROR(VerifyAll(pushed, folder, calls));
  TRIMS_RETURN_IF_ERROR(WriteManifest(text, folder, &copier));
  return copier.done();
}

Status CheckPushedManifestLength(const std::string& where, uint64_t length) {
  if (length > 0 && length <= kMaxPushedManifestBytes) return Status();
  return NoPushedModel(where, "it has " + std::to_string(length) + " bytes");
}

bool IsPushed(const std::string& folder) {
  struct stat state {};
  const std::string path = folder + "/" + std::string(kPushedManifest);
  return ::stat(path.c_str(), &state) == 0 && S_ISREG(state.st_mode);
}

Result<std::vector<PushedFile>> FilesOfPushed(const std::string& folder) {
  TRIMS_ASSIGN_OR_RETURN(Manifest manifest, ReadPushed(folder));
  TRIMS_RETURN_IF_ERROR(CheckPushed(manifest, folder));
  std::vector<PushedFile> files;
  for (const ManifestVariant& variant : manifest.variants) {
    for (const auto& [name, length] : variant.FileLengths()) {
      files.push_back({.name = variant.folder + "/" + name,
                       .least_length = length,
                       .index = name == variant.index_path});
    }
  }
  return files;
}

Result<Manifest> ImportPushed(const ImportJob& job) {
  TRIMS_ASSIGN_OR_RETURN(Manifest manifest, ReadPushed(job.folder));
  TRIMS_RETURN_IF_ERROR(CheckPushed(manifest, job.folder));
  TRIMS_RETURN_IF_ERROR(Choose(job.variants, &manifest));
  const PushCalls nobody;
  Copier copier(nobody);
  for (const ManifestVariant& variant : manifest.variants) {
    TRIMS_RETURN_IF_ERROR(TakeVariant(job, variant, &copier));
  }
  if (job.remote.empty()) {
    TRIMS_RETURN_IF_ERROR(VerifyAll(manifest, job.incoming, nobody));
    return manifest;
  }
  TRIMS_RETURN_IF_ERROR(VerifyIndexes(manifest, job.incoming));
  for (ManifestVariant& variant : manifest.variants) {
    variant.remote = ManifestRemote{job.remote, variant.folder};
  }
  return manifest;
}

}  // namespace trims

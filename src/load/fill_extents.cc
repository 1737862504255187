#include "load/fill_extents.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "base/macros.h"
#include "format/chunk_digests.h"
#include "load/chunk_hasher.h"
#include "load/read_engine.h"
#include "load/read_plan.h"
#include "source/download_journal.h"

namespace trims {
namespace {

// Steps begin small, so that the disk is asked soon, and double.
constexpr uint64_t kMostAllocated = uint64_t{32} << 20;
// Up to here starting threads costs more than it saves.
constexpr uint64_t kInlineBytes = uint64_t{4} << 20;
// Whoever takes the processor from a hasher makes a load longer: on two of them 134 MB take 17 % longer
// with two readers beside the caller, who allocates, than when the caller reads, too.
constexpr unsigned kFewProcessors = 2;
constexpr int kReaders = 2;
constexpr size_t kMaxHashers = 4;

int Readers() { return std::thread::hardware_concurrency() > kFewProcessors ? kReaders : 0; }

class Pipeline {
 public:
  Pipeline(const Image& image, const FillHow& how, ImageFiles* files,
           std::vector<ExtentWriter>* writers, FillControl* control)
      : image_(image), how_(how), files_(*files), writers_(*writers), control_(*control) {}

  Status Start();
  Status FillAll();
  Result<std::vector<ExtentDigests>> Digests() { return hasher_->Finish(); }

 private:
  // How far an extent is: the reads [begin, end) are its own, those before `next` have ended.
  struct Progress {
    size_t begin = 0;
    size_t next = 0;
    size_t end = 0;
    uint64_t allocated = 0;
  };

  void ShareOutReads();
  Result<std::unique_ptr<ReadEngine>> MakeEngine(uint64_t bytes) const;
  void Ready(size_t extent);
  Status FillExtent(size_t extent);
  Status Allocate(size_t extent, uint64_t end);
  Status Submit(size_t read);
  Status OpenFileOf(const Read& read);
  Status Reap();
  uint64_t ReadyEnd(size_t extent) const;
  uint64_t EndOf(size_t read) const { return reads_[read].at + reads_[read].length; }

  const Image& image_;
  const FillHow& how_;
  ImageFiles& files_;
  std::vector<ExtentWriter>& writers_;
  FillControl& control_;
  std::vector<Read> reads_;
  std::vector<bool> ended_;         // by read
  std::vector<Progress> progress_;  // by extent
  const ManifestPiece* open_piece_ =
      nullptr;              // whose file is open: pieces of one follow each other
  bool open_left_ = false;  // it is what an earlier load has left of it
  std::shared_ptr<const RandomAccess> open_file_;
  std::unique_ptr<ChunkHasher> hasher_;
  std::unique_ptr<ReadEngine> engine_;  // the first to go: what is in flight ends
};

std::vector<ChunkHasher::Extent> ToHash(const Image& image, const std::set<std::string>& fetched,
                                        const std::vector<ExtentWriter>& writers) {
  std::vector<ChunkHasher::Extent> extents;
  for (size_t i = 0; i < writers.size(); ++i) {
    extents.push_back({{writers[i].data(), writers[i].length()},
                       DigestKindOf(image.variant.extents[i], fetched)});
  }
  return extents;
}

uint64_t BytesOf(const std::vector<ExtentWriter>& writers) {
  uint64_t bytes = 0;
  for (const ExtentWriter& writer : writers) bytes += writer.length();
  return bytes;
}

// How reads are cut: one in the ring can be as small as a step of the allocation, and a range on a network is
// the larger the better.
uint64_t LongestRead(bool fetches, ReadEngineKind engine) {
  if (fetches) return kDownloadRangeBytes;
  return engine == ReadEngineKind::kUring ? kHugePageSize : kDigestChunkBytes;
}

Status Pipeline::Start() {
  const bool fetches = files_.fetches_extents();
  TRIMS_ASSIGN_OR_RETURN(reads_, CutIntoReads(image_.variant, LongestRead(fetches, how_.engine)));
  ShareOutReads();
  const uint64_t bytes = BytesOf(writers_);
  TRIMS_ASSIGN_OR_RETURN(hasher_, ChunkHasher::Start(ToHash(image_, files_.missing(), writers_),
                                                     HashersFor(bytes), &control_));
  TRIMS_ASSIGN_OR_RETURN(engine_, MakeEngine(bytes));
  return Status();
}

Result<std::unique_ptr<ReadEngine>> Pipeline::MakeEngine(uint64_t bytes) const {
  if (files_.fetches_extents()) return MakeNetworkEngine(how_.network, control_.token());
  return bytes <= kInlineBytes ? MakePreadEngine(0) : MakeReadEngine(how_.engine, Readers());
}

void Pipeline::ShareOutReads() {
  ended_.resize(reads_.size());
  size_t read = 0;
  for (size_t extent = 0; extent < writers_.size(); ++extent) {
    const size_t begin = read;
    while (read < reads_.size() && reads_[read].extent == extent) ++read;
    progress_.push_back({.begin = begin, .next = begin, .end = read});
  }
}

Status Pipeline::FillAll() {
  for (size_t extent = 0; extent < writers_.size(); ++extent) {
    TRIMS_RETURN_IF_ERROR(FillExtent(extent));
  }
  open_file_.reset();
  while (engine_->in_flight() > 0) TRIMS_RETURN_IF_ERROR(Reap());
  return Status();
}

// What follows the last piece is part of the extent, too.
Status Pipeline::FillExtent(size_t extent) {
  for (size_t read = progress_[extent].begin; read < progress_[extent].end; ++read) {
    TRIMS_RETURN_IF_ERROR(Allocate(extent, EndOf(read)));
    TRIMS_RETURN_IF_ERROR(Submit(read));
  }
  TRIMS_RETURN_IF_ERROR(Allocate(extent, writers_[extent].length()));
  Ready(extent);
  return Status();
}

void Pipeline::Ready(size_t extent) {
  const uint64_t end = ReadyEnd(extent);
  hasher_->Ready(extent, end);
  if (how_.copy != nullptr) how_.copy->Ready(extent, end);
  if (how_.feed != nullptr) how_.feed->Ready(extent, end);
}

Status Pipeline::Allocate(size_t extent, uint64_t end) {
  uint64_t& allocated = progress_[extent].allocated;
  while (allocated < end) {
    if (control_.cancelled()) return Status(StatusCode::kCancelled, "given up while allocating");
    const uint64_t step = std::clamp(allocated, kHugePageSize, kMostAllocated);
    const uint64_t next = std::min(writers_[extent].length(), allocated + step);
    TRIMS_RETURN_IF_ERROR(writers_[extent].Allocate(next));
    allocated = next;
  }
  return Status();
}

Status Pipeline::Submit(size_t index) {
  const Read& read = reads_[index];
  while (engine_->full()) TRIMS_RETURN_IF_ERROR(Reap());
  if (control_.cancelled()) return Status(StatusCode::kCancelled, "given up while reading");
  TRIMS_RETURN_IF_ERROR(OpenFileOf(read));
  engine_->Submit({.file = open_file_,
                   .offset = read.offset,
                   .destination = {writers_[read.extent].data() + read.at, read.length},
                   .tag = index});
  return Status();
}

Status Pipeline::OpenFileOf(const Read& read) {
  const ManifestPiece& piece = *read.piece;
  const bool left = how_.copy != nullptr && piece.origin == PieceOrigin::kPrepared &&
                    how_.copy->Has(piece.path, read.extent, read.at + read.length);
  const bool open = open_piece_ != nullptr && open_piece_->origin == piece.origin &&
                    open_piece_->path == piece.path && open_left_ == left;
  if (open) return Status();
  TRIMS_ASSIGN_OR_RETURN(
      open_file_, left ? how_.copy->OpenLeft(piece.path) : files_.Open(piece.origin, piece.path));
  open_piece_ = &piece;
  open_left_ = left;
  return Status();
}

Status Pipeline::Reap() {
  const ReadDone done = engine_->Wait();
  TRIMS_RETURN_IF_ERROR(done.status);
  ended_[done.tag] = true;
  const size_t extent = reads_[done.tag].extent;
  Progress& progress = progress_[extent];
  if (done.tag != progress.next) return Status();
  while (progress.next < progress.end && ended_[progress.next]) ++progress.next;
  Ready(extent);
  return Status();
}

// To the end of what was read so far without a hole; a gap behind it may not be allocated yet.
uint64_t Pipeline::ReadyEnd(size_t extent) const {
  const Progress& progress = progress_[extent];
  const bool all = progress.next == progress.end && progress.allocated == writers_[extent].length();
  if (all) return progress.allocated;
  return progress.next > progress.begin ? EndOf(progress.next - 1) : 0;
}

}  // namespace

size_t HashersFor(uint64_t bytes) {
  if (bytes <= kInlineBytes) return 0;
  const size_t processors = std::thread::hardware_concurrency();
  return std::clamp<size_t>(processors, 2, kMaxHashers + 1) - 1;
}

DigestKind DigestKindOf(const ManifestExtent& extent, const std::set<std::string>& fetched) {
  const auto any = [&extent](const auto& is) {
    return std::any_of(extent.pieces.begin(), extent.pieces.end(), is);
  };
  if (any([](const ManifestPiece& piece) { return piece.origin != PieceOrigin::kPrepared; })) {
    return DigestKind::kSha256;
  }
  const bool comes = any([&](const ManifestPiece& piece) { return fetched.contains(piece.path); });
  return comes ? DigestKind::kBoth : DigestKind::kXxh3;
}

Result<std::vector<ExtentDigests>> FillExtents(const Image& image, const FillHow& how,
                                               ImageFiles* files,
                                               std::vector<ExtentWriter>* writers,
                                               FillControl* control) {
  Pipeline pipeline(image, how, files, writers, control);
  TRIMS_RETURN_IF_ERROR(pipeline.Start());
  TRIMS_RETURN_IF_ERROR(pipeline.FillAll());
  return pipeline.Digests();
}

}  // namespace trims

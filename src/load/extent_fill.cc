#include "load/extent_fill.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/macros.h"
#include "base/thread.h"
#include "load/load_plan_check.h"

namespace trims {
namespace {

constexpr uint64_t kChunkBytes = uint64_t{4} << 20;
constexpr uint64_t kAllocationStep = uint64_t{32} << 20;
// Up to here starting threads costs more than it saves.
constexpr uint64_t kInlineBytes = uint64_t{4} << 20;
constexpr size_t kMaxHashers = 2;

}  // namespace

ExtentFill::ExtentFill(const LoadPlan& plan, std::vector<ExtentWriter>* writers,
                       FillControl& control)
    : plan_(plan),
      writers_(*writers),
      control_(control),
      digests_(writers->size()),
      allocated_(writers->size()) {}

Result<std::vector<std::string>> ExtentFill::Run() {
  CutIntoChunks();
  uint64_t bytes = 0;
  for (const ExtentWriter& writer : writers_) bytes += writer.length();
  if (bytes <= kInlineBytes) {
    AllocateAll();
    ReadAll();
    HashAll();
  } else {
    RunThreads();
  }
  MutexLock lock(mutex_);
  if (!failure_.ok()) return failure_;
  return std::move(digests_);
}

void ExtentFill::CutIntoChunks() {
  for (size_t extent = 0; extent < plan_.image->variant.extents.size(); ++extent) {
    first_chunk_.push_back(chunks_.size());
    for (const ManifestPiece& piece : plan_.image->variant.extents[extent].pieces) {
      CutPiece(piece, extent);
    }
  }
  first_chunk_.push_back(chunks_.size());
  MutexLock lock(mutex_);
  read_.resize(chunks_.size());
}

// Cut at multiples of the chunk size in the extent, so that all but the ends can be read directly.
void ExtentFill::CutPiece(const ManifestPiece& piece, size_t extent) {
  MutexLock lock(files_mutex_);
  if (files_.empty() || files_.back().origin != piece.origin || files_.back().path != piece.path) {
    files_.push_back({piece.origin, piece.path, 0, nullptr});
  }
  for (uint64_t done = 0; done < piece.length;) {
    const uint64_t at = piece.at + done;
    const uint64_t length = std::min(piece.length - done, kChunkBytes - at % kChunkBytes);
    chunks_.push_back({files_.size() - 1, extent, piece.offset + done, at, length});
    ++files_.back().chunks_left;
    done += length;
  }
}

void ExtentFill::RunThreads() {
  std::vector<std::thread> threads;
  const auto start = [&](void (ExtentFill::*stage)()) {
    Result<std::thread> thread = StartThread([this, stage] { (this->*stage)(); });
    if (!thread.ok()) return Fail(thread.status());
    threads.push_back(*std::move(thread));
  };
  start(&ExtentFill::ReadAll);
  for (size_t i = 0; i < std::min(kMaxHashers, writers_.size()); ++i) start(&ExtentFill::HashAll);
  AllocateAll();
  ReadAll();
  for (std::thread& thread : threads) thread.join();
}

void ExtentFill::AllocateAll() {
  for (size_t extent = 0; extent < writers_.size(); ++extent) {
    const uint64_t length = writers_[extent].length();
    for (uint64_t end = 0; end < length;) {
      if (Stopped()) return;
      end = std::min(length, end + kAllocationStep);
      Status status = writers_[extent].Allocate(end);
      if (!status.ok()) return Fail(std::move(status));
      MutexLock lock(mutex_);
      allocated_[extent] = end;
      changed_.NotifyAll();
    }
  }
}

void ExtentFill::ReadAll() {
  for (size_t i; ClaimChunk(&i);) {
    const Chunk& chunk = chunks_[i];
    if (!WaitUntilAllocated(chunk.extent, chunk.at + chunk.length)) return;
    Status status = ReadChunk(chunk);
    if (!status.ok()) return Fail(std::move(status));
    MutexLock lock(mutex_);
    read_[i] = true;
    changed_.NotifyAll();
  }
}

Status ExtentFill::ReadChunk(const Chunk& chunk) {
  TRIMS_ASSIGN_OR_RETURN(const std::shared_ptr<const RandomAccess> file, AcquireFile(chunk.file));
  Status status =
      file->ReadAt(chunk.offset, {writers_[chunk.extent].data() + chunk.at, chunk.length});
  ReleaseFile(chunk.file);
  return status;
}

void ExtentFill::HashAll() {
  for (size_t extent; ClaimExtent(&extent);) {
    if (!HashExtent(extent)) return;
  }
}

// Bytes between pieces belong to the extent too: they are zero, and they are hashed as such.
bool ExtentFill::HashExtent(size_t extent) {
  const std::span<const std::byte> bytes(writers_[extent].data(), writers_[extent].length());
  Sha256 hash;
  uint64_t hashed = 0;
  for (size_t i = first_chunk_[extent]; i < first_chunk_[extent + 1]; ++i) {
    if (!WaitUntilRead(i)) return false;
    const uint64_t end = chunks_[i].at + chunks_[i].length;
    hash.Update(bytes.subspan(hashed, end - hashed));
    control_.Advance(end - hashed);
    hashed = end;
  }
  if (!WaitUntilAllocated(extent, bytes.size())) return false;
  hash.Update(bytes.subspan(hashed));
  control_.Advance(bytes.size() - hashed);
  digests_[extent] = hash.FinishHex();
  return true;
}

bool ExtentFill::WaitUntilAllocated(size_t extent, uint64_t end) {
  MutexLock lock(mutex_);
  while (failure_.ok() && allocated_[extent] < end) changed_.Wait(mutex_);
  return failure_.ok();
}

bool ExtentFill::WaitUntilRead(size_t chunk) {
  MutexLock lock(mutex_);
  while (failure_.ok() && !read_[chunk]) changed_.Wait(mutex_);
  return failure_.ok();
}

bool ExtentFill::ClaimChunk(size_t* chunk) {
  if (Stopped()) return false;
  MutexLock lock(mutex_);
  *chunk = next_chunk_;
  if (next_chunk_ == chunks_.size()) return false;
  ++next_chunk_;
  return true;
}

bool ExtentFill::ClaimExtent(size_t* extent) {
  if (Stopped()) return false;
  MutexLock lock(mutex_);
  *extent = next_extent_;
  if (next_extent_ == writers_.size()) return false;
  ++next_extent_;
  return true;
}

bool ExtentFill::Stopped() {
  if (control_.cancelled()) {
    Fail(Status(StatusCode::kCancelled,
                "the load of '" + plan_.image->reference + "' was given up"));
  }
  MutexLock lock(mutex_);
  return !failure_.ok();
}

void ExtentFill::Fail(Status status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = std::move(status);
  changed_.NotifyAll();
}

Result<std::shared_ptr<const RandomAccess>> ExtentFill::AcquireFile(size_t file) {
  MutexLock lock(files_mutex_);
  if (!files_[file].bytes) {
    TRIMS_ASSIGN_OR_RETURN(files_[file].bytes,
                           OpenPlanFile(plan_, files_[file].origin, files_[file].path));
  }
  return files_[file].bytes;
}

void ExtentFill::ReleaseFile(size_t file) {
  MutexLock lock(files_mutex_);
  if (--files_[file].chunks_left == 0) files_[file].bytes.reset();
}

}  // namespace trims

#include "load/digest_variant.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <thread>
#include <utility>

#include "base/macros.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "format/chunk_digests.h"
#include "load/image_files.h"
#include "load/read_plan.h"

namespace trims {
namespace {

constexpr size_t kMaxThreads = 8;

static_assert(kDigestChunkBytes % kShareBlockBytes == 0);

constexpr uint64_t BlockCount(uint64_t length) {
  return length / kShareBlockBytes + (length % kShareBlockBytes != 0 ? 1 : 0);
}

// Which SHA-256 are wanted beside the XXH3 of the chunks.
enum class Wanted { kOfChunks, kOfBlocks };

// One chunk of an extent, and the reads that fill it; what they leave is zero.
struct Chunk {
  size_t extent = 0;
  size_t index = 0;
  uint64_t length = 0;
  std::span<const Read> reads;
};

// `reads` are cut at the chunks' ends, by extent and place.
std::vector<Chunk> ChunksOf(const ManifestVariant& variant, std::span<const Read> reads) {
  std::vector<Chunk> chunks;
  for (size_t extent = 0; extent < variant.extents.size(); ++extent) {
    const uint64_t length = variant.extents[extent].length;
    for (uint64_t at = 0; at < length; at += kDigestChunkBytes) {
      const uint64_t end = std::min(length, at + kDigestChunkBytes);
      size_t count = 0;
      while (count < reads.size() && reads[count].extent == extent && reads[count].at < end)
        ++count;
      chunks.push_back({extent, at / kDigestChunkBytes, end - at, reads.first(count)});
      reads = reads.subspan(count);
    }
  }
  return chunks;
}

struct Shared {
  Shared(const Image& of, std::string root, FillControl* fill_control, Pacer* rate,
         std::vector<Chunk> cut, Wanted what)
      : wanted(what),
        image(of),
        prepared_root(std::move(root)),
        control(*fill_control),
        pacer(rate),
        chunks(std::move(cut)) {
    for (const ManifestExtent& extent : of.variant.extents) {
      xxh3.emplace_back(ChunkCount(extent.length));
      sha256.emplace_back(wanted == Wanted::kOfChunks ? ChunkCount(extent.length)
                                                      : BlockCount(extent.length));
    }
  }

  const Wanted wanted;
  const Image& image;
  const std::string prepared_root;
  FillControl& control;
  Pacer* const pacer;
  const std::vector<Chunk> chunks;
  std::atomic<size_t> next{0};
  // By extent and chunk, each written by the thread that claimed the chunk.
  std::vector<std::vector<uint64_t>> xxh3;
  std::vector<std::vector<Sha256::Digest>> sha256;  // or by block

  Mutex mutex;
  Status first_error TRIMS_GUARDED_BY(mutex);
};

// What one thread does.
class ChunkReader {
 public:
  explicit ChunkReader(Shared* shared)
      : shared_(*shared), files_(shared->image, shared->prepared_root) {}

  void Run() {
    const Status status = ReadAll();
    if (status.ok()) return;
    shared_.next.store(shared_.chunks.size());  // the others need not go on
    MutexLock lock(shared_.mutex);
    if (shared_.first_error.ok()) shared_.first_error = status;
  }

 private:
  Status ReadAll() {
    try {
      buffer_.resize(kDigestChunkBytes);
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kResourceExhausted, "no memory for the digests of a model");
    }
    for (size_t next = 0; (next = shared_.next.fetch_add(1)) < shared_.chunks.size();) {
      if (shared_.control.cancelled())
        return Status(StatusCode::kCancelled, "hashing was given up");
      TRIMS_RETURN_IF_ERROR(Digest(shared_.chunks[next]));
    }
    return Status();
  }

  Status Digest(const Chunk& chunk) {
    const std::span<std::byte> bytes = std::span(buffer_).first(chunk.length);
    const uint64_t begin = chunk.index * kDigestChunkBytes;
    uint64_t end = 0;  // of what was filled
    for (const Read& read : chunk.reads) {
      const uint64_t at = read.at - begin;
      std::fill(bytes.begin() + end, bytes.begin() + at, std::byte{});
      TRIMS_RETURN_IF_ERROR(OpenFileOf(*read.piece));
      TRIMS_RETURN_IF_ERROR(file_->ReadAt(read.offset, bytes.subspan(at, read.length)));
      end = at + read.length;
    }
    std::fill(bytes.begin() + end, bytes.end(), std::byte{});
    HashPieces(chunk, bytes);
    shared_.xxh3[chunk.extent][chunk.index] = Xxh3Of(bytes);
    shared_.control.Advance(bytes.size());
    if (shared_.pacer != nullptr) shared_.pacer->Pace(bytes.size());
    return Status();
  }

  void HashPieces(const Chunk& chunk, std::span<const std::byte> bytes) {
    const uint64_t size =
        shared_.wanted == Wanted::kOfChunks ? kDigestChunkBytes : kShareBlockBytes;
    size_t place = chunk.index * (kDigestChunkBytes / size);
    for (uint64_t at = 0; at < bytes.size(); at += size) {
      Sha256 hash;
      hash.Update(bytes.subspan(at, std::min<uint64_t>(size, bytes.size() - at)));
      shared_.sha256[chunk.extent][place++] = hash.Finish();
    }
  }

  // Pieces of one file follow each other.
  Status OpenFileOf(const ManifestPiece& piece) {
    const bool open =
        piece_ != nullptr && piece_->origin == piece.origin && piece_->path == piece.path;
    if (open) return Status();
    TRIMS_ASSIGN_OR_RETURN(file_, files_.Open(piece.origin, piece.path));
    piece_ = &piece;
    return Status();
  }

  Shared& shared_;
  ImageFiles files_;
  const ManifestPiece* piece_ = nullptr;
  std::unique_ptr<RandomAccess> file_;
  std::vector<std::byte> buffer_;
};

// With fewer threads than asked for it takes longer, and that is all.
void RunOnAllProcessors(Shared* shared) {
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const size_t threads = std::min({processors, kMaxThreads, shared->chunks.size()});
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) {
    Result<std::thread> thread = StartThread([shared] { ChunkReader(shared).Run(); });
    if (thread.ok()) others.push_back(*std::move(thread));
  }
  ChunkReader(shared).Run();
  for (std::thread& thread : others) thread.join();
}

// What `digests_of` makes of each extent's XXH3 and SHA-256.
template <typename Digests, typename DigestsOf>
Result<std::vector<Digests>> DigestAll(const Image& image, const std::string& prepared_root,
                                       FillControl* control, Pacer* pacer, Wanted wanted,
                                       DigestsOf digests_of) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<Read> reads,
                         CutIntoReads(image.variant, kDigestChunkBytes));
  Shared shared(image, prepared_root, control, pacer, ChunksOf(image.variant, reads), wanted);
  RunOnAllProcessors(&shared);
  {
    MutexLock lock(shared.mutex);
    TRIMS_RETURN_IF_ERROR(shared.first_error);
  }
  std::vector<Digests> digests;
  for (size_t i = 0; i < shared.xxh3.size(); ++i) {
    digests.push_back(digests_of(std::move(shared.xxh3[i]), std::move(shared.sha256[i])));
  }
  return digests;
}

}  // namespace

Result<std::vector<ExtentDigests>> DigestVariant(const Image& image,
                                                 const std::string& prepared_root,
                                                 FillControl* control, Pacer* pacer) {
  return DigestAll<ExtentDigests>(
      image, prepared_root, control, pacer, Wanted::kOfChunks,
      [](std::vector<uint64_t> xxh3, const std::vector<Sha256::Digest>& sha256) {
        return ExtentDigests{TreeDigest(sha256), std::move(xxh3)};
      });
}

Result<std::vector<BlockDigests>> DigestBlocks(const Image& image, const std::string& prepared_root,
                                               FillControl* control) {
  return DigestAll<BlockDigests>(
      image, prepared_root, control, nullptr, Wanted::kOfBlocks,
      [](std::vector<uint64_t> xxh3, std::vector<Sha256::Digest> sha256) {
        return BlockDigests{std::move(xxh3), std::move(sha256)};
      });
}

}  // namespace trims

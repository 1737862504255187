#include "ingest/image_checker.h"

#include <algorithm>
#include <cstring>

#include "base/macros.h"
#include "base/shell_quote.h"
#include "base/xxh3.h"
#include "format/chunk_digests.h"
#include "load/read_index.h"

namespace trims {

ImageChecker::ImageChecker(ImagePtr image, const std::string& prepared_root)
    : image_(std::move(image)), files_(*image_, prepared_root) {
  const std::vector<ManifestExtent>& extents = image_->variant.extents;
  for (size_t i = 0; i < extents.size(); ++i) {
    for (const ManifestPiece& piece : extents[i].pieces) {
      spans_[{piece.origin, piece.path}].push_back({piece.offset, piece.length, i, piece.at});
    }
  }
}

Status ImageChecker::Check(const FileOfVariant& file, uint64_t offset,
                           std::span<const std::byte> bytes) {
  const auto found = spans_.find({file.origin, file.path});
  if (found == spans_.end()) return Status();
  for (const Span& span : found->second) {
    const uint64_t begin = std::max(span.offset, offset);
    const uint64_t end = std::min(span.offset + span.length, offset + bytes.size());
    if (begin >= end) continue;
    TRIMS_RETURN_IF_ERROR(CheckSpan(span.extent, span.at + (begin - span.offset),
                                    bytes.subspan(begin - offset, end - begin)));
  }
  return Status();
}

Result<std::vector<std::byte>> ImageChecker::ReadIndex() {
  return trims::ReadIndex(*image_, &files_, HowToMend());
}

Status ImageChecker::CheckSpan(size_t extent, uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const Chunk chunk{extent, at / kDigestChunkBytes};
    const uint64_t within = at % kDigestChunkBytes;
    const auto part = bytes.first(std::min<uint64_t>(bytes.size(), kDigestChunkBytes - within));
    TRIMS_RETURN_IF_ERROR(Load(chunk));
    if (std::memcmp(buffer_.data() + within, part.data(), part.size()) != 0)
      return Differs("what was read the second time of extent " + std::to_string(extent));
    at += part.size();
    bytes = bytes.subspan(part.size());
  }
  return Status();
}

Status ImageChecker::Load(const Chunk& chunk) {
  if (loaded_ == chunk) return Status();
  loaded_.reset();
  const ManifestExtent& extent = image_->variant.extents[chunk.extent];
  const uint64_t begin = chunk.number * kDigestChunkBytes;
  buffer_.assign(std::min(kDigestChunkBytes, extent.length - begin), std::byte{0});
  TRIMS_RETURN_IF_ERROR(ReadPieces(extent, begin, buffer_));
  if (ChunkSumsOf(buffer_).front() != extent.xxh3[chunk.number])
    return Differs("extent " + std::to_string(chunk.extent));
  loaded_ = chunk;
  return Status();
}

Status ImageChecker::ReadPieces(const ManifestExtent& extent, uint64_t begin,
                                std::span<std::byte> out) {
  const uint64_t end = begin + out.size();
  auto piece = std::ranges::upper_bound(extent.pieces, begin, {}, &ManifestPiece::at);
  if (piece != extent.pieces.begin()) --piece;
  for (; piece != extent.pieces.end() && piece->at < end; ++piece) {
    const uint64_t from = std::max(piece->at, begin);
    const uint64_t to = std::min(piece->at + piece->length, end);
    if (from >= to) continue;
    TRIMS_ASSIGN_OR_RETURN(const RandomAccess* file, Open({piece->origin, piece->path}));
    TRIMS_RETURN_IF_ERROR(
        file->ReadAt(piece->offset + (from - piece->at), out.subspan(from - begin, to - from)));
  }
  return Status();
}

Result<const RandomAccess*> ImageChecker::Open(const FileKey& key) {
  if (open_ == nullptr || open_key_ != key) {
    TRIMS_ASSIGN_OR_RETURN(open_, files_.Open(key.first, key.second));
    open_key_ = key;
  }
  return open_.get();
}

Status ImageChecker::Differs(const std::string& what) const {
  return Status(StatusCode::kDataLoss,
                what + " of '" + image_->reference +
                    "' has not the digest that was recorded when it was added",
                HowToMend());
}

std::string ImageChecker::HowToMend() const {
  return "mend it, and push again: trims verify " + ShellQuote(image_->reference);
}

}  // namespace trims

#include "load/landed_file.h"

#include <algorithm>
#include <vector>

#include "base/macros.h"
#include "load/fill_extents.h"

namespace trims {
namespace {

// So much is allocated at once: what a step costs is soon hashed, and ranges come meanwhile.
constexpr uint64_t kAllocated = uint64_t{32} << 20;

}  // namespace

// The descriptor may be read as the file itself, so that it must not be longer (load/fill.cc).
Result<std::unique_ptr<LandedFile>> LandedFile::Start(const std::string& name, uint64_t length,
                                                      HugePagePolicy pages) {
  const HugePagePolicy exact = pages == HugePagePolicy::kBest ? HugePagePolicy::kNoHugeTlb : pages;
  TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer, ExtentWriter::Reserve(name, length, exact));
  std::unique_ptr<LandedFile> landed(new LandedFile(std::move(writer)));
  const std::span<const std::byte> bytes(landed->writer_.data(), length);
  TRIMS_ASSIGN_OR_RETURN(landed->stream_, StreamHasher::Start(bytes));
  TRIMS_ASSIGN_OR_RETURN(
      landed->chunks_,
      ChunkHasher::Start({{bytes, DigestKind::kBoth}}, HashersFor(length), &landed->control_));
  return landed;
}

Result<std::span<std::byte>> LandedFile::Reach(uint64_t end) {
  if (allocated_ < end) {
    const uint64_t next = std::min(writer_.length(), AlignUp(end, kAllocated));
    TRIMS_RETURN_IF_ERROR(writer_.Allocate(next));
    allocated_ = next;
  }
  return std::span<std::byte>(writer_.data(), writer_.length());
}

void LandedFile::Ready(uint64_t end) {
  stream_->Ready(end);
  chunks_->Ready(0, end);
}

std::string LandedFile::Sha256() {
  if (sha256_.empty()) sha256_ = stream_->Finish();
  return sha256_;
}

Result<LandedContent> LandedFile::Finish() {
  TRIMS_ASSIGN_OR_RETURN(std::vector<ExtentDigests> digests, chunks_->Finish());
  std::string sha256 = Sha256();
  TRIMS_ASSIGN_OR_RETURN(SealedExtent sealed, std::move(writer_).Seal());
  return LandedContent{std::move(sha256), std::move(digests.front()), HandleOf(std::move(sealed))};
}

}  // namespace trims

#include "format/chunk_digests.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace trims {
namespace {

constexpr size_t kSumDigits = 16;

}  // namespace

std::string TreeDigest(std::span<const Sha256::Digest> chunks) {
  Sha256 hash;
  for (const Sha256::Digest& chunk : chunks) hash.Update(chunk);
  return hash.FinishHex();
}

std::string TreeDigestOf(std::span<const std::byte> bytes) {
  std::vector<Sha256::Digest> chunks;
  while (!bytes.empty()) {
    const size_t length = std::min<size_t>(bytes.size(), kDigestChunkBytes);
    Sha256 hash;
    hash.Update(bytes.first(length));
    chunks.push_back(hash.Finish());
    bytes = bytes.subspan(length);
  }
  return TreeDigest(chunks);
}

std::string ChunkSumsToHex(std::span<const uint64_t> sums) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(sums.size() * kSumDigits);
  for (const uint64_t sum : sums) {
    for (int shift = 60; shift >= 0; shift -= 4) hex.push_back(kDigits[(sum >> shift) & 15]);
  }
  return hex;
}

Result<std::vector<uint64_t>> ChunkSumsFromHex(std::string_view hex) {
  const Status wrong(StatusCode::kInvalidArgument,
                     "expected 16 lower-case hexadecimal digits for each chunk");
  if (hex.size() % kSumDigits != 0) return wrong;
  if (hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) return wrong;
  std::vector<uint64_t> sums;
  for (; !hex.empty(); hex.remove_prefix(kSumDigits)) {
    uint64_t sum = 0;
    std::from_chars(hex.data(), hex.data() + kSumDigits, sum, 16);
    sums.push_back(sum);
  }
  return sums;
}

void ChunkSums::Update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t step = std::min<size_t>(bytes.size(), kDigestChunkBytes - in_chunk_);
    hash_.Update(bytes.first(step));
    bytes = bytes.subspan(step);
    in_chunk_ += step;
    if (in_chunk_ < kDigestChunkBytes) continue;
    sums_.push_back(hash_.Finish());
    in_chunk_ = 0;
  }
}

void ChunkSums::UpdateZeros(uint64_t count) {
  static constexpr std::byte kZeros[4096] = {};
  while (count > 0) {
    const size_t step = std::min<uint64_t>(count, sizeof(kZeros));
    Update({kZeros, step});
    count -= step;
  }
}

std::vector<uint64_t> ChunkSums::Finish() {
  if (in_chunk_ > 0) sums_.push_back(hash_.Finish());
  in_chunk_ = 0;
  return std::exchange(sums_, {});
}

std::vector<uint64_t> ChunkSumsOf(std::span<const std::byte> bytes) {
  ChunkSums sums;
  sums.Update(bytes);
  return sums.Finish();
}

}  // namespace trims

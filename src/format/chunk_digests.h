// What the bytes of an extent are known by. It is cut into chunks of kDigestChunkBytes (the last may be
// shorter). Each has an XXH3, which every load compares, at the speed of memory and on any thread; and a
// SHA-256. The SHA-256 of all of these, one after the other, is the extent's digest: a tree of depth
// one, so that every processor takes part in making it.
//
//   ChunkSums sums;                       // of a stream, whatever the pieces it comes in
//   sums.Update(bytes);
//   extent.xxh3 = sums.Finish();
//   extent.sha256 = TreeDigest(digests);  // of its chunks, in order
//
// Thread-safety: pure functions; ChunkSums: one thread.
#ifndef TRIMS_FORMAT_CHUNK_DIGESTS_H_
#define TRIMS_FORMAT_CHUNK_DIGESTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/sha256.h"
#include "base/xxh3.h"

namespace trims {

inline constexpr uint64_t kDigestChunkBytes = uint64_t{4} << 20;

// How many chunks `length` bytes have; at least one of a length above 0.
constexpr uint64_t ChunkCount(uint64_t length) {
  return length / kDigestChunkBytes + (length % kDigestChunkBytes != 0 ? 1 : 0);
}

// 64 hexadecimal digits: the SHA-256 of the chunks' own.
std::string TreeDigest(std::span<const Sha256::Digest> chunks);

// The same, of bytes that lie in memory.
std::string TreeDigestOf(std::span<const std::byte> bytes);

// Each as 16 hexadecimal digits, without anything between; and back. INVALID_ARGUMENT: other text.
std::string ChunkSumsToHex(std::span<const uint64_t> sums);
Result<std::vector<uint64_t>> ChunkSumsFromHex(std::string_view hex);

class ChunkSums {
 public:
  void Update(std::span<const std::byte> bytes);
  void UpdateZeros(uint64_t count);
  std::vector<uint64_t> Finish();  // begins anew

 private:
  Xxh3 hash_;
  uint64_t in_chunk_ = 0;
  std::vector<uint64_t> sums_;
};

std::vector<uint64_t> ChunkSumsOf(std::span<const std::byte> bytes);

}  // namespace trims

#endif  // TRIMS_FORMAT_CHUNK_DIGESTS_H_

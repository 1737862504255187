// XXH3, 64 bits: the checksum of a chunk, at the speed of memory. It finds what a disk, a cable or a bug
// has changed, and nothing that somebody changed on purpose: identity is base/sha256.h.
//
//   const uint64_t whole = Xxh3Of(bytes);
//   Xxh3 hash;
//   hash.Update(first_half);
//   hash.Update(second_half);
//   hash.Finish();  // the same
//
// Source: xxHash, XXH3_64bits with seed 0. Thread-safety: values.
#ifndef TRIMS_BASE_XXH3_H_
#define TRIMS_BASE_XXH3_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace trims {

class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(Xxh3&&) noexcept;
  Xxh3& operator=(Xxh3&&) noexcept;

  void Update(std::span<const std::byte> bytes);
  // Of what came since it was made or last finished; the next bytes begin another one.
  uint64_t Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

uint64_t Xxh3Of(std::span<const std::byte> bytes);

}  // namespace trims

#endif  // TRIMS_BASE_XXH3_H_

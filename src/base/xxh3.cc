#include "base/xxh3.h"

// In this object and nowhere else, so that nothing has to be installed where TrIMS runs.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace trims {

struct Xxh3::State {
  State() { XXH3_64bits_reset(&state); }
  alignas(64) XXH3_state_t state;
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {}
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;

void Xxh3::Update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&state_->state, bytes.data(), bytes.size());
}

uint64_t Xxh3::Finish() {
  const uint64_t value = XXH3_64bits_digest(&state_->state);
  XXH3_64bits_reset(&state_->state);
  return value;
}

uint64_t Xxh3Of(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace trims

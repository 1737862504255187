// In the place of base/xxh3.cc, in the one program that measures what hashing costs.
#include "base/xxh3.h"

namespace trims {

struct Xxh3::State {};

Xxh3::Xxh3() = default;
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;
void Xxh3::Update(std::span<const std::byte>) {}
uint64_t Xxh3::Finish() { return 0; }
uint64_t Xxh3Of(std::span<const std::byte>) { return 0; }

}  // namespace trims

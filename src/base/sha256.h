// SHA-256, the identity of content. Streaming, by OpenSSL.
//
//   Sha256 hash;
//   hash.Update(bytes);
//   std::string digest = hash.FinishHex();   // 64 lower-case hexadecimal digits
#ifndef TRIMS_BASE_SHA256_H_
#define TRIMS_BASE_SHA256_H_

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace trims {

class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::span<const std::byte> bytes);
  void Update(std::string_view text) { Update(std::as_bytes(std::span(text))); }
  // Both end the hash; the object may only be destroyed or assigned to afterwards.
  Digest Finish();
  std::string FinishHex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Two lower-case digits for each byte.
std::string HexDigits(std::span<const std::byte> bytes);

std::string Sha256Hex(std::span<const std::byte> bytes);

// Whether `text` is 64 lower-case hexadecimal digits.
bool IsSha256Hex(std::string_view text);

}  // namespace trims

#endif  // TRIMS_BASE_SHA256_H_

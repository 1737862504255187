// Any bytes as a credential service's answer: refused, or keys that may stand in a header.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "source/aws_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto found =
      trims::ParseAwsCredentials({reinterpret_cast<const char*>(data), size}, "the service");
  if (!found.ok()) {
    if (found.status().code() != trims::StatusCode::kInvalidArgument) std::abort();
    return 0;
  }
  if (found->anonymous() || found->secret_access_key.empty()) std::abort();
  if (found->session_token.Reveal().find_first_of("\r\n") != std::string::npos) std::abort();
  return 0;
}

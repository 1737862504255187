// Any bytes as what a service on a network answers: refused with a typed error, or within its limits. The
// first byte says which of them it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "source/hub_answers.h"
#include "source/oci_manifest.h"
#include "source/registry_login.h"
#include "source/s3_answers.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Refused(const trims::Status& status) {
  Require(status.code() == trims::StatusCode::kInvalidArgument ||
          status.code() == trims::StatusCode::kUnimplemented);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: {
      const auto listing = trims::ParseS3Listing(text);
      if (!listing.ok()) return Refused(listing.status()), 0;
      for (const auto& object : listing->objects) Require(!object.key.empty());
      return 0;
    }
    case 1:
      (void)trims::ParseS3Error(text);
      return 0;
    case 2: {
      const auto files = trims::ParseHubTree(text);
      if (!files.ok()) return Refused(files.status()), 0;
      for (const auto& file : *files) Require(file.sha256.empty() || file.sha256.size() == 64);
      return 0;
    }
    case 3: {
      const auto manifest = trims::ParseOciManifest(text);
      if (!manifest.ok()) return Refused(manifest.status()), 0;
      for (const auto& file : manifest->files)
        Require(!file.name.empty() && file.digest.size() == 71);
      return 0;
    }
    case 4: {
      const auto challenge = trims::ParseChallenge(text);
      Require(!challenge || !challenge->bearer || !challenge->realm.empty());
      return 0;
    }
    default:
      (void)trims::NextPage(text);
      (void)trims::ParseRegistryLogin(text, "r", "config.json").ok();
      return 0;
  }
}

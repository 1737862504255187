// OciStore: the files of an artifact in a registry, which are its layers.
//
//   OciStore store(uri, getenv, exchange);
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
//   files.front().sha256;  // its digest
//
// Registries on this machine (localhost, 127.0.0.0/8, ::1) are asked by http, all others by https. Where
// one asks for it, a token is got for reading this repository, with the password that docker's
// configuration has, or anonymously. The manifest is checked against its digest.
// Source: OCI distribution specification 1.1. Thread-safety: as RemoteStore says.
#ifndef TRIMS_SOURCE_OCI_STORE_H_
#define TRIMS_SOURCE_OCI_STORE_H_

#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"
#include "source/hub_cache.h"
#include "source/oci_manifest.h"
#include "source/registry_login.h"
#include "source/remote_store.h"
#include "source/secret.h"
#include "source/small_exchange.h"
#include "source/source_uri.h"

namespace trims {

class OciStore final : public RemoteStore {
 public:
  // `uri` is of Scheme::kOci.
  OciStore(SourceUri uri, Environment environment, SmallExchange exchange);

  Result<std::vector<RemoteFile>> List() override;
  // The first one, and the first after Refused(), may log in.
  Result<RemoteRequest> RequestFor(const RemoteFile& file) override;
  void Refused() override;

 private:
  Result<SmallReply> Ask(const std::string& url);
  Result<OciManifest> Manifest(const std::string& reference);
  // The value of Authorization; empty: none is wanted.
  Result<Secret> LogIn(std::string_view challenge) TRIMS_REQUIRES(mutex_);
  Result<Secret> GetToken(const LoginChallenge& challenge, const RegistryLogin& login) const;
  Status WhyNot(const SmallReply& reply) const;

  const SourceUri uri_;
  const Environment environment_;
  const SmallExchange exchange_;
  const std::string base_;  // "https://registry/v2/name"
  Mutex mutex_;
  Secret authorization_ TRIMS_GUARDED_BY(mutex_);
  bool stale_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_OCI_STORE_H_

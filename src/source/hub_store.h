// HubStore: the files of one revision of a model on the Hugging Face hub, or on a service that has its
// HTTP interface.
//
//   TRIMS_ASSIGN_OR_RETURN(const HubSettings settings, ReadHubSettings(getenv));
//   HubStore store(uri, settings, exchange);
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
//   store.commit();  // what the branch was then
//
// A branch or tag is resolved once; every file is of that commit. Of files in large-file storage the hub
// tells the SHA-256. The token is sent to the hub's own host alone.
// Thread-safety: as RemoteStore says.
#ifndef TRIMS_SOURCE_HUB_STORE_H_
#define TRIMS_SOURCE_HUB_STORE_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "source/hub_cache.h"
#include "source/remote_store.h"
#include "source/secret.h"
#include "source/small_exchange.h"
#include "source/source_uri.h"

namespace trims {

struct HubSettings {
  std::string endpoint = "https://huggingface.co";
  Secret token;  // empty: none
};

// From HF_ENDPOINT; HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file HF_TOKEN_PATH, $HF_HOME/token,
// $XDG_CACHE_HOME/huggingface/token or ~/.cache/huggingface/token. INVALID_ARGUMENT: an endpoint or a
// token that can't be one, or a token for an endpoint on another machine by plain http; UNAVAILABLE:
// HF_HUB_OFFLINE.
Result<HubSettings> ReadHubSettings(const Environment& environment);

class HubStore final : public RemoteStore {
 public:
  // `uri` is of Scheme::kHf.
  HubStore(SourceUri uri, HubSettings settings, SmallExchange exchange);

  Result<std::vector<RemoteFile>> List() override;
  Result<RemoteRequest> RequestFor(const RemoteFile& file) override;
  void Refused() override {}  // the token is all there is

  const std::string& commit() const { return commit_; }  // empty before List()

 private:
  Result<SmallReply> Ask(const std::string& url) const;
  Result<std::string> FindCommit() const;
  Result<std::vector<RemoteFile>> ListCommit() const;
  // Those that the URI's path names; by what follows it, where that is a folder.
  Result<std::vector<RemoteFile>> Wanted(std::vector<RemoteFile> files) const;
  std::vector<std::string> Headers() const;
  Status WhyNot(const SmallReply& reply) const;

  const SourceUri uri_;
  const HubSettings settings_;
  const SmallExchange exchange_;
  std::string commit_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_HUB_STORE_H_

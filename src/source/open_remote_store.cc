#include "source/open_remote_store.h"

#include <string>
#include <utility>

#include "base/macros.h"
#include "source/connections.h"
#include "source/http_store.h"
#include "source/hub_store.h"
#include "source/oci_store.h"
#include "source/s3_store.h"

namespace trims {
namespace {

// A store and what it borrows.
class Opened final : public OpenedStore {
 public:
  explicit Opened(const RemoteStoreOptions& options)
      : environment_(options.environment), connections_(options) {}

  RemoteStore& store() override { return *store_; }

  Status Open(const SourceUri& uri) {
    switch (uri.scheme) {
      case SourceUri::Scheme::kHttp:
      case SourceUri::Scheme::kHttps:
        store_ = std::make_unique<HttpStore>(uri, connections_.exchange());
        return Status();
      case SourceUri::Scheme::kS3:
        return OpenS3(uri);
      case SourceUri::Scheme::kHf:
        return OpenHub(uri);
      case SourceUri::Scheme::kOci:
        store_ = std::make_unique<OciStore>(uri, environment_, connections_.exchange());
        return Status();
      case SourceUri::Scheme::kFile:
        break;
    }
    return Status(StatusCode::kInternal, "'" + uri.ToString() + "' is of no network");
  }

 private:
  Status OpenS3(const SourceUri& uri) {
    TRIMS_ASSIGN_OR_RETURN(S3Location location, connections_.credentials()->Location());
    store_ = std::make_unique<S3Store>(uri, std::move(location), connections_.credentials(),
                                       connections_.exchange());
    return Status();
  }

  Status OpenHub(const SourceUri& uri) {
    TRIMS_ASSIGN_OR_RETURN(HubSettings settings, ReadHubSettings(environment_));
    store_ = std::make_unique<HubStore>(uri, std::move(settings), connections_.exchange());
    return Status();
  }

  const Environment environment_;
  Connections connections_;
  std::unique_ptr<RemoteStore> store_;
};

}  // namespace

Result<std::unique_ptr<OpenedStore>> OpenRemoteStore(const SourceUri& uri,
                                                     const RemoteStoreOptions& options) {
  auto opened = std::make_unique<Opened>(options);
  TRIMS_RETURN_IF_ERROR(opened->Open(uri));
  return std::unique_ptr<OpenedStore>(std::move(opened));
}

}  // namespace trims

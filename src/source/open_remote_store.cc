#include "source/open_remote_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/macros.h"
#include "source/http_exchange.h"
#include "source/http_store.h"
#include "source/hub_store.h"
#include "source/oci_store.h"
#include "source/s3_store.h"
#include "transfer/http_client.h"

namespace trims {
namespace {

// A store and what it borrows.
class Opened final : public OpenedStore {
 public:
  explicit Opened(const RemoteStoreOptions& options)
      : environment_(options.environment),
        client_(options.patience),
        metadata_client_({.attempts = 1, .connect = std::chrono::seconds(1)}),
        credentials_(options.environment, ExchangeOver(&metadata_client_)) {
    if (options.cancel != nullptr)
      watch_.emplace(options.cancel, [this] {
        client_.Cancel();
        metadata_client_.Cancel();
      });
  }

  RemoteStore& store() override { return *store_; }

  Status Open(const SourceUri& uri) {
    switch (uri.scheme) {
      case SourceUri::Scheme::kHttp:
      case SourceUri::Scheme::kHttps:
        store_ = std::make_unique<HttpStore>(uri, ExchangeOver(&client_));
        return Status();
      case SourceUri::Scheme::kS3:
        return OpenS3(uri);
      case SourceUri::Scheme::kHf:
        return OpenHub(uri);
      case SourceUri::Scheme::kOci:
        store_ = std::make_unique<OciStore>(uri, environment_, ExchangeOver(&client_));
        return Status();
      case SourceUri::Scheme::kFile:
        break;
    }
    return Status(StatusCode::kInternal, "'" + uri.ToString() + "' is of no network");
  }

 private:
  Status OpenS3(const SourceUri& uri) {
    TRIMS_ASSIGN_OR_RETURN(S3Location location, credentials_.Location());
    store_ =
        std::make_unique<S3Store>(uri, std::move(location), &credentials_, ExchangeOver(&client_));
    return Status();
  }

  Status OpenHub(const SourceUri& uri) {
    TRIMS_ASSIGN_OR_RETURN(HubSettings settings, ReadHubSettings(environment_));
    store_ = std::make_unique<HubStore>(uri, std::move(settings), ExchangeOver(&client_));
    return Status();
  }

  const Environment environment_;
  HttpClient client_;
  HttpClient metadata_client_;  // of services that are there at once, or not at all
  AwsCredentialSource credentials_;
  std::unique_ptr<RemoteStore> store_;
  std::optional<CancelToken::Watch> watch_;  // the first to go
};

}  // namespace

Result<std::unique_ptr<OpenedStore>> OpenRemoteStore(const SourceUri& uri,
                                                     const RemoteStoreOptions& options) {
  auto opened = std::make_unique<Opened>(options);
  TRIMS_RETURN_IF_ERROR(opened->Open(uri));
  return std::unique_ptr<OpenedStore>(std::move(opened));
}

}  // namespace trims

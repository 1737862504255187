#include "source/open_remote_store.h"

#include <optional>
#include <string>
#include <utility>

#include "base/macros.h"
#include "source/http_exchange.h"
#include "source/http_store.h"
#include "transfer/http_client.h"

namespace trims {
namespace {

// A store and what it borrows.
class Opened final : public OpenedStore {
 public:
  explicit Opened(const RemoteStoreOptions& options) : client_(options.patience) {
    if (options.cancel != nullptr) watch_.emplace(options.cancel, [this] { client_.Cancel(); });
  }

  RemoteStore& store() override { return *store_; }

  Status Open(const SourceUri& uri) {
    switch (uri.scheme) {
      case SourceUri::Scheme::kHttp:
      case SourceUri::Scheme::kHttps:
        store_ = std::make_unique<HttpStore>(uri, ExchangeOver(&client_));
        return Status();
      default:
        return Status(
            StatusCode::kUnimplemented,
            std::string(SchemeName(uri.scheme)) + ":// sources can't be read by this build",
            "download the model and add it as file:///absolute/path");
    }
  }

 private:
  HttpClient client_;
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

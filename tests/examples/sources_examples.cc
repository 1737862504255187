// Examples of the opening comments of src/source: the sources on a network.
#include <stdlib.h>

#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/macros.h"
#include "source/aws_credentials.h"
#include "source/aws_keys.h"
#include "source/aws_metadata.h"
#include "source/aws_profile.h"
#include "source/endpoint.h"
#include "source/hub_answers.h"
#include "source/hub_store.h"
#include "source/ini_file.h"
#include "source/oci_manifest.h"
#include "source/oci_store.h"
#include "source/registry_login.h"
#include "source/remote_store.h"
#include "source/remote_uri.h"
#include "source/s3_answers.h"
#include "source/s3_store.h"
#include "source/secret.h"
#include "source/small_exchange.h"
#include "source/xml_walk.h"

namespace trims {
namespace {

Status AwsCredentialSourceExample(const SmallExchange& exchange) {
  // example: src/source/aws_credentials.h
  AwsCredentialSource source(getenv, exchange);
  TRIMS_ASSIGN_OR_RETURN(const AwsCredentials credentials, source.Get());
  if (credentials.anonymous()) return {};
  // end
  return {};
}

void AwsKeysExample(const AwsCredentials& credentials) {
  // example: src/source/aws_keys.h
  const AwsSigning signing{.credentials = credentials, .region = "eu-west-1"};
  // end
}

Status AwsMetadataExample(const SmallExchange& exchange) {
  // example: src/source/aws_metadata.h
  TRIMS_ASSIGN_OR_RETURN(std::optional<AwsCredentials> found,
                         InstanceCredentials(getenv, exchange));
  // end
  return {};
}

Status AwsProfileExample() {
  // example: src/source/aws_profile.h
  TRIMS_ASSIGN_OR_RETURN(const AwsProfile profile, ReadAwsProfile(getenv));
  profile.region;  // "eu-west-1", or empty
  // end
  return {};
}

Status EndpointExample() {
  // example: src/source/endpoint.h
  TRIMS_ASSIGN_OR_RETURN(const Endpoint hub,
                         ParseEndpoint("https://mirror.example/hub/", "HF_ENDPOINT"));
  hub.ToString();  // "https://mirror.example/hub"
  // end
  return {};
}

Status HubAnswersExample(std::string_view body) {
  // example: src/source/hub_answers.h
  TRIMS_ASSIGN_OR_RETURN(const std::vector<HubFile> files, ParseHubTree(body));
  files.front().path;  // "onnx/model.onnx"
  // end
  return {};
}

Status HubStoreExample(const SourceUri& uri, const SmallExchange& exchange) {
  // example: src/source/hub_store.h
  TRIMS_ASSIGN_OR_RETURN(const HubSettings settings, ReadHubSettings(getenv));
  HubStore store(uri, settings, exchange);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
  store.commit();  // what the branch was then
  // end
  return {};
}

Status IniFileExample() {
  // example: src/source/ini_file.h
  TRIMS_ASSIGN_OR_RETURN(const IniFile file, ParseIni("[default]\nregion = eu-west-1\n", "config"));
  file.at("default").at("region");  // "eu-west-1"
  // end
  return {};
}

Status OciManifestExample(std::string_view body) {
  // example: src/source/oci_manifest.h
  TRIMS_ASSIGN_OR_RETURN(const OciManifest manifest, ParseOciManifest(body));
  manifest.files.front().name;    // "model.safetensors"
  manifest.files.front().digest;  // "sha256:9f86d0…"
  // end
  return {};
}

Status OciStoreExample(const SourceUri& uri, const SmallExchange& exchange) {
  // example: src/source/oci_store.h
  OciStore store(uri, getenv, exchange);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
  files.front().sha256;  // its digest
  // end
  return {};
}

void RegistryLoginExample(const SmallReply& reply) {
  // example: src/source/registry_login.h
  const std::optional<LoginChallenge> asked = ParseChallenge(reply.Header("www-authenticate"));
  asked->realm;  // "https://auth.example/token"
  // end
}

Status RemoteStoreExample(RemoteStore& store) {
  // example: src/source/remote_store.h
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
  TRIMS_ASSIGN_OR_RETURN(const RemoteRequest request, store.RequestFor(files.front()));
  // GET request.url with request.headers, signed if it says so, range by range
  // end
  return {};
}

Status RemoteUriExample() {
  // example: src/source/remote_uri.h
  TRIMS_ASSIGN_OR_RETURN(const SourceUri uri,
                         ParseRemoteUri(SourceUri::Scheme::kHf, "hf://org/net@v2/w.safetensors"));
  uri.revision;  // "v2"
  // end
  return {};
}

Status S3AnswersExample(std::string_view body) {
  // example: src/source/s3_answers.h
  TRIMS_ASSIGN_OR_RETURN(const S3Listing listing, ParseS3Listing(body));
  listing.objects.front().key;  // "models/net/model.safetensors"
  // end
  return {};
}

Status S3StoreExample(const SourceUri& uri, const S3Location& location,
                      AwsCredentialSource& credentials, const SmallExchange& exchange) {
  // example: src/source/s3_store.h
  S3Store store(uri, location, &credentials, exchange);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, store.List());
  // end
  return {};
}

void SecretExample(std::vector<std::string>& headers) {
  // example: src/source/secret.h
  const Secret token("hf_x");
  std::cerr << token;                                            // (secret)
  headers.push_back("Authorization: Bearer " + token.Reveal());  // the one way to its text
  // end
}

Status SmallExchangeExample(const SmallExchange& given) {
  // example: src/source/small_exchange.h
  const SmallExchange exchange = given;  // source/remote_tree.h; a script in tests
  TRIMS_ASSIGN_OR_RETURN(const SmallReply reply, exchange({.url = "https://h/v2/"}));
  reply.status;                      // 401
  reply.Header("www-authenticate");  // "Bearer realm=…"
  // end
  return {};
}

Status XmlWalkExample(std::string_view body, std::string& code) {
  // example: src/source/xml_walk.h
  const Status walked = WalkXml(body, [&](const XmlPath& path, std::string_view text) {
    if (path.Is({"Error", "Code"})) code = text;
    return Status();
  });
  // end
  return walked;
}

}  // namespace
}  // namespace trims

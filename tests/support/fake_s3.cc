#include "support/fake_s3.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "base/sha256.h"
#include "source/percent.h"

namespace trims::test {
namespace {

constexpr char kBucket[] = "/bucket/";

std::string HashOf(const std::string& text) { return Sha256Hex(std::as_bytes(std::span(text))); }

// The value of a query's field; empty: there is none.
std::string FieldOf(const std::string& query, const std::string& name) {
  const std::string searched = "&" + query;
  const size_t at = searched.find("&" + name + "=");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 2;
  std::string decoded;
  const size_t end = std::min(searched.find('&', begin), searched.size());
  (void)PercentDecode(searched.substr(begin, end - begin), &decoded);
  return decoded;
}

bool IsSigned(const OriginRequest& request) {
  const std::string authorization = request.Header("authorization");
  const bool has_meta = !request.Header("x-amz-meta-trims-content").empty();
  return authorization.starts_with("AWS4-HMAC-SHA256 Credential=") &&
         (!has_meta || authorization.find("x-amz-meta-trims-content") != std::string::npos) &&
         request.Header("x-amz-content-sha256") == HashOf(request.body);
}

std::string EtagOf(const std::string& bytes) { return "\"" + HashOf(bytes).substr(0, 32) + "\""; }

}  // namespace

OriginReply FakeS3::Error(int status, const std::string& code, const std::string& words) {
  return {.status = status,
          .headers = {},
          .body = "<Error><Code>" + code + "</Code><Message>" + words + "</Message></Error>"};
}

FakeS3::FakeS3(Fault fault, When when, HttpOrigin::Cut cut)
    : fault_(std::move(fault)),
      when_(when),
      origin_([this](const OriginRequest& request) { return Serve(request); }, std::move(cut)) {}

int FakeS3::Count(const std::string& method, const std::string& within) const {
  const std::vector<OriginRequest> all = requests();
  return static_cast<int>(std::ranges::count_if(all, [&](const OriginRequest& request) {
    return request.method == method && request.target.find(within) != std::string::npos;
  }));
}

std::map<std::string, FakeS3::Object> FakeS3::objects() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return objects_;
}

void FakeS3::Put(const std::string& key, Object object) {
  const std::lock_guard<std::mutex> lock(mutex_);
  objects_[key] = std::move(object);
}

size_t FakeS3::uploads() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return uploads_.size();
}

OriginReply FakeS3::Serve(const OriginRequest& request) {
  std::optional<OriginReply> fault;
  if (fault_) fault = fault_(request);
  if (fault && when_ == When::kInstead) return *fault;
  const std::lock_guard<std::mutex> lock(mutex_);
  OriginReply reply = Answer(request);
  return fault ? *fault : reply;
}

OriginReply FakeS3::Answer(const OriginRequest& request) {
  if (!IsSigned(request)) return Error(403, "SignatureDoesNotMatch");
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string query = mark < request.target.size() ? request.target.substr(mark + 1) : "";
  if (!request.target.starts_with(kBucket)) return Error(404, "NoSuchBucket");
  std::string key;
  (void)PercentDecode(request.target.substr(sizeof kBucket - 1, mark - (sizeof kBucket - 1)), &key);
  if (request.method == "GET" && key.empty()) return List(FieldOf(query, "prefix"));
  if (request.method == "POST") return Post(request, key, query);
  if (request.method == "DELETE") {
    const bool gone = uploads_.erase(FieldOf(query, "uploadId")) == 1;
    return gone ? OriginReply{.status = 204} : Error(404, "NoSuchUpload");
  }
  if (request.method == "PUT" && !query.empty()) return PutPart(request, query);
  if (request.method == "PUT") {
    objects_[key] = {request.body, request.Header("x-amz-meta-trims-content")};
    return {.headers = {"ETag: " + EtagOf(request.body)}};
  }
  const auto found = objects_.find(key);
  if (found == objects_.end()) return Error(404, "NoSuchKey");
  OriginReply reply = ServeObject(request, found->second.bytes, EtagOf(found->second.bytes));
  reply.headers.push_back("x-amz-meta-trims-content: " + found->second.content);
  return reply;
}

OriginReply FakeS3::Post(const OriginRequest& request, const std::string& key,
                         const std::string& query) {
  if (query != "uploads=") return Complete(request.body, FieldOf(query, "uploadId"));
  const std::string id = "id/" + std::to_string(++begun_) + "+";
  uploads_[id] = {key, request.Header("x-amz-meta-trims-content"), {}};
  return {.body = "<InitiateMultipartUploadResult><UploadId>" + id +
                  "</UploadId></InitiateMultipartUploadResult>"};
}

OriginReply FakeS3::PutPart(const OriginRequest& request, const std::string& query) {
  const auto upload = uploads_.find(FieldOf(query, "uploadId"));
  if (upload == uploads_.end()) return Error(404, "NoSuchUpload");
  upload->second.parts[std::atoi(FieldOf(query, "partNumber").c_str())] = request.body;
  return {.headers = {"ETag: " + EtagOf(request.body)}};
}

OriginReply FakeS3::Complete(const std::string& body, const std::string& id) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return Error(404, "NoSuchUpload");
  std::string expected = "<CompleteMultipartUpload>";
  std::string bytes;
  int number = 0;
  for (const auto& [given, part] : upload->second.parts) {
    if (given != ++number) return Error(400, "InvalidPart");
    const std::string etag = EtagOf(part);
    expected += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>&quot;" +
                etag.substr(1, etag.size() - 2) + "&quot;</ETag></Part>";
    bytes += part;
  }
  if (body != expected + "</CompleteMultipartUpload>") return Error(400, "InvalidPart", "etags");
  objects_[upload->second.key] = {bytes, upload->second.content};
  uploads_.erase(upload);
  return {.body = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"};
}

OriginReply FakeS3::List(const std::string& prefix) const {
  std::string body = "<ListBucketResult><IsTruncated>false</IsTruncated>";
  for (const auto& [key, object] : objects_) {
    if (!key.starts_with(prefix)) continue;
    body += "<Contents><Key>" + PercentEncodeStrictly(key) + "</Key><Size>" +
            std::to_string(object.bytes.size()) + "</Size></Contents>";
  }
  return {.body = body + "</ListBucketResult>"};
}

}  // namespace trims::test

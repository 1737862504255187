// FakeS3: a bucket of the tests' own, on loopback, stricter than a service: what isn't signed, isn't what its
// signature says, or comes out of turn is refused. Faults are a script's.
//
//   FakeS3 s3([](const OriginRequest& request) -> std::optional<OriginReply> { … });
//   s3.endpoint();          // for AWS_ENDPOINT_URL; the bucket is called "bucket"
//   s3.objects()["a/b"];    // what has been put there
//   s3.uploads();           // begun, and neither completed nor aborted
#ifndef TRIMS_TESTS_SUPPORT_FAKE_S3_H_
#define TRIMS_TESTS_SUPPORT_FAKE_S3_H_

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/http_origin.h"

namespace trims::test {

class FakeS3 {
 public:
  struct Object {
    std::string bytes;
    std::string content;  // x-amz-meta-trims-content
  };
  // A reply instead of the bucket's own; nothing: none.
  using Fault = std::function<std::optional<OriginReply>(const OriginRequest&)>;
  // Whether the fault is instead of what was asked for, or only of the answer.
  enum class When { kInstead, kAfter };

  explicit FakeS3(Fault fault = {}, When when = When::kInstead, HttpOrigin::Cut cut = {});

  std::string endpoint() const { return origin_.url(); }
  std::vector<OriginRequest> requests() const { return origin_.requests(); }
  // How many requests of that method have this in their target.
  int Count(const std::string& method, const std::string& within = "") const;

  std::map<std::string, Object> objects() const;
  void Put(const std::string& key, Object object);
  size_t uploads() const;

  // An answer as S3 gives errors.
  static OriginReply Error(int status, const std::string& code, const std::string& words = "words");

 private:
  struct Upload {
    std::string key;
    std::string content;
    std::map<int, std::string> parts;
  };

  OriginReply Serve(const OriginRequest& request);
  OriginReply Answer(const OriginRequest& request);
  OriginReply Post(const OriginRequest& request, const std::string& key, const std::string& query);
  OriginReply PutPart(const OriginRequest& request, const std::string& query);
  OriginReply Complete(const std::string& body, const std::string& id);
  OriginReply List(const std::string& prefix) const;

  const Fault fault_;
  const When when_;
  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  int begun_ = 0;
  HttpOrigin origin_;  // the first to go
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_FAKE_S3_H_

#include "source/s3_answers.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "source/percent.h"
#include "source/xml_walk.h"

namespace trims {
namespace {

constexpr size_t kMaxObjectsOfAnAnswer = 10'000;  // S3 gives 1000
constexpr size_t kMaxTokenBytes = 8 * 1024;

Status BadListing(const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "the list of the bucket's objects: " + what,
                "look what answers at the endpoint: it is no S3");
}

std::string XmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

class ListingReader {
 public:
  Status Visit(const XmlPath& path, std::string_view text) {
    if (path.Is({kRoot, "Contents", "Key"})) return Key(text);
    if (path.Is({kRoot, "Contents", "Size"})) return Size(text);
    if (path.Is({kRoot, "Contents", "ETag"})) object_.etag = text;
    if (path.Is({kRoot, "Contents"})) return EndOfObject();
    if (path.Is({kRoot, "IsTruncated"})) truncated_ = text == "true";
    if (path.Is({kRoot, "NextContinuationToken"})) listing_.continuation = text;
    if (path.Is({kRoot})) is_listing_ = true;
    return Status();
  }

  Result<S3Listing> Finish() {
    if (!is_listing_) return BadListing("expected a ListBucketResult");
    if (!truncated_) listing_.continuation.clear();
    const bool lost = truncated_ && listing_.continuation.empty();
    if (lost || listing_.continuation.size() > kMaxTokenBytes) {
      return BadListing("it is cut off, and doesn't say how to go on");
    }
    return std::move(listing_);
  }

 private:
  static constexpr std::string_view kRoot = "ListBucketResult";

  // Escaped as in a query: "+" is a space.
  Status Key(std::string_view text) {
    std::string escaped(text);
    std::ranges::replace(escaped, '+', ' ');
    if (PercentDecode(escaped, &object_.key) && !object_.key.empty()) return Status();
    return BadListing("a key that is badly escaped");
  }

  Status Size(std::string_view text) {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), object_.length);
    has_size_ = error == std::errc() && end == text.data() + text.size() &&
                object_.length <= kMaxModelBytes;
    return has_size_ ? Status() : BadListing("a size that can't be one");
  }

  Status EndOfObject() {
    const bool whole = has_size_ && !object_.key.empty();
    if (!whole) return BadListing("an object without key or size");
    if (listing_.objects.size() == kMaxObjectsOfAnAnswer)
      return BadListing("more than was asked for");
    listing_.objects.push_back(std::exchange(object_, {}));
    has_size_ = false;
    return Status();
  }

  S3Listing listing_;
  S3Object object_;
  bool has_size_ = false;
  bool truncated_ = false;
  bool is_listing_ = false;
};

}  // namespace

Result<S3Listing> ParseS3Listing(std::string_view xml) {
  ListingReader reader;
  const Status walked = WalkXml(
      xml, [&](const XmlPath& path, std::string_view text) { return reader.Visit(path, text); });
  if (!walked.ok()) return BadListing(walked.message());
  return reader.Finish();
}

Result<std::string> ParseS3UploadId(std::string_view xml) {
  std::string id;
  const Status walked = WalkXml(xml, [&id](const XmlPath& path, std::string_view text) {
    if (path.Is({"InitiateMultipartUploadResult", "UploadId"})) id = text;
    return Status();
  });
  if (walked.ok() && !id.empty() && id.size() <= kMaxTokenBytes) return id;
  return Status(StatusCode::kInvalidArgument,
                "the answer to an upload that begins: " +
                    (walked.ok() ? "expected an UploadId" : walked.message()),
                "look what answers at the endpoint: it is no S3");
}

bool SaysS3Completed(std::string_view xml) {
  bool completed = false;
  const Status walked = WalkXml(xml, [&completed](const XmlPath& path, std::string_view) {
    completed = completed || path.Is({"CompleteMultipartUploadResult"});
    return Status();
  });
  return walked.ok() && completed;
}

std::string S3CompletionXml(const std::vector<std::string>& etags) {
  std::string xml = "<CompleteMultipartUpload>";
  for (size_t i = 0; i < etags.size(); ++i) {
    xml += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
           XmlEscaped(etags[i]) + "</ETag></Part>";
  }
  return xml + "</CompleteMultipartUpload>";
}

S3Error ParseS3Error(std::string_view xml) {
  S3Error error;
  const Status walked = WalkXml(xml, [&](const XmlPath& path, std::string_view text) {
    if (path.Is({"Error", "Code"})) error.code = text;
    if (path.Is({"Error", "Message"})) error.message = text;
    if (path.Is({"Error", "Region"})) error.region = text;
    return Status();
  });
  return walked.ok() ? error : S3Error();
}

}  // namespace trims

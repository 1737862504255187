#include "source/s3_upload.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/macros.h"
#include "base/sha256.h"
#include "source/http_request_of.h"
#include "source/s3_multipart.h"
#include "source/upload_progress.h"
#include "transfer/http_sender.h"

namespace trims {
namespace {

constexpr size_t kDepth = 8;  // of small files; large parts are bounded by their bytes
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr std::string_view kContent = "x-amz-meta-trims-content";

bool SaysDamaged(std::string_view code) {
  constexpr std::array<std::string_view, 3> kDamaged = {"BadDigest", "XAmzContentSHA256Mismatch",
                                                        "XAmzContentChecksumMismatch"};
  return std::ranges::find(kDamaged, code) != kDamaged.end();
}

// What another attempt may mend, though its HTTP status doesn't say so.
bool MayPass(const S3Error& error) {
  return SaysExpired(error) || SaysDamaged(error.code) || error.code == "RequestTimeout" ||
         error.code == "IncompleteBody";
}

// A file that is under way.
struct OpenFile {
  size_t parts() const { return etags.size(); }
  uint64_t BytesOf(size_t part) const {
    return std::min(part_bytes, file->length - part * part_bytes);
  }

  const UploadFile* file = nullptr;
  std::string key;
  std::string uri;
  std::unique_ptr<RandomAccess> bytes;
  std::optional<S3Multipart> multipart;  // none: it goes in one request
  uint64_t part_bytes = 0;
  std::vector<std::string> etags;  // by part; empty: not there yet
  size_t left = 0;
  int refusals = 0;
};
using OpenFilePtr = std::shared_ptr<OpenFile>;

struct Flight {
  OpenFilePtr file;
  size_t part = 0;
  std::vector<std::byte> buffer;
  std::string sha256;
};

uint64_t TotalOf(const std::vector<UploadFile>& files) {
  uint64_t total = 0;
  for (const UploadFile& file : files) total += file.length;
  return total;
}

class Uploader {
 public:
  Uploader(const S3Target& target, const std::vector<UploadFile>& files,
           const UploadOptions& options)
      : target_(target),
        files_(files),
        options_(options),
        progress_(TotalOf(files), options.progress) {}

  Status Run() {
    const Status status = SendAll();
    sender_.reset();  // parts that come after an abort would stay
    return status.ok() ? status : GiveUp(status);
  }

 private:
  Status SendAll();
  Status SendFile(const UploadFile& file);
  bool IsThere(const UploadFile& file, S3Bucket* bucket);
  Result<OpenFilePtr> Open(const UploadFile& file);
  Status MakeRoom(uint64_t bytes);
  Status Drain();
  Status Send(const OpenFilePtr& file, size_t part);
  Status Submit(size_t flight);
  Status Reap();
  Status Refused(size_t flight, const SmallReply& reply);
  Status Completed(const Flight& flight, std::string etag);
  Status Finish(const OpenFilePtr& file);
  Status GiveUp(const Status& why);

  std::string KeyOf(const UploadFile& file) const { return target_.prefix.path + file.name; }
  std::string UriOf(const UploadFile& file) const {
    SourceUri uri = target_.prefix;
    uri.path += file.name;
    return uri.ToString();
  }
  static std::vector<std::string> HeadersOf(const UploadFile& file) {
    return {"Content-Type: application/octet-stream", std::string(kContent) + ": " + file.content};
  }

  const S3Target& target_;
  const std::vector<UploadFile>& files_;
  const UploadOptions& options_;
  UploadProgress progress_;
  uint64_t in_flight_bytes_ = 0;
  std::vector<OpenFilePtr> unfinished_;  // whose parts have to go if they don't become an object
  std::vector<std::optional<Flight>> flights_{kDepth};  // by tag
  std::unique_ptr<HttpSender> sender_;  // the first to go: it reads the flights' buffers
};

Status Uploader::SendAll() {
  TRIMS_ASSIGN_OR_RETURN(sender_, HttpSender::Start({.depth = kDepth,
                                                     .patience = options_.patience,
                                                     .on_sent = [this](size_t tag, uint64_t bytes) {
                                                       progress_.Sent(tag, bytes);
                                                     }}));
  std::optional<CancelToken::Watch> watch;
  if (options_.cancel != nullptr) watch.emplace(options_.cancel, [this] { sender_->Cancel(); });
  for (const UploadFile& file : files_) {
    if (&file == &files_.back()) TRIMS_RETURN_IF_ERROR(Drain());
    TRIMS_RETURN_IF_ERROR(SendFile(file));
  }
  return Drain();
}

Status Uploader::SendFile(const UploadFile& file) {
  const auto there = target_.there.find(file.name);
  if (there != target_.there.end() && there->second == file.length &&
      IsThere(file, target_.bucket)) {
    progress_.AddThere(file.length);
    return Status();
  }
  TRIMS_ASSIGN_OR_RETURN(const OpenFilePtr open, Open(file));
  for (size_t part = 0; part < open->parts(); ++part) TRIMS_RETURN_IF_ERROR(Send(open, part));
  return Status();
}

// False also where nobody knows: then it is sent.
bool Uploader::IsThere(const UploadFile& file, S3Bucket* bucket) {
  const Result<SmallReply> reply =
      bucket->Ask({.method = "HEAD", .url = bucket->UrlOf(KeyOf(file))});
  return reply.ok() && reply->status == 200 && reply->Header(kContent) == file.content &&
         reply->Header("content-length") == std::to_string(file.length);
}

Result<OpenFilePtr> Uploader::Open(const UploadFile& file) {
  auto open = std::make_shared<OpenFile>();
  open->file = &file;
  open->key = KeyOf(file);
  open->uri = UriOf(file);
  open->part_bytes = PartBytesOf(file.length, options_.part_bytes);
  if (open->part_bytes > kUploadMemory) {
    return Status(StatusCode::kTooLarge,
                  "'" + open->uri + "' would have " + std::to_string(file.length) +
                      " bytes, expected at most " +
                      std::to_string(kUploadMemory * kMaxPartsOfUpload) + " of one file",
                  "push into a folder, and copy that");
  }
  TRIMS_ASSIGN_OR_RETURN(open->bytes, file.open());
  if (open->bytes->size() != file.length) {
    return Status(StatusCode::kFailedPrecondition,
                  open->bytes->name() + ": it has " + std::to_string(open->bytes->size()) +
                      " bytes now, and had " + std::to_string(file.length));
  }
  const uint64_t parts = (file.length + open->part_bytes - 1) / open->part_bytes;
  open->etags.resize(std::max<uint64_t>(1, parts));
  open->left = open->parts();
  if (open->parts() == 1) return open;
  TRIMS_ASSIGN_OR_RETURN(S3Multipart multipart,
                         S3Multipart::Begin(target_.bucket, open->key, open->uri, HeadersOf(file)));
  open->multipart.emplace(std::move(multipart));
  unfinished_.push_back(open);
  return open;
}

Status Uploader::MakeRoom(uint64_t bytes) {
  while (sender_->full() ||
         (sender_->in_flight() > 0 && in_flight_bytes_ + bytes > kUploadMemory)) {
    TRIMS_RETURN_IF_ERROR(Reap());
  }
  return Status();
}

Status Uploader::Drain() {
  while (sender_->in_flight() > 0) TRIMS_RETURN_IF_ERROR(Reap());
  return Status();
}

Status Uploader::Send(const OpenFilePtr& file, size_t part) {
  const uint64_t length = file->BytesOf(part);
  TRIMS_RETURN_IF_ERROR(MakeRoom(length));
  if (options_.cancel != nullptr && options_.cancel->cancelled())
    return Status(StatusCode::kCancelled, "the upload was given up");
  Flight flight{.file = file, .part = part, .buffer = std::vector<std::byte>(length), .sha256 = {}};
  if (length > 0)
    TRIMS_RETURN_IF_ERROR(file->bytes->ReadAt(part * file->part_bytes, flight.buffer));
  flight.sha256 = Sha256Hex(flight.buffer);
  in_flight_bytes_ += length;
  const auto free = std::find_if(flights_.begin(), flights_.end(),
                                 [](const auto& place) { return !place.has_value(); });
  free->emplace(std::move(flight));
  return Submit(static_cast<size_t>(free - flights_.begin()));
}

Status Uploader::Submit(size_t flight) {
  const Flight& submitted = *flights_[flight];
  const OpenFile& file = *submitted.file;
  SmallRequest request{.method = "PUT"};
  if (file.multipart) {
    request.url = file.multipart->UrlOfPart(submitted.part);
  } else {
    request.url = target_.bucket->UrlOf(file.key);
    request.headers = HeadersOf(*file.file);
  }
  TRIMS_ASSIGN_OR_RETURN(request.signing, target_.bucket->Signing());
  HttpRequest signed_request = HttpRequestOf(request);
  signed_request.body_sha256 = submitted.sha256;
  sender_->Submit({.request = std::move(signed_request), .body = submitted.buffer, .tag = flight});
  return Status();
}

Status Uploader::Reap() {
  SendDone done = sender_->Wait();
  TRIMS_RETURN_IF_ERROR(done.response.status());
  SmallReply reply{.status = done.response->status,
                   .headers = std::move(done.response->headers),
                   .body = std::move(done.response->body)};
  if (reply.status != 200) return Refused(done.tag, reply);
  const Flight flight = *std::exchange(flights_[done.tag], std::nullopt);
  in_flight_bytes_ -= flight.buffer.size();
  progress_.End(done.tag, flight.buffer.size());
  return Completed(flight, std::string(reply.Header("etag")));
}

Status Uploader::Refused(size_t flight, const SmallReply& reply) {
  OpenFile& file = *flights_[flight]->file;
  const S3Error error = ParseS3Error(reply.body);
  if (MayPass(error) && ++file.refusals <= kMaxRefusals) {
    if (SaysExpired(error)) target_.bucket->Forget();
    return Submit(flight);
  }
  const Status why = target_.bucket->WhyNot(file.uri, reply, S3Bucket::Access::kWrite);
  return SaysDamaged(error.code) ? Status(StatusCode::kDataLoss, why.message(), "try again") : why;
}

Status Uploader::Completed(const Flight& flight, std::string etag) {
  OpenFile& file = *flight.file;
  if (etag.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "'" + file.uri + "': the server took bytes and gave no ETag for them",
                  "look what answers at the endpoint: it is no S3");
  }
  file.etags[flight.part] = std::move(etag);
  return --file.left == 0 ? Finish(flight.file) : Status();
}

Status Uploader::Finish(const OpenFilePtr& file) {
  if (!file->multipart) return Status();
  const Status status = file->multipart->Complete(file->etags);
  const bool lost = status.code() == StatusCode::kNotFound;
  if (!status.ok() && !(lost && IsThere(*file->file, target_.bucket))) return status;
  std::erase(unfinished_, file);
  return Status();
}

Status Uploader::GiveUp(const Status& why) {
  std::string left;
  for (const OpenFilePtr& file : unfinished_) {
    const Status status = file->multipart->Abort(target_.cleanup);
    if (status.ok() || status.code() == StatusCode::kNotFound) continue;
    left += "; parts of '" + file->uri + "' are left there: " + status.message();
  }
  return left.empty() ? why : Status(why.code(), why.message() + left, why.hint());
}

}  // namespace

uint64_t PartBytesOf(uint64_t length, uint64_t least) {
  const uint64_t needed = (length + kMaxPartsOfUpload - 1) / kMaxPartsOfUpload;
  return needed <= least ? least : (needed + kMiB - 1) / kMiB * kMiB;
}

Status UploadToS3(const S3Target& target, const std::vector<UploadFile>& files,
                  const UploadOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(const std::optional<AwsSigning> signing, target.bucket->Signing());
  if (!signing) {
    return Status(StatusCode::kPermissionDenied,
                  "nothing can be pushed to '" + target.prefix.ToString() +
                      "': the daemon has no credentials",
                  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, where it is "
                  "started (docs/sources.md)");
  }
  return Uploader(target, files, options).Run();
}

}  // namespace trims

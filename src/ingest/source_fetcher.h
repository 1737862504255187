// SourceFetcher: brings a model's files from the network to this machine, some models at a time.
//
//   fetcher->Fetch({.uri = uri, .files = download.files(), .partial = download.partial()}, progress,
//                  [](Result<SourceUri> fetched) { … });  // a file:// URL
//
// What lies in the folders already, of an attempt that stopped half-way, is not fetched again while the
// source is what it was. Thread-safety: loop only; callbacks run there, and none once the fetcher is
// gone, which gives up what is under way.
#ifndef TRIMS_INGEST_SOURCE_FETCHER_H_
#define TRIMS_INGEST_SOURCE_FETCHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "ingest/preparer.h"
#include "loop/post_to_loop.h"
#include "source/source_uri.h"

namespace trims {

struct FetchJob {
  SourceUri uri;        // of a network
  std::string files;    // these two are folders of one file system: absolute, there; where the
  std::string partial;  // files come to lie, and where what is not complete lies until then
};

class SourceFetcher {
 public:
  virtual ~SourceFetcher() = default;
  // The folder, or the only file in it, as a file:// source. Errors name the source: NOT_FOUND,
  // PERMISSION_DENIED, UNAVAILABLE, DEADLINE_EXCEEDED, DATA_LOSS: not the bytes that the source says
  // it has; FAILED_PRECONDITION: it changed meanwhile; RESOURCE_EXHAUSTED: the disk is full.
  virtual void Fetch(FetchJob job, Preparer::Progress progress,
                     std::function<void(Result<SourceUri>)> done) = 0;
};

// What does one fetch, on a thread of the fetcher's: blocks, tells how far it is from any thread, and
// gives up (CANCELLED) once it is told to.
struct FetchCalls {
  std::function<void(uint64_t done, uint64_t total)> progress;
  CancelToken* cancel = nullptr;
};
using FetchFiles = std::function<Result<SourceUri>(const FetchJob& job, const FetchCalls& calls)>;

// `threads` fetches at a time; others wait for their turn. RESOURCE_EXHAUSTED: no threads.
Result<std::unique_ptr<SourceFetcher>> MakeSourceFetcher(FetchFiles fetch, int threads,
                                                         PostToLoop post);

}  // namespace trims

#endif  // TRIMS_INGEST_SOURCE_FETCHER_H_

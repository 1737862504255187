// SourceFetcher: brings a model's files from the network to this machine, some models at a time.
//
//   fetcher->Fetch({.uri = uri, .files = download.files(), .partial = download.partial()}, progress,
//                  [](Result<Fetched> fetched) { … });  // fetched->source is a file:// URL
//
// What lies in the folders already, of an attempt that stopped half-way, is not fetched again while the
// source is what it was. Thread-safety: loop only; callbacks run there, and none once the fetcher is
// gone, which gives up what is under way.
#ifndef TRIMS_INGEST_SOURCE_FETCHER_H_
#define TRIMS_INGEST_SOURCE_FETCHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "ingest/landed.h"
#include "ingest/preparer.h"
#include "load/landing_tier.h"
#include "loop/loop_asker.h"
#include "loop/post_to_loop.h"
#include "source/source_uri.h"

namespace trims {

struct FetchJob {
  SourceUri uri;        // of a network
  std::string files;    // these two are folders of one file system: absolute, there; where the
  std::string partial;  // files come to lie, and where what is not complete lies until then
  // A model of one file is wanted as it is: where there is room, it comes into memory, too. nullptr: not
  // asked for.
  LandingTier* landing = nullptr;
};

struct Fetched {
  SourceUri source;                     // the folder, or the only file in it, as a file:// source
  std::shared_ptr<Landed> landed = {};  // that file in memory; nullptr: only on the disk
};

class SourceFetcher {
 public:
  virtual ~SourceFetcher() = default;
  // Errors name the source: NOT_FOUND,
  // PERMISSION_DENIED, UNAVAILABLE, DEADLINE_EXCEEDED, DATA_LOSS: not the bytes that the source says
  // it has; FAILED_PRECONDITION: it changed meanwhile; RESOURCE_EXHAUSTED: the disk is full.
  virtual void Fetch(FetchJob job, Preparer::Progress progress,
                     std::function<void(Result<Fetched>)> done) = 0;
};

// What does one fetch, on a thread of the fetcher's: blocks, tells how far it is from any thread, and
// gives up (CANCELLED) once it is told to.
struct FetchCalls {
  std::function<void(uint64_t done, uint64_t total)> progress;
  CancelToken* cancel = nullptr;
  // Room for so many bytes in the tier that the job names; empty: it names none. Errors as LandingTier::TakeRoom's.
  std::function<Result<SharedLandingRoom>(uint64_t bytes)> take_room = {};
};
using FetchFiles = std::function<Result<Fetched>(const FetchJob& job, const FetchCalls& calls)>;

// `threads` fetches at a time; others wait for their turn. Without an asker nothing comes into memory.
// RESOURCE_EXHAUSTED: no threads.
Result<std::unique_ptr<SourceFetcher>> MakeSourceFetcher(FetchFiles fetch, int threads,
                                                         PostToLoop post,
                                                         std::optional<LoopAsker> asker = {});

}  // namespace trims

#endif  // TRIMS_INGEST_SOURCE_FETCHER_H_

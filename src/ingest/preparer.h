// Preparer: turns a source into prepared variants in a child process, `trims-prepare`, with limits
// on time, memory, files and network: untrusted input never meets a parser inside the daemon.
//
// The child is run as
//   trims-prepare --source PATH --out DIR --variant files,tensors,ort --progress-fd N
// It writes into DIR (which exists, is empty and is the only place it may write): manifest.json,
// and the index and extent files that the manifest names. On descriptor N it writes JSON lines:
// {"stage":"optimise","done":1,"total":3} any number of times, and if it fails
// {"error":{"code":"INVALID_ARGUMENT","message":"…","hint":"…"}} before it exits non-zero. No line
// is longer than 4096 bytes. No --variant: all that the format allows; one that was asked for by
// name and can't be made is an error, otherwise a note in the manifest. With --undigested, which `files` alone can be
// made with, nothing is hashed and the digests in the manifest are zeros: whoever runs it knows them.
#ifndef TRIMS_INGEST_PREPARER_H_
#define TRIMS_INGEST_PREPARER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/granularity.h"
#include "base/prepare_wishes.h"
#include "format/image.h"
#include "format/manifest.h"
#include "ingest/landed.h"
#include "source/source_uri.h"

namespace trims {

struct PrepareJob {
  SourceUri source;        // on this machine
  std::string out_folder;  // absolute, exists, empty
  PrepareWishes wishes;
  // Where `source` was downloaded from and the folder that it lies in. What is prepared takes the files
  // along that it reads, and the manifest names `from`.
  struct Downloaded {
    SourceUri from;
    std::string folder;
  };
  std::optional<Downloaded> downloaded = {};
  // The source is a model that another node has prepared (pushed_folder.h): it is taken as it is, and no
  // child is run.
  bool pushed = false;
  // The source's only file in memory, hashed: nothing of it is read again. Only `files` are wanted then.
  std::shared_ptr<const Landed> landed = {};
  // Whose blocks it may share (share_blocks.h); absent: it is prepared to be whole.
  std::optional<std::vector<ImagePtr>> share_with = {};
  Granularity granularity = Granularity::kModel;  // in which units, then
};

class Preparer {
 public:
  virtual ~Preparer() = default;
  using Progress = std::function<void(std::string_view stage, uint64_t done, uint64_t total)>;
  // OK if it can prepare at all; FAILED_PRECONDITION says what is missing and how to get it.
  virtual Status Ready() const = 0;
  // Both callbacks run on the loop. The manifest has passed ParseManifest, its source is the
  // job's, or where that was downloaded from, and its digests are of what lies there now, not the child's word. DEADLINE_EXCEEDED,
  // RESOURCE_EXHAUSTED: the child met a limit and was killed; whatever the child reported;
  // INTERNAL: it died without a word. What it wrote stays in out_folder; the caller removes it on
  // failure.
  virtual void Prepare(PrepareJob job, Progress progress,
                       std::function<void(Result<Manifest>)> done) = 0;
};

}  // namespace trims

#endif  // TRIMS_INGEST_PREPARER_H_

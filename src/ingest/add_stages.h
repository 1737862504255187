// The stages that an add goes through. Each is a value of its own: the next one is made of it, so that
// what a stage needs is there, and nothing else is.
//
//   Requested → Located → Prepared → Published → CatalogEntry
//
// Dropped at any stage, it leaves nothing on disk: folders belong to the Incoming, then to the pins.
#ifndef TRIMS_INGEST_ADD_STAGES_H_
#define TRIMS_INGEST_ADD_STAGES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/granularity.h"
#include "base/prepare_wishes.h"
#include "catalog/model_reference.h"
#include "format/image.h"
#include "format/manifest.h"
#include "ingest/landed.h"
#include "source/source_uri.h"
#include "store/prepared_store.h"

namespace trims {

// As it was asked for, and checked.
struct Requested {
  ModelReference reference;  // its version is empty: the digest's first digits will be it
  SourceUri source;
  PrepareWishes wishes;
  std::optional<Granularity> granularity = {};  // absent: the daemon's default
};

// The source's bytes are on this machine.
struct Located {
  Requested request;
  SourceUri source;  // symbolic links resolved, but for a single file's own
  std::optional<PreparedStore::Download> download;  // where it came from a network
  bool pushed = false;                              // another node has prepared it
  std::shared_ptr<Landed> landed = {};              // its only file, where that is in memory, too
};

// The preparer has done its part.
struct Prepared {
  ModelReference reference;
  Manifest manifest;  // of the preparer, but for its source
  PreparedStore::Incoming incoming;
  std::optional<PreparedStore::Download> download;  // likewise
  std::shared_ptr<Landed> landed = {};              // likewise
  std::vector<PreparedStore::Pin> borrowed_from = {};
};

// Durable under its last name, and about to be named by the catalog.
struct Published {
  std::string name;
  std::string version;
  PreparedStore::Published prepared;
  std::vector<ImagePtr> kept;                       // of the entry it joins
  std::vector<std::string> old_notes;               // likewise
  std::optional<PreparedStore::Download> download;  // of what it was prepared from
  std::shared_ptr<Landed> landed = {};              // likewise
  std::vector<PreparedStore::Pin> borrowed_from = {};
};

// INVALID_ARGUMENT: `requested` is no name for a new model, or `source` no URL of one. UNIMPLEMENTED: a
// URL of a kind that this release can't read.
Result<Requested> CheckRequested(const std::string& requested, const std::string& source,
                                 const PrepareWishes& wishes);

// Of a source on this machine. NOT_FOUND: there is none; PERMISSION_DENIED: this user may not reach it.
// Blocks.
Result<Located> Locate(Requested request);

}  // namespace trims

#endif  // TRIMS_INGEST_ADD_STAGES_H_

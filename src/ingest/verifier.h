// Verifier: whether what lies on the disk is still what was added; what is not is prepared again, from
// where it came from.
//
// Reads one image after the other on a worker of its own, at the rate that was asked for, and touches
// no resident copy: those are sealed. A damaged image is never served in the meantime, since each load
// verifies it as well.
//
// Thread-safety: loop only. Destroyed, it calls nobody back and what it reads is given up.
#ifndef TRIMS_INGEST_VERIFIER_H_
#define TRIMS_INGEST_VERIFIER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "format/image.h"
#include "ingest/adder.h"
#include "ingest/ingest_dependencies.h"
#include "loop/while_alive.h"
#include "wire/principal.h"

namespace trims {

struct VerifyWishes {
  std::string reference;          // empty: all models
  uint64_t bytes_per_second = 0;  // 0: as fast as it goes
};

enum class VerifiedState : uint8_t {
  kIntact,
  kMended,     // it was damaged; it has been prepared again and is intact
  kDamaged,    // and could not be mended, which the error tells
  kUnread,     // the error tells why
  kElsewhere,  // not on this disk, or no longer, since it was damaged: the next open fetches it
};
std::string_view VerifiedStateName(VerifiedState state);  // "intact", …

struct VerifiedVariant {
  std::string reference;  // "namespace/name:version"
  Variant kind = Variant::kFiles;
  std::string key;
  uint64_t bytes = 0;  // its extents'
  VerifiedState state = VerifiedState::kIntact;
  Status error;
};

using VerifyCallback = std::function<void(Result<std::vector<VerifiedVariant>>)>;

class Verifier {
 public:
  // `adder` outlives it.
  Verifier(const IngestDependencies& dependencies, Adder* adder);
  ~Verifier();

  // Contract of Manager::Verify.
  void Verify(const wire::Principal& principal, const VerifyWishes& wishes,
              Preparer::Progress progress, VerifyCallback done);

  size_t in_flight() const { return run_ == nullptr ? 0 : 1; }

 private:
  struct Run;  // what was asked for, and how far it is

  Status CheckCanVerify(const wire::Principal& principal) const;
  Result<std::deque<ImagePtr>> Targets(const std::string& reference) const;
  // What the catalog has under that reference, kind and key now; nullptr: nothing.
  ImagePtr OwnerOf(const ImagePtr& part) const;
  ImagePtr BorrowerOf(const Image& part) const;
  ImagePtr Current(const Image& image) const;
  void VerifyNext();
  void Read(const ImagePtr& image, std::function<void(Status)> done);
  void TellWhileItReads();
  void HasRead(const ImagePtr& image, const Status& status);
  void Discard(const ImagePtr& image, const Status& damage);
  void Mend(const ImagePtr& image, const Status& damage);
  void HasMended(const ImagePtr& image, const Status& damage);
  void Note(const Image& image, VerifiedState state, const Status& error);

  const IngestDependencies dependencies_;
  Adder* const adder_;
  std::shared_ptr<Run> run_;  // nullptr: none
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_VERIFIER_H_

// DescriptorKeeper: who holds descriptors for a daemon beyond its end: trims-keeper, or the service manager.
//
//   for (KeptDescriptors& kept : keeper->TakeHeld().value()) …      // what the daemon before gave
//   TRIMS_RETURN_IF_ERROR(keeper->Keep(label, fds));
//   TRIMS_RETURN_IF_ERROR(keeper->Drop(label));                     // once it returns nothing keeps their memory
//
// It holds duplicates, until they are dropped. Members wait for the keeper, a few seconds at most. Thread-safety: none.
#ifndef TRIMS_KEEPER_DESCRIPTOR_KEEPER_H_
#define TRIMS_KEEPER_DESCRIPTOR_KEEPER_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

struct KeptDescriptors {
  std::string label;          // as CheckLabel() wants it
  std::vector<UniqueFd> fds;  // in any order; maybe not all that were given
};

class DescriptorKeeper {
 public:
  virtual ~DescriptorKeeper() = default;

  virtual std::string_view name() const = 0;  // "process", "systemd"
  // Once, at the start.
  virtual Result<std::vector<KeptDescriptors>> TakeHeld() = 0;
  // What had that label is dropped. RESOURCE_EXHAUSTED: it holds as much as it may.
  virtual Status Keep(const std::string& label, std::span<const int> fds) = 0;
  // OK where it isn't there.
  virtual Status Drop(const std::string& label) = 0;
  // Nobody comes to take them: drops all.
  virtual Status End() = 0;
};

}  // namespace trims

#endif  // TRIMS_KEEPER_DESCRIPTOR_KEEPER_H_

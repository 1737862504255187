// KeepAlives: how long models outlive their last lease, by an operator's word: of a name, all its
// versions, in every tier of memory, also across restarts. The catalog has it; the tiers are told after each change of that.
//
//   keep_alives.Set(principal, "ocr", "10m", [](const Result<KeptAlive>& kept) { … });
//
// Equal content under several names stays as long as any of them says; of one of which nothing is said, the policy does. Thread-safety: loop only. Ends before the tiers; nobody is
// called back any more then.
#ifndef TRIMS_MANAGER_KEEP_ALIVES_H_
#define TRIMS_MANAGER_KEEP_ALIVES_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "catalog/catalog.h"
#include "events/event.h"
#include "loop/while_alive.h"
#include "manager/choose_tier.h"
#include "manager/snapshot.h"
#include "store/tier_policy.h"
#include "wire/principal.h"

namespace trims {

using KeptAliveCallback = std::function<void(Result<KeptAlive>)>;

class KeepAlives {
 public:
  // All outlive it.
  KeepAlives(Catalog* catalog, const Tiers* tiers, EventSink* events)
      : catalog_(catalog), tiers_(tiers), events_(events) {}
  KeepAlives(const KeepAlives&) = delete;
  KeepAlives& operator=(const KeepAlives&) = delete;

  // `text`: a duration, "forever", "default" (as the tiers' policies have it again), or empty, which changes nothing and
  // which anybody may ask. INVALID_ARGUMENT; NOT_FOUND; PERMISSION_DENIED.
  void Set(const wire::Principal& principal, const std::string& reference, std::string_view text,
           KeptAliveCallback done);
  std::optional<Reclaim> Of(const std::string& name) const;
  // After each change of the catalog.
  void Apply();

 private:
  Result<std::string> NameOf(const std::string& reference, std::string_view text) const;
  std::map<std::string, OwnReclaim> OfContents() const;  // by key
  void AddPolicyOf(const ImagePtr& image, std::map<std::string, OwnReclaim>* by_key) const;
  std::function<void(Status)> Told(KeptAlive kept, KeptAliveCallback done);

  Catalog* const catalog_;
  const Tiers* const tiers_;
  EventSink* const events_;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_KEEP_ALIVES_H_

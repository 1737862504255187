// EventFilter: which events somebody wants to hear of.
//
//   TRIMS_ASSIGN_OR_RETURN(const EventFilter filter, MakeEventFilter("ocr", {"segment", "open.miss"}, /*opens=*/false));
//   if (filter.Wants(event)) …
//
// Pure. Thread-safety: values.
#ifndef TRIMS_EVENTS_EVENT_FILTER_H_
#define TRIMS_EVENTS_EVENT_FILTER_H_

#include <bitset>
#include <span>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "events/event.h"

namespace trims {

class EventFilter {
 public:
  bool WantsKind(EventKind kind) const { return kinds_.test(static_cast<size_t>(kind)); }
  bool Wants(const Event& event) const;
  bool WantsOpens() const;

 private:
  friend Result<EventFilter> MakeEventFilter(std::string_view, std::span<const std::string_view>,
                                             bool);
  std::bitset<kEventKinds> kinds_;
  std::string model_;  // empty: any
};

// `model`: a name or a name and a version; empty: any, and events that are about none. `kinds`: names of kinds, or what stands
// before their dot; none: all but opens, which `opens` adds. INVALID_ARGUMENT: no such kind.
Result<EventFilter> MakeEventFilter(std::string_view model, std::span<const std::string_view> kinds,
                                    bool opens);

}  // namespace trims

#endif  // TRIMS_EVENTS_EVENT_FILTER_H_

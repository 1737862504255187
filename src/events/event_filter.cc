#include "events/event_filter.h"

#include "base/shown_name.h"

namespace trims {
namespace {

constexpr std::string_view kDefaultNamespace = "default/";

EventKind KindAt(size_t index) { return static_cast<EventKind>(index); }

std::string_view GroupOf(std::string_view kind) { return kind.substr(0, kind.find('.')); }

std::string GroupNames() {
  std::string names;
  for (size_t i = 0; i < kEventKinds; ++i) {
    const std::string group(GroupOf(EventKindName(KindAt(i))));
    if (!names.ends_with(group)) names += (names.empty() ? "" : ", ") + group;
  }
  return names;
}

bool IsOf(std::string_view reference, std::string_view model) {
  return reference.starts_with(model) &&
         (reference.size() == model.size() || reference[model.size()] == ':');
}

}  // namespace

bool EventFilter::Wants(const Event& event) const {
  if (!WantsKind(event.kind)) return false;
  return model_.empty() || IsOf(event.model, model_) || IsOf(event.alias, model_);
}

bool EventFilter::WantsOpens() const {
  for (size_t i = 0; i < kEventKinds; ++i) {
    if (IsOpen(KindAt(i)) && kinds_.test(i)) return true;
  }
  return false;
}

Result<EventFilter> MakeEventFilter(std::string_view model, std::span<const std::string_view> kinds,
                                    bool opens) {
  EventFilter filter;
  if (!model.empty()) {
    filter.model_ = model.find('/') == std::string_view::npos ? kDefaultNamespace : "";
    filter.model_ += model;
  }
  for (size_t i = 0; i < kEventKinds; ++i) {
    filter.kinds_.set(i, IsOpen(KindAt(i)) ? opens : kinds.empty());
  }
  for (const std::string_view wanted : kinds) {
    bool known = false;
    for (size_t i = 0; i < kEventKinds; ++i) {
      const std::string_view name = EventKindName(KindAt(i));
      if (wanted != name && wanted != GroupOf(name)) continue;
      filter.kinds_.set(i);
      known = true;
    }
    if (known) continue;
    return Status(StatusCode::kInvalidArgument,
                  "there are no events of kind '" + ShownName(wanted) + "'",
                  "one of " + GroupNames() + ", or a kind like segment.evicted (docs/events.md)");
  }
  return filter;
}

}  // namespace trims

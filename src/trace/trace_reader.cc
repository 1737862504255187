#include "trace/trace_reader.h"

#include <istream>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/shown_name.h"

namespace trims {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostLevels = 32;       // of an event
constexpr size_t kMostOtherLevels = 64;  // of what is passed over

// The parser's calls: finds the array of events, and puts one event at a time together.
class Events {
 public:
  Events(TraceSource* source, const OnTraceEvent& on_event)
      : source_(*source), on_event_(on_event) {}

  uint64_t count() const { return count_; }
  bool in_array() const { return place_ == Place::kArray; }
  bool found_array() const { return found_array_; }
  const Status& status() const { return status_; }
  const std::string& error() const { return error_; }

  bool null() { return Value(nullptr, "null"); }
  bool boolean(bool value) { return Value(value, "a boolean"); }
  bool number_integer(int64_t value) { return Value(value, "a number"); }
  bool number_unsigned(uint64_t value) { return Value(value, "a number"); }
  bool number_float(double value, const std::string&) { return Value(value, "a number"); }
  bool string(std::string& value) { return Value(std::move(value), "a text"); }
  bool binary(Json::binary_t&) { return Value(nullptr, "bytes"); }
  bool start_object(size_t) { return Begin(Json::object()); }
  bool start_array(size_t) { return Begin(Json::array()); }
  bool end_object() { return End(); }
  bool end_array() { return End(); }

  bool key(std::string& key) {
    if (!open_.empty()) {
      key_ = std::move(key);
    } else if (place_ == Place::kRoot) {
      takes_array_ = key == "traceEvents";
      source_.Mark();
    }
    return true;
  }
  bool parse_error(size_t, const std::string&, const Json::exception& error) {
    error_ = error.what();
    return false;
  }

 private:
  // kOther: within a field of the root that is none of ours.
  enum class Place { kBefore, kRoot, kArray, kOther, kAfter };

  bool Fail(StatusCode code, const std::string& what) {
    status_ = Status(code, what, "name Chrome traces, such as trims trace record writes");
    return false;
  }

  template <typename Scalar>
  bool Value(Scalar&& value, const char* what) {
    if (!open_.empty()) {
      Put(std::forward<Scalar>(value));
      return true;
    }
    if (place_ == Place::kBefore)
      return Fail(StatusCode::kInvalidArgument, std::string("it is ") + what);
    if (place_ == Place::kArray) {
      return Fail(StatusCode::kInvalidArgument,
                  "element " + std::to_string(count_) + " is " + what + ", expected an event");
    }
    source_.Mark();
    return true;
  }

  Json* Put(Json value) {
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(parent[key_] = std::move(value));
  }

  bool Begin(Json container) {
    if (!open_.empty()) {
      if (open_.size() == kMostLevels) {
        return Fail(StatusCode::kTooLarge, "element " + std::to_string(count_) +
                                               " is deeper than " + std::to_string(kMostLevels) +
                                               " levels");
      }
      open_.push_back(Put(std::move(container)));
      return true;
    }
    return BeginOutside(std::move(container));
  }

  bool BeginOutside(Json container) {
    const bool array = container.is_array();
    switch (place_) {
      case Place::kBefore:
        place_ = array ? Place::kArray : Place::kRoot;
        found_array_ = array;
        return true;
      case Place::kRoot:
        return BeginField(array);
      case Place::kArray:
        if (array) return Value(nullptr, "an array");
        event_ = std::move(container);
        open_.push_back(&event_);
        return true;
      case Place::kOther:
      case Place::kAfter:
        if (++other_levels_ > kMostOtherLevels)
          return Fail(StatusCode::kTooLarge, "it is deeper than any trace");
    }
    return true;
  }

  bool BeginField(bool array) {
    if (takes_array_ && array) {
      within_root_ = found_array_ = true;
      place_ = Place::kArray;
      return true;
    }
    place_ = Place::kOther;
    other_levels_ = 1;
    return true;
  }

  bool End() {
    if (!open_.empty()) {
      open_.pop_back();
      return !open_.empty() || Deliver();
    }
    source_.Mark();
    if (place_ == Place::kArray) {
      place_ = within_root_ ? Place::kRoot : Place::kAfter;
      takes_array_ = false;
    } else if (place_ == Place::kOther && --other_levels_ == 0) {
      place_ = Place::kRoot;
    } else if (place_ == Place::kRoot) {
      place_ = Place::kAfter;
    }
    return true;
  }

  bool Deliver() {
    const auto phase = event_.find("ph");
    if (phase == event_.end() || !phase->is_string()) {
      return Fail(StatusCode::kInvalidArgument,
                  "element " + std::to_string(count_) + " has no \"ph\", as each event has");
    }
    ++count_;
    status_ = on_event_(std::move(event_));
    source_.Mark();
    return status_.ok();
  }

  TraceSource& source_;
  const OnTraceEvent& on_event_;
  Place place_ = Place::kBefore;
  bool takes_array_ = false;  // the root's field that comes is traceEvents
  bool within_root_ = false;
  bool found_array_ = false;
  size_t other_levels_ = 0;
  uint64_t count_ = 0;
  Json event_;
  std::vector<Json*> open_;  // its containers that have not ended, the outermost first
  std::string key_;
  Status status_;
  std::string error_;
};

Status NoTrace(const std::string& name, const std::string& what) {
  return Status(StatusCode::kInvalidArgument,
                "'" + ShownName(name) + "' is no Chrome trace: " + what,
                "name Chrome traces, such as trims trace record writes");
}

// What the parser says without its name and number.
std::string WordsOf(const std::string& error) {
  const size_t at = error.find("] ");
  return ShownName(at == std::string::npos ? error : error.substr(at + 2));
}

}  // namespace

Result<TraceRead> ReadTrace(TraceSource* source, const std::string& name,
                            const OnTraceEvent& on_event) {
  std::istream in(source);
  Events events(source, on_event);
  const bool whole = Json::sax_parse(in, &events);
  TRIMS_RETURN_IF_ERROR(source->status());
  const Status& told = events.status();
  if (!told.ok()) {
    return Status(told.code(), "'" + ShownName(name) + "': " + told.message(), told.hint());
  }
  if (source->too_long()) {
    return Status(StatusCode::kTooLarge, "'" + ShownName(name) + "': element " +
                                             std::to_string(events.count()) + " has more than " +
                                             std::to_string(TraceSource::kMostBetweenMarks) +
                                             " bytes");
  }
  if (whole && events.found_array()) return TraceRead{.events = events.count()};
  if (whole) return NoTrace(name, "an object without traceEvents");
  // A writer that was killed.
  if (events.in_array() && source->at_end()) return TraceRead{events.count(), /*cut_off=*/true};
  return NoTrace(name, WordsOf(events.error()));
}

Result<TraceRead> ReadTrace(const std::string& path, const OnTraceEvent& on_event) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<TraceSource> source, TraceSource::Open(path));
  return ReadTrace(source.get(), path, on_event);
}

}  // namespace trims

// ReadTrace: the events of a Chrome trace, one after the other, whoever wrote it.
//
//   TRIMS_ASSIGN_OR_RETURN(const TraceRead read, ReadTrace(path, [&](Json event) { summary.Add(event); return Status(); }));
//   if (read.cut_off) …   // its writer was killed
//
// Reads the array form, with its ']' or without, and the object form ("traceEvents"). The file may be of any length and come from
// anybody: one event is in memory at a time, of at most about a megabyte and 32 levels. Thread-safety: safe.
#ifndef TRIMS_TRACE_TRACE_READER_H_
#define TRIMS_TRACE_TRACE_READER_H_

#include <cstdint>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "trims/status.h"

#include "trace/trace_source.h"

namespace trims {

struct TraceRead {
  uint64_t events = 0;
  bool cut_off = false;  // it ends within the array
};

// An event is an object with a "ph". A status that is not OK ends the reading and is returned.
using OnTraceEvent = std::function<Status(nlohmann::json event)>;

// INVALID_ARGUMENT: no trace, and what was found in its place; TOO_LARGE: an event; what Open says.
Result<TraceRead> ReadTrace(const std::string& path, const OnTraceEvent& on_event);
// `name` is for messages.
Result<TraceRead> ReadTrace(TraceSource* source, const std::string& name,
                            const OnTraceEvent& on_event);

}  // namespace trims

#endif  // TRIMS_TRACE_TRACE_READER_H_

// Copies, streams and events.
#include <algorithm>
#include <cstring>

#include "standin/standin_driver.h"

using namespace standin;  // NOLINT: its calls are C's

namespace {

template <typename Part>
const Part* PartOf(const std::map<DevicePointer, Part>& parts, DevicePointer at, size_t bytes) {
  auto next = parts.upper_bound(at);
  if (next == parts.begin()) return nullptr;
  const auto& [start, one] = *--next;
  return at - start <= one.bytes && bytes <= one.bytes - (at - start) ? &one : nullptr;
}

// What may be done with all of these bytes of a device; 0: they aren't one's.
unsigned AccessTo(DevicePointer at, size_t bytes) {
  if (PartOf(The().linear, at, bytes) != nullptr) return kAccessReadWrite;
  const MappedAt* mapping = PartOf(The().mapped, at, bytes);
  return mapping == nullptr ? 0 : mapping->access;
}

bool Move(const Copy& copy) {
  const bool from_device = AccessTo(reinterpret_cast<DevicePointer>(copy.from), copy.bytes) != 0;
  if (!from_device && !IsReadable(copy.from, copy.bytes)) return false;
  if (AccessTo(copy.to, copy.bytes) != kAccessReadWrite) return false;
  std::memcpy(reinterpret_cast<void*>(copy.to), copy.from, copy.bytes);
  if (RegistrationOf(reinterpret_cast<uintptr_t>(copy.from), copy.bytes) != nullptr)
    The().direct_bytes += copy.bytes;
  return true;
}

// They are gone from the stream.
void Forget(StreamOf* stream, size_t count) {
  stream->waiting.erase(stream->waiting.begin(),
                        stream->waiting.begin() + static_cast<ptrdiff_t>(count));
  for (EventOf* event : The().events) {
    if (event->stream == stream) event->covers -= std::min(event->covers, count);
  }
}

// An error: what was to be copied, or its place, is no longer there.
Result_ Run(StreamOf* stream, size_t count) {
  bool moved = true;
  for (size_t i = 0; i < count; ++i) moved = Move(stream->waiting[i]) && moved;
  Forget(stream, count);
  return moved ? kSuccess : kIllegalAddress;
}

}  // namespace

STANDIN Result_ cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes,
                                     Stream_ stream) {
  BEGIN("cuMemcpyHtoDAsync");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (current.empty()) return kInvalidContext;
  if (!The().streams.contains(queue)) return kInvalidHandle;
  if (AccessTo(to, bytes) != kAccessReadWrite) return kInvalidValue;
  if (!IsReadable(from, bytes)) return kInvalidValue;
  queue->waiting.push_back({.to = to, .from = from, .bytes = bytes});
  return kSuccess;
}

STANDIN Result_ cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes,
                                     Stream_ stream) {
  BEGIN("cuMemcpyDtoDAsync");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (current.empty()) return kInvalidContext;
  if (!The().streams.contains(queue)) return kInvalidHandle;
  if (AccessTo(to, bytes) != kAccessReadWrite || AccessTo(from, bytes) == 0) return kInvalidValue;
  queue->waiting.push_back({.to = to, .from = reinterpret_cast<const void*>(from), .bytes = bytes});
  return kSuccess;
}

STANDIN Result_ cuMemcpyDtoH_v2(void* to, DevicePointer from, size_t bytes) {
  BEGIN("cuMemcpyDtoH");
  if (current.empty()) return kInvalidContext;
  if (AccessTo(from, bytes) == 0) return kInvalidValue;
  const Registered* registered = RegistrationOf(reinterpret_cast<uintptr_t>(to), bytes);
  if (registered != nullptr && registered->read_only) return kInvalidValue;
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return kSuccess;
}

STANDIN Result_ cuStreamCreate(Stream_* stream, unsigned flags) {
  BEGIN("cuStreamCreate");
  if (current.empty()) return kInvalidContext;
  if (flags > kStreamNonBlocking) return kInvalidValue;
  auto* const made = new StreamOf;
  The().streams.insert(made);
  *stream = reinterpret_cast<Stream_>(made);
  return kSuccess;
}

STANDIN Result_ cuStreamDestroy_v2(Stream_ stream) {
  BEGIN("cuStreamDestroy");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (The().streams.erase(queue) == 0) return kInvalidHandle;
  delete queue;
  return kSuccess;
}

STANDIN Result_ cuStreamSynchronize(Stream_ stream) {
  const std::lock_guard<std::mutex> lock(The().mutex);
  if (!The().initialized) return kNotInitialized;
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (!The().streams.contains(queue)) return kInvalidHandle;
  const Result_ ordered = Ordered("cuStreamSynchronize");
  if (ordered == kSuccess) return Run(queue, queue->waiting.size());
  Forget(queue,
         queue->waiting.size());  // as where the device is lost: nothing waits, nothing arrives
  return ordered;
}

STANDIN Result_ cuEventCreate(Event_* event, unsigned flags) {
  BEGIN("cuEventCreate");
  if (current.empty()) return kInvalidContext;
  if ((flags & ~(kEventDisableTiming | kEventBlockingSync)) != 0) return kInvalidValue;
  auto* const made = new EventOf;
  The().events.insert(made);
  *event = reinterpret_cast<Event_>(made);
  return kSuccess;
}

STANDIN Result_ cuEventDestroy_v2(Event_ event) {
  BEGIN("cuEventDestroy");
  auto* const one = reinterpret_cast<EventOf*>(event);
  if (The().events.erase(one) == 0) return kInvalidHandle;
  delete one;
  return kSuccess;
}

STANDIN Result_ cuEventRecord(Event_ event, Stream_ stream) {
  BEGIN("cuEventRecord");
  auto* const one = reinterpret_cast<EventOf*>(event);
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (!The().events.contains(one) || !The().streams.contains(queue)) return kInvalidHandle;
  one->stream = queue;
  one->covers = queue->waiting.size();
  return kSuccess;
}

STANDIN Result_ cuEventSynchronize(Event_ event) {
  BEGIN("cuEventSynchronize");
  auto* const one = reinterpret_cast<EventOf*>(event);
  if (!The().events.contains(one)) return kInvalidHandle;
  if (one->stream != nullptr && one->covers > 0) return Run(one->stream, one->covers);
  return kSuccess;
}

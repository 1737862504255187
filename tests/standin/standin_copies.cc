// Pinned memory, copies, streams and events.
#include <algorithm>
#include <cstring>
#include <new>

#include "standin/standin_driver.h"

using namespace standin;  // NOLINT: its calls are C's

namespace {

// The mapping that holds all of these bytes.
const MappedAt* MappingOf(DevicePointer at, size_t bytes) {
  auto next = The().mapped.upper_bound(at);
  if (next == The().mapped.begin()) return nullptr;
  const auto& [start, one] = *--next;
  return at - start <= one.bytes && bytes <= one.bytes - (at - start) ? &one : nullptr;
}

void Run(StreamOf* stream, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const Copy& copy = stream->waiting[i];
    std::memcpy(reinterpret_cast<void*>(copy.to), copy.from, copy.bytes);
  }
  stream->waiting.erase(stream->waiting.begin(),
                        stream->waiting.begin() + static_cast<ptrdiff_t>(count));
  for (EventOf* event : The().events) {
    if (event->stream == stream) event->covers -= std::min(event->covers, count);
  }
}

}  // namespace

STANDIN Result_ cuMemHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  BEGIN("cuMemHostAlloc");
  if (current.empty()) return kInvalidContext;
  if (bytes == 0 || flags != 0) return kInvalidValue;
  *pointer = ::operator new(bytes);
  The().pinned[*pointer] = bytes;
  return kSuccess;
}

STANDIN Result_ cuMemFreeHost(void* pointer) {
  BEGIN("cuMemFreeHost");
  const auto found = The().pinned.find(pointer);
  if (found == The().pinned.end()) return kInvalidValue;
  ::operator delete(pointer);
  The().pinned.erase(found);
  return kSuccess;
}

STANDIN Result_ cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes,
                                     Stream_ stream) {
  BEGIN("cuMemcpyHtoDAsync");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (current.empty()) return kInvalidContext;
  if (!The().streams.contains(queue)) return kInvalidHandle;
  const MappedAt* mapping = MappingOf(to, bytes);
  if (mapping == nullptr || mapping->access != kAccessReadWrite) return kInvalidValue;
  auto buffer = The().pinned.upper_bound(const_cast<void*>(from));
  if (buffer == The().pinned.begin()) return kInvalidValue;
  --buffer;
  const auto offset =
      static_cast<size_t>(static_cast<const char*>(from) - static_cast<const char*>(buffer->first));
  if (offset > buffer->second || bytes > buffer->second - offset) return kInvalidValue;
  queue->waiting.push_back({.to = to, .from = from, .bytes = bytes});
  return kSuccess;
}

STANDIN Result_ cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes,
                                     Stream_ stream) {
  BEGIN("cuMemcpyDtoDAsync");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (current.empty()) return kInvalidContext;
  if (!The().streams.contains(queue)) return kInvalidHandle;
  const MappedAt* target = MappingOf(to, bytes);
  const MappedAt* source = MappingOf(from, bytes);
  if (target == nullptr || target->access != kAccessReadWrite) return kInvalidValue;
  if (source == nullptr || source->access == 0) return kInvalidValue;
  queue->waiting.push_back({.to = to, .from = reinterpret_cast<const void*>(from), .bytes = bytes});
  return kSuccess;
}

STANDIN Result_ cuMemcpyDtoH_v2(void* to, DevicePointer from, size_t bytes) {
  BEGIN("cuMemcpyDtoH");
  if (current.empty()) return kInvalidContext;
  const MappedAt* mapping = MappingOf(from, bytes);
  if (mapping == nullptr || mapping->access == 0) return kInvalidValue;
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
  BEGIN("cuStreamSynchronize");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (!The().streams.contains(queue)) return kInvalidHandle;
  Run(queue, queue->waiting.size());
  return kSuccess;
}

STANDIN Result_ cuEventCreate(Event_* event, unsigned flags) {
  BEGIN("cuEventCreate");
  if (current.empty()) return kInvalidContext;
  if (flags != 0 && flags != kEventDisableTiming) return kInvalidValue;
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
  if (one->stream != nullptr && one->covers > 0) Run(one->stream, one->covers);
  return kSuccess;
}

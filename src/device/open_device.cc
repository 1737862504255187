#include "device/open_device.h"

#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "base/byte_size.h"
#include "base/macros.h"

namespace trims {
namespace {

constexpr uint64_t kUsualCapacity = uint64_t{4} << 30;
constexpr int kMostDevices = 64;

Status BadDevice(std::string_view text, const std::string& why) {
  return Status(
      StatusCode::kInvalidArgument, "device '" + std::string(text) + "': " + why,
      "such as cuda:0, or sim:0,capacity=8GiB,link=12GB,peer=50GB,latency=10us,granularity=2MiB");
}

// What is before the first `separator`; `text` is what is behind it.
std::string_view Take(std::string_view* text, char separator) {
  const size_t end = std::min(text->find(separator), text->size());
  const std::string_view taken = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return taken;
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

Status ParseLatency(std::string_view text, std::chrono::microseconds* latency) {
  uint32_t count = 0;
  if (!text.ends_with("us") || !ParseNumber(text.substr(0, text.size() - 2), &count)) {
    return Status(StatusCode::kInvalidArgument,
                  "latency '" + std::string(text) + "': expected microseconds, such as 10us");
  }
  *latency = std::chrono::microseconds(count);
  return Status();
}

Status ParseSetting(std::string_view key, std::string_view value, SimDeviceOptions* options) {
  if (key == "latency") return ParseLatency(value, &options->link.latency);
  if (key == "peer") {
    const bool none = value == "none";
    options->peers = none ? SimDeviceOptions::Peers::kNone : SimDeviceOptions::Peers::kByOwnLink;
    if (none) return Status();
  }
  uint64_t* const bytes = key == "capacity"      ? &options->capacity
                          : key == "granularity" ? &options->granularity
                          : key == "link"        ? &options->link.bytes_per_second
                          : key == "peer"        ? &options->peer_bytes_per_second
                                                 : nullptr;
  if (bytes == nullptr) {
    return Status(
        StatusCode::kInvalidArgument,
        "'" + std::string(key) + "': expected capacity, granularity, link, peer or latency");
  }
  TRIMS_ASSIGN_OR_RETURN(*bytes, ParseByteSize(value));
  return Status();
}

Status ParseSetting(std::string_view key, std::string_view value, CudaDeviceOptions* options) {
  const std::string said = "'" + std::string(key) + "=" + std::string(value) + "'";
  if (key == "export") {
    if (value != "vmm" && value != "ipc")
      return Status(StatusCode::kInvalidArgument, said + ": expected export=vmm or export=ipc");
    options->way = value == "ipc" ? CudaExport::kIpc : CudaExport::kVirtualMemory;
    return Status();
  }
  if (key != "driver" || !value.starts_with('/')) {
    return Status(StatusCode::kInvalidArgument,
                  said + ": expected driver= and an absolute path, or export=vmm or ipc");
  }
  options->driver = value;
  return Status();
}

template <typename Options>
Result<DeviceOptions> ParseSettings(std::string_view text, std::string_view settings,
                                    Options options) {
  while (!settings.empty()) {
    std::string_view value = Take(&settings, ',');
    const std::string_view key = Take(&value, '=');
    if (Status status = ParseSetting(key, value, &options); !status.ok()) {
      return BadDevice(text, status.message());
    }
  }
  return DeviceOptions(options);
}

}  // namespace

Result<DeviceOptions> ParseDevice(std::string_view text) {
  std::string_view settings = text;
  std::string_view name = Take(&settings, ',');
  const std::string_view kind = Take(&name, ':');
  if (kind != "sim" && kind != "cuda")
    return BadDevice(text, "expected 'sim' or 'cuda', and a number");
  int number = 0;
  if (!ParseNumber(name, &number) || number < 0 || number >= kMostDevices) {
    return BadDevice(text, "expected a number below " + std::to_string(kMostDevices) + " behind '" +
                               std::string(kind) + ":'");
  }
  if (kind == "cuda") return ParseSettings(text, settings, CudaDeviceOptions{.ordinal = number});
  return ParseSettings(text, settings,
                       SimDeviceOptions{.number = number, .capacity = kUsualCapacity});
}

Result<std::unique_ptr<Device>> OpenDevice(std::string_view text) {
  TRIMS_ASSIGN_OR_RETURN(const DeviceOptions options, ParseDevice(text));
  if (const auto* cuda = std::get_if<CudaDeviceOptions>(&options)) return MakeCudaDevice(*cuda);
  return MakeSimDevice(std::get<SimDeviceOptions>(options));
}

}  // namespace trims

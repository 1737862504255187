// bench_device: what only a device's driver can tell, of a GPU or its stand-in.
//
//   bench_device check SOCKET MODEL VARIANT TIER    whether the bytes in TIER are those in the host tier
//   bench_device copy BYTES REPETITIONS             plain copies from pinned memory, the reference of a load
//
// TRIMS_CUDA_LIBRARY names the driver's library. "check" prints {"bytes", "same"}, "copy" {"ns": […]}. A simulated
// device's bytes are compared by the processor.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "base/macros.h"
#include "common/timing.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"

namespace trims::bench {
namespace {

constexpr size_t kPart = size_t{64} << 20;

Result<const cuda::Api*> Driver() {
  const char* library = std::getenv("TRIMS_CUDA_LIBRARY");
  return cuda::LoadDriver(library == nullptr ? "" : library);
}

Result<bool> SameOnGpu(const Model& host, const Model& device) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::Api* const api, Driver());
  TRIMS_ASSIGN_OR_RETURN(const cuda::Context context,
                         cuda::Context::OfOrdinal(api, device.info().device_ordinal));
  const cuda::Current current(context);
  std::vector<std::byte> part(kPart);
  for (size_t i = 0; i < host.tensor_count(); ++i) {
    std::span<const std::byte> wanted = host.tensor(i).bytes;
    auto from = reinterpret_cast<cuda::DevicePointer>(device.tensor(i).bytes.data());
    while (!wanted.empty()) {
      const size_t length = std::min(kPart, wanted.size());
      TRIMS_RETURN_IF_ERROR(
          cuda::Check(*api, api->MemcpyDtoH(part.data(), from, length), "cuMemcpyDtoH"));
      if (std::memcmp(part.data(), wanted.data(), length) != 0) return false;
      wanted = wanted.subspan(length);
      from += length;
    }
  }
  return true;
}

bool SameHere(const Model& host, const Model& device) {
  for (size_t i = 0; i < host.tensor_count(); ++i) {
    const std::span<const std::byte> wanted = host.tensor(i).bytes;
    if (std::memcmp(wanted.data(), device.tensor(i).bytes.data(), wanted.size()) != 0) return false;
  }
  return true;
}

Status CheckBytes(const std::vector<std::string>& arguments) {
  TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect({.socket_path = arguments[1]}));
  TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantFromName(arguments[3]));
  TRIMS_ASSIGN_OR_RETURN(const Model host, client.Open(arguments[2], {.variant = variant}));
  TRIMS_ASSIGN_OR_RETURN(const Model device,
                         client.Open(arguments[2], {.variant = variant, .tier = arguments[4]}));
  bool same = false;
  if (device.info().memory == HandleKind::kCudaDevice) {
    TRIMS_ASSIGN_OR_RETURN(same, SameOnGpu(host, device));
  } else {
    same = SameHere(host, device);
  }
  std::printf("%s\n",
              nlohmann::json{{"bytes", host.bytes().size()}, {"same", same}}.dump().c_str());
  return Status();
}

Status Copy(size_t bytes, int repetitions) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::Api* const api, Driver());
  TRIMS_ASSIGN_OR_RETURN(const cuda::Context context, cuda::Context::OfOrdinal(api, 0));
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(const size_t granularity, context.ReadGranularity());
  TRIMS_ASSIGN_OR_RETURN(const cuda::Allocation memory,
                         cuda::Allocation::Create(context, bytes, granularity));
  TRIMS_ASSIGN_OR_RETURN(cuda::Range range,
                         cuda::Range::Reserve(context, memory.bytes(), granularity));
  TRIMS_RETURN_IF_ERROR(range.Map(memory, 0, cuda::kAccessReadWrite));
  void* pinned = nullptr;
  TRIMS_RETURN_IF_ERROR(cuda::Check(*api, api->MemHostAlloc(&pinned, bytes, 0), "cuMemHostAlloc"));
  std::memset(pinned, 1, bytes);
  cuda::Stream_ stream = nullptr;
  TRIMS_RETURN_IF_ERROR(
      cuda::Check(*api, api->StreamCreate(&stream, cuda::kStreamNonBlocking), "cuStreamCreate"));
  std::vector<int64_t> took;
  for (int i = 0; i < repetitions; ++i) {
    const int64_t begin = NowNs();
    TRIMS_RETURN_IF_ERROR(cuda::Check(
        *api, api->MemcpyHtoDAsync(range.pointer(), pinned, bytes, stream), "cuMemcpyHtoDAsync"));
    TRIMS_RETURN_IF_ERROR(cuda::Check(*api, api->StreamSynchronize(stream), "cuStreamSynchronize"));
    took.push_back(NowNs() - begin);
  }
  std::printf("%s\n", nlohmann::json{{"ns", took}}.dump().c_str());
  return Status();
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  trims::Status status(trims::StatusCode::kInvalidArgument, "see the first lines of its source");
  if (arguments.size() == 5 && arguments[0] == "check")
    status = trims::bench::CheckBytes(arguments);
  if (arguments.size() == 3 && arguments[0] == "copy")
    status = trims::bench::Copy(std::strtoull(arguments[1].c_str(), nullptr, 10),
                                std::atoi(arguments[2].c_str()));
  if (!status.ok()) std::fprintf(stderr, "bench_device: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

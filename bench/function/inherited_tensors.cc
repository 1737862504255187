// The named form for nothing: a graph and its weights, as tensors by name, over inherited descriptors. Models beyond 2 GB have no other.
#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/unique_fd.h"
#include "function/sources.h"

namespace trims::bench {
namespace {

using Layout = nlohmann::json;

struct InheritedTensors {
  Mapping bytes;
  std::vector<Ort::Value> initializers;
  Ort::Session session{nullptr};
};

Result<uint64_t> SizeOf(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("fstat of an inherited descriptor");
  return static_cast<uint64_t>(info.st_size);
}

Result<Layout> ReadLayout(int fd) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t size, SizeOf(fd));
  TRIMS_ASSIGN_OR_RETURN(const Mapping text, Mapping::OfFile(fd, size, PROT_READ));
  const auto* begin = reinterpret_cast<const char*>(text.data());
  return Layout::parse(begin, begin + size);  // the parent wrote it
}

// Each extent at the next multiple of 2 MiB, as libtrims has them.
Result<Mapping> MapExtents(const std::vector<int>& extents) {
  std::vector<uint64_t> sizes;
  uint64_t total = 0;
  for (const int fd : extents) {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t size, SizeOf(fd));
    sizes.push_back(size);
    total += AlignUp(size, kHugePageSize);
  }
  TRIMS_ASSIGN_OR_RETURN(Mapping range, Mapping::Reserve(total, kHugePageSize));
  uint64_t offset = 0;
  for (size_t i = 0; i < extents.size(); ++i) {
    TRIMS_RETURN_IF_ERROR(range.MapInto(offset, sizes[i], extents[i], PROT_READ));
    offset += AlignUp(sizes[i], kHugePageSize);
  }
  return range;
}

void AddTensors(const Layout& tensors, InheritedTensors& held, Ort::SessionOptions& options) {
  const Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  held.initializers.reserve(tensors.size());
  for (const Layout& tensor : tensors) {
    const std::vector<int64_t> shape = tensor.at(1);
    std::byte* const data = held.bytes.data() + tensor.at(2).get<uint64_t>();
    held.initializers.push_back(
        Ort::Value::CreateTensor(memory, data, tensor.at(3).get<size_t>(), shape.data(),
                                 shape.size(), tensor.at(4).get<ONNXTensorElementDataType>()));
    options.AddInitializer(tensor.at(0).get<std::string>().c_str(), held.initializers.back());
  }
}

}  // namespace

Result<Function> FromInheritedTensors(const Place& place,
                                      const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) return Status(StatusCode::kInvalidArgument, "ideal named LAYOUT FD…");
  TRIMS_ASSIGN_OR_RETURN(const Layout layout, ReadLayout(std::atoi(arguments[1].c_str())));
  std::vector<int> extents;
  for (size_t i = 2; i < arguments.size(); ++i) extents.push_back(std::atoi(arguments[i].c_str()));
  auto held = std::make_shared<InheritedTensors>();
  TRIMS_ASSIGN_OR_RETURN(held->bytes, MapExtents(extents));
  Ort::SessionOptions options;  // as the adapter's
  options.SetIntraOpNumThreads(place.threads);
  options.SetInterOpNumThreads(1);
  options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  options.AddConfigEntry("session.disable_prepacking", place.packing ? "0" : "1");
  options.AddConfigEntry("session.model_external_initializers_file_folder_path", "/dev");
  AddTensors(layout.at("tensors"), *held, options);
  const std::byte* graph = held->bytes.data() + layout.at("graph").at(0).get<uint64_t>();
  held->session = Ort::Session(*place.env, graph, layout.at("graph").at(1).get<size_t>(), options);
  return Function{held, &held->session};
}

}  // namespace trims::bench

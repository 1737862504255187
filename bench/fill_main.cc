// bench_fill: how long the load library takes to bring one file into sealed huge pages, without daemon.
//
//   bench_fill FILE uring|pread cold|warm REPETITIONS
//
// The same program stands there twice: bench_fill_unhashed is linked to a checksum that looks at nothing.
// Prints {"ns": […], "cpu_ns": […]}; the digests are made and not compared.

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "base/errno_status.h"
#include "base/macros.h"
#include "common/memory.h"
#include "common/page_cache.h"
#include "common/timing.h"
#include "load/fill_extents.h"

namespace trims::bench {
namespace {

Result<Image> ImageOf(const std::filesystem::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) return ErrnoStatus("stat " + file.string());
  const auto length = static_cast<uint64_t>(info.st_size);
  Image image;
  image.reference = "bench";
  image.variant.folder = file.parent_path().filename();
  ManifestExtent extent;
  extent.length = length;
  extent.pieces.push_back({PieceOrigin::kPrepared, file.filename(), 0, length, 0});
  image.variant.extents.push_back(extent);
  return image;
}

Status FillOnce(const Image& image, const std::string& root, ReadEngineKind engine) {
  ImageFiles files(image, root);
  FillControl control;
  std::vector<ExtentWriter> writers;
  TRIMS_ASSIGN_OR_RETURN(
      ExtentWriter writer,
      ExtentWriter::Reserve("bench", image.variant.extents[0].length, HugePagePolicy::kBest));
  writers.push_back(std::move(writer));
  TRIMS_RETURN_IF_ERROR(
      FillExtents(image, {.engine = engine}, &files, &writers, &control).status());
  return std::move(writers[0]).Seal().status();
}

Status Main(std::span<char*> arguments) {
  if (arguments.size() != 5) {
    return Status(StatusCode::kInvalidArgument, "expected FILE uring|pread cold|warm REPETITIONS");
  }
  const std::filesystem::path file = std::filesystem::absolute(arguments[1]);
  const std::string root = file.parent_path().parent_path();
  const bool uring = arguments[2] == ReadEngineName(ReadEngineKind::kUring);
  const bool cold = arguments[3] == std::string("cold");
  TRIMS_ASSIGN_OR_RETURN(const Image image, ImageOf(file));
  nlohmann::json answer = {{"ns", nlohmann::json::array()}, {"cpu_ns", nlohmann::json::array()}};
  for (int i = 0; i < std::atoi(arguments[4]); ++i) {
    if (cold) TRIMS_RETURN_IF_ERROR(DropFromPageCache(file));
    TRIMS_RETURN_IF_ERROR(WarmMemory(image.variant.extents[0].length));
    const int64_t cpu = CpuNs();
    const int64_t start = NowNs();
    TRIMS_RETURN_IF_ERROR(
        FillOnce(image, root, uring ? ReadEngineKind::kUring : ReadEngineKind::kPread));
    answer["ns"].push_back(NowNs() - start);
    answer["cpu_ns"].push_back(CpuNs() - cpu);
  }
  std::puts(answer.dump().c_str());
  return {};
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_fill: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

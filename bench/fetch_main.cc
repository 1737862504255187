// bench_fetch: an object of a web server into memory, by RangeFetcher.
//
//   bench_fetch URL BYTES DEPTH STEP    STEP bytes a range, DEPTH ranges in flight
//
// The memory was touched before. Prints {"ns", "cpu_ns", "bytes"}: the time from the first range that is
// submitted to the end of the last, and what this process has used of the processors in it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/macros.h"
#include "common/timing.h"
#include "transfer/range_fetcher.h"

namespace trims::bench {
namespace {

struct Wanted {
  std::string url;
  size_t bytes = 0;
  size_t depth = 0;
  size_t step = 0;
};

Status Fetch(const Wanted& wanted, std::span<std::byte> memory) {
  auto object = std::make_shared<HttpObject>();
  object->request.url = wanted.url;
  object->length = wanted.bytes;
  TRIMS_ASSIGN_OR_RETURN(const auto fetcher, RangeFetcher::Start({.depth = wanted.depth}));
  size_t at = 0;
  while (at < wanted.bytes || fetcher->in_flight() > 0) {
    if (at < wanted.bytes && !fetcher->full()) {
      const size_t length = std::min(wanted.step, wanted.bytes - at);
      fetcher->Submit(
          {.object = object, .offset = at, .destination = memory.subspan(at, length), .tag = at});
      at += length;
      continue;
    }
    TRIMS_RETURN_IF_ERROR(fetcher->Wait().status);
  }
  return Status();
}

int Run(const Wanted& wanted) {
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(wanted.bytes);
  std::memset(memory.get(), 1, wanted.bytes);
  const int64_t start = NowNs();
  const int64_t cpu_start = CpuNs();
  const Status status = Fetch(wanted, {memory.get(), wanted.bytes});
  const int64_t cpu_end = CpuNs();
  const int64_t end = NowNs();
  if (!status.ok()) {
    std::fprintf(stderr, "bench_fetch: %s\n", status.ToString().c_str());
    return 1;
  }
  std::printf("{\"ns\": %lld, \"cpu_ns\": %lld, \"bytes\": %zu}\n",
              static_cast<long long>(end - start), static_cast<long long>(cpu_end - cpu_start),
              wanted.bytes);
  return 0;
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("bench_fetch URL BYTES DEPTH STEP\n", stderr);
    return 2;
  }
  const trims::bench::Wanted wanted{.url = argv[1],
                                    .bytes = std::strtoull(argv[2], nullptr, 10),
                                    .depth = std::strtoull(argv[3], nullptr, 10),
                                    .step = std::strtoull(argv[4], nullptr, 10)};
  if (wanted.bytes == 0 || wanted.depth == 0 || wanted.step == 0) return 2;
  return trims::bench::Run(wanted);
}

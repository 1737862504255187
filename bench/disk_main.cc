// bench_disk: opens of models that are on disk only, and what they are held to.
//
//   bench_disk open PLAN.json         {"socket", "threads", "models": […], "variant", "bytes", "drop": [paths]}
//   bench_disk read THREADS FILE…     reads of each file, past the page cache
//   bench_disk touch BYTES            touches fresh huge pages, then hashes them
//
// "open": drops the files from the page cache, warms `bytes` of memory, then opens each model as `variant`
// (none: `tensors`) and reads its first byte, on as many threads as it says; all stay open until the last is. "read": one
// pread(2) of all whole pages of a file, into memory that was touched before, and another of what is
// left. Prints {"ns"}, the time from the first open or read to the end of the last; "touch": {"touch_ns",
// "hash_ns"}, of the processor.

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/xxh3.h"
#include "common/memory.h"
#include "common/page_cache.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

using Names = std::vector<std::string>;

// Each of `count` jobs once, on `threads` threads; `job` gets thread and number. The first failure.
Status ForEach(size_t count, size_t threads, const std::function<Status(size_t, size_t)>& job) {
  std::atomic<size_t> next{0};
  std::vector<Status> statuses(threads);
  std::vector<std::thread> running;
  for (size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      for (size_t i; statuses[thread].ok() && (i = next++) < count;)
        statuses[thread] = job(thread, i);
    });
  }
  for (std::thread& one : running) one.join();
  const auto failed =
      std::find_if(statuses.begin(), statuses.end(), [](const Status& s) { return !s.ok(); });
  return failed == statuses.end() ? Status() : *failed;
}

Result<nlohmann::json> Open(const nlohmann::json& plan) {
  for (const std::string path : plan.at("drop")) TRIMS_RETURN_IF_ERROR(DropFromPageCache(path));
  const size_t threads = plan.at("threads");
  const Names models = plan.at("models");
  std::vector<Client> clients;
  for (size_t i = 0; i < threads; ++i) {
    TRIMS_ASSIGN_OR_RETURN(Client client,
                           Client::Connect({.socket_path = plan.at("socket"), .client_name = {}}));
    clients.push_back(std::move(client));
  }
  TRIMS_ASSIGN_OR_RETURN(const Variant variant,
                         VariantFromName(plan.value("variant", std::string("tensors"))));
  if (const uint64_t bytes = plan.at("bytes"); bytes > 0) TRIMS_RETURN_IF_ERROR(WarmMemory(bytes));
  std::vector<std::optional<Model>> opened(models.size());
  std::atomic<unsigned> sum{0};
  const int64_t start = NowNs();
  TRIMS_RETURN_IF_ERROR(ForEach(models.size(), threads, [&](size_t thread, size_t i) -> Status {
    TRIMS_ASSIGN_OR_RETURN(Model model, clients[thread].Open(models[i], {.variant = variant}));
    sum += static_cast<unsigned>(model.bytes()[0]);
    opened[i] = std::move(model);
    return {};
  }));
  return nlohmann::json{{"ns", NowNs() - start}, {"sum", sum.load()}};
}

Status ReadFile(const std::string& path, Mapping* into) {
  const UniqueFd direct = sys::Open(path.c_str(), O_RDONLY | O_DIRECT);
  const UniqueFd buffered = sys::Open(path.c_str(), O_RDONLY);
  struct stat info {};
  if (!direct || !buffered || fstat(buffered.get(), &info) != 0) return ErrnoStatus("open " + path);
  const auto size = static_cast<size_t>(info.st_size);
  const size_t pages = size / kPageSize * kPageSize;
  for (size_t done = 0; done < size;) {
    const bool whole = done < pages;
    const ssize_t count = sys::Pread(whole ? direct.get() : buffered.get(), into->data() + done,
                                     (whole ? pages : size) - done, static_cast<off_t>(done));
    if (count <= 0) return ErrnoStatus("read " + path);
    done += static_cast<size_t>(count);
  }
  return {};
}

Result<nlohmann::json> ReadAll(size_t threads, const Names& files) {
  uint64_t largest = 0;
  for (const std::string& path : files) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return ErrnoStatus("stat " + path);
    largest = std::max(largest, static_cast<uint64_t>(info.st_size));
    TRIMS_RETURN_IF_ERROR(DropFromPageCache(path));
  }
  std::vector<Mapping> memory;
  for (size_t i = 0; i < threads; ++i) {
    TRIMS_ASSIGN_OR_RETURN(Mapping one, TouchedMemory(largest));
    memory.push_back(std::move(one));
  }
  const int64_t start = NowNs();
  TRIMS_RETURN_IF_ERROR(ForEach(files.size(), threads, [&](size_t thread, size_t i) {
    return ReadFile(files[i], &memory[thread]);
  }));
  return nlohmann::json{{"ns", NowNs() - start}};
}

Result<nlohmann::json> Touch(uint64_t bytes) {
  TRIMS_RETURN_IF_ERROR(WarmMemory(bytes));
  const int64_t start = CpuNs();
  TRIMS_ASSIGN_OR_RETURN(const Mapping memory, TouchedMemory(bytes));
  const int64_t touched = CpuNs();
  const uint64_t hash = Xxh3Of({memory.data(), memory.size()});
  return nlohmann::json{
      {"touch_ns", touched - start}, {"hash_ns", CpuNs() - touched}, {"hash", hash}};
}

Result<nlohmann::json> Run(std::span<char*> words) {
  const std::string verb = words.size() < 3 ? "" : words[1];
  if (verb == "open") {
    std::ifstream file(words[2]);
    return Open(nlohmann::json::parse(file));
  }
  if (verb == "read")
    return ReadAll(std::strtoull(words[2], nullptr, 10), Names(words.begin() + 3, words.end()));
  if (verb == "touch") return Touch(std::strtoull(words[2], nullptr, 10));
  return Status(StatusCode::kInvalidArgument,
                "expected open PLAN, read THREADS FILE… or touch BYTES");
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  try {
    const trims::Result<nlohmann::json> answer =
        trims::bench::Run({argv, static_cast<size_t>(argc)});
    if (answer.ok()) return std::puts(answer->dump().c_str()), 0;
    return std::fprintf(stderr, "bench_disk: %s\n", answer.status().ToString().c_str()), 1;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "bench_disk: %s\n", error.what()), 1;
  }
}

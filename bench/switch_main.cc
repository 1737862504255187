// bench_switch: an alias that is moved back and forth while readers open it.
//
//   bench_switch SOCKET ALIAS FIRST SECOND READERS SECONDS PAUSE_US
//
// FIRST and SECOND are resolved references ("default/m:1"); ALIAS means FIRST at the start. Each reader is
// a process of its own with one connection, which opens ALIAS as fast as it can. One mover moves it to the
// other version, rests for PAUSE_US, and so on. An open fails, or is wrong: it got neither version; or one
// that ALIAS did not mean at any time between the last move that had returned before the open began and the
// last that had begun before it ended. Prints {"opens", "failed", "wrong", "settled", "moves", "move_ns": […]}:
// `settled` are the opens that no move overlapped, where but one version is right.

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/admin.h"
#include "trims/client.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "common/crew.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

struct Options {
  std::string socket;
  std::string alias;
  std::array<std::string, 2> versions;
  size_t readers = 1;
  double seconds = 1;
  std::chrono::microseconds pause{0};
};

// Moves are numbered from 1; before the first, and after each even one, the alias means versions[0].
struct Shared {
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> returned{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> settled{0};
};

// Until the process ends, as a crew's own.
Result<Shared*> MakeShared() {
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoStatus("mapping what readers and mover share");
  return new (memory) Shared;
}

// Of the moves `from` to `to`, one at least has left it at this version.
bool MayMean(size_t version, uint64_t from, uint64_t to) {
  return from % 2 == version || to > from;
}

void OpenOnce(const Options& options, Client* client, Shared* shared) {
  const uint64_t from = shared->returned.load();
  const Result<Model> model = client->Open(options.alias);
  const uint64_t to = shared->begun.load();
  if (!model.ok()) {
    if (shared->failed.fetch_add(1) == 0) {
      std::fprintf(stderr, "bench_switch: %s\n", model.status().ToString().c_str());
    }
    return;
  }
  if (from == to) ++shared->settled;
  const std::string& reference = model->info().reference;
  const size_t version = reference == options.versions[1] ? 1 : 0;
  if (reference != options.versions[version] || !MayMean(version, from, to)) ++shared->wrong;
}

CrewWork MakeReader(const Options& options, Shared* shared) {
  return [options, shared](size_t, const std::function<int64_t()>& wait_for_start,
                           SampleSink* sink) -> Status {
    TRIMS_ASSIGN_OR_RETURN(Client client,
                           Client::Connect({.socket_path = options.socket, .client_name = {}}));
    TRIMS_RETURN_IF_ERROR(client.Open(options.alias).status());
    const int64_t end = wait_for_start() + static_cast<int64_t>(options.seconds * 1e9);
    while (NowNs() < end) {
      OpenOnce(options, &client, shared);
      sink->Add(0);
    }
    return {};
  };
}

// What each move took, from the request to the answer.
Result<std::vector<int64_t>> MoveBackAndForth(const Options& options, Shared* shared) {
  TRIMS_ASSIGN_OR_RETURN(Admin admin,
                         Admin::Connect({.socket_path = options.socket, .client_name = {}}));
  std::vector<int64_t> times;
  const int64_t end = NowNs() + static_cast<int64_t>(options.seconds * 1e9);
  while (NowNs() < end) {
    const uint64_t move = ++shared->begun;
    const int64_t began = NowNs();
    TRIMS_RETURN_IF_ERROR(admin.SetAlias(options.alias, options.versions[move % 2]).status());
    times.push_back(NowNs() - began);
    shared->returned.store(move);
    std::this_thread::sleep_for(options.pause);
  }
  return times;
}

Status Run(const Options& options) {
  TRIMS_ASSIGN_OR_RETURN(Shared* const shared, MakeShared());
  TRIMS_ASSIGN_OR_RETURN(Crew crew, Crew::Start(options.readers, 0, MakeReader(options, shared)));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<int64_t> moves, MoveBackAndForth(options, shared));
  TRIMS_RETURN_IF_ERROR(crew.Join());
  uint64_t opens = 0;
  for (size_t i = 0; i < crew.size(); ++i) opens += crew.member(i).count();
  const nlohmann::json answer = {{"opens", opens},
                                 {"failed", shared->failed.load()},
                                 {"wrong", shared->wrong.load()},
                                 {"settled", shared->settled.load()},
                                 {"moves", moves.size()},
                                 {"move_ns", moves}};
  std::puts(answer.dump().c_str());
  return {};
}

Status Main(std::span<char*> arguments) {
  if (arguments.size() != 8) {
    return Status(StatusCode::kInvalidArgument,
                  "expected SOCKET ALIAS FIRST SECOND READERS SECONDS PAUSE_US");
  }
  const Options options{
      .socket = arguments[1],
      .alias = arguments[2],
      .versions = {arguments[3], arguments[4]},
      .readers = std::strtoull(arguments[5], nullptr, 10),
      .seconds = std::atof(arguments[6]),
      .pause = std::chrono::microseconds(std::strtoll(arguments[7], nullptr, 10))};
  if (options.readers == 0) return Status(StatusCode::kInvalidArgument, "READERS must be above 0");
  return Run(options);
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_switch: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// bench_opens: how many opens a second a server answers, and how long they take at a given load.
//
//   bench_opens trims|bare SOCKET REFERENCE CLIENTS SECONDS RATE REQUEST_BYTES REPLY_BYTES
//   EXTENT_BYTES
//
// Each client is a process of its own with one connection; an open is: request, reply, map, read
// the first byte, unmap, close. RATE 0: each client opens as fast as it can (closed loop). RATE >
// 0: all together open RATE times a second at times drawn beforehand (Poisson, open loop), and an
// open's latency runs from the time it was meant to start, so a server that stalls is charged for
// every open that had to wait meanwhile. Prints {"opens", "seconds"} or {"latency_ns": […],
// "opens", "seconds"}.

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "bare/client.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "common/crew.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

struct Options {
  bool bare = false;
  std::string socket;
  std::string reference;
  size_t clients = 1;
  double seconds = 1;
  double rate = 0;
  ExchangeShape shape;
  size_t extent_bytes = 0;  // of the bare server's
};

// One open and close.
using Opener = std::function<Status()>;

void TouchFirstByte(const void* data) { (void)*static_cast<const volatile std::byte*>(data); }

Result<Opener> TrimsOpener(const Options& options) {
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = options.socket, .client_name = {}}));
  auto shared = std::make_shared<Client>(std::move(client));
  return Opener([shared, reference = options.reference]() -> Status {
    TRIMS_ASSIGN_OR_RETURN(const Model model, shared->Open(reference));
    TouchFirstByte(model.bytes().data());
    return {};
  });
}

// As libtrims does with what it gets: maps the index and each extent.
Result<Opener> BareOpener(const Options& options) {
  TRIMS_ASSIGN_OR_RETURN(BareClient client, BareClient::Connect(options.socket));
  auto shared = std::make_shared<BareClient>(std::move(client));
  return Opener([shared, shape = options.shape, length = options.extent_bytes]() -> Status {
    TRIMS_RETURN_IF_ERROR(shared->RoundTrip(shape));
    TRIMS_ASSIGN_OR_RETURN(const Mapping index,
                           Mapping::OfFile(shared->descriptor(0), kPageSize, PROT_READ));
    TRIMS_ASSIGN_OR_RETURN(const Mapping extent,
                           Mapping::OfFile(shared->descriptor(1), length, PROT_READ));
    TouchFirstByte(extent.data());
    shared->CloseDescriptors();
    return {};
  });
}

Status RunClosedLoop(const Opener& open, int64_t start, double seconds, SampleSink* sink) {
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  while (NowNs() < end) {
    TRIMS_RETURN_IF_ERROR(open());
    sink->Add(0);
  }
  return {};
}

Status RunOpenLoop(const Opener& open, int64_t start, const Options& options, size_t member,
                   SampleSink* sink) {
  std::mt19937_64 random(2019 + member);
  std::exponential_distribution<double> gap(options.rate / static_cast<double>(options.clients) /
                                            1e9);
  const double end = options.seconds * 1e9;
  for (double at = gap(random); at < end; at += gap(random)) {
    const int64_t intended = start + static_cast<int64_t>(at);
    SleepUntil(intended);
    TRIMS_RETURN_IF_ERROR(open());
    sink->Add(NowNs() - intended);
  }
  return {};
}

CrewWork MakeWork(const Options& options) {
  return [options](size_t member, const std::function<int64_t()>& wait_for_start,
                   SampleSink* sink) -> Status {
    UsePreciseTimers();
    TRIMS_ASSIGN_OR_RETURN(const Opener open,
                           options.bare ? BareOpener(options) : TrimsOpener(options));
    TRIMS_RETURN_IF_ERROR(open());
    const int64_t start = wait_for_start();
    if (options.rate == 0) return RunClosedLoop(open, start, options.seconds, sink);
    return RunOpenLoop(open, start, options, member, sink);
  };
}

Status Run(const Options& options) {
  const double kept =
      options.rate / static_cast<double>(options.clients) * options.seconds * 2 + 1000;
  TRIMS_ASSIGN_OR_RETURN(
      Crew crew, Crew::Start(options.clients, options.rate > 0 ? static_cast<size_t>(kept) : 0,
                             MakeWork(options)));
  TRIMS_RETURN_IF_ERROR(crew.Join());
  uint64_t opens = 0;
  nlohmann::json answer;
  for (size_t i = 0; i < crew.size(); ++i) {
    opens += crew.member(i).count();
    for (const int64_t sample : crew.member(i).samples()) answer["latency_ns"].push_back(sample);
  }
  answer["opens"] = opens;
  answer["seconds"] = options.seconds;
  std::puts(answer.dump().c_str());
  return {};
}

Status Main(std::span<char*> arguments) {
  if (arguments.size() != 10) {
    return Status(StatusCode::kInvalidArgument,
                  "expected trims|bare SOCKET REFERENCE CLIENTS SECONDS RATE REQUEST_BYTES "
                  "REPLY_BYTES EXTENT_BYTES");
  }
  Options options;
  options.bare = std::string_view(arguments[1]) == "bare";
  options.socket = arguments[2];
  options.reference = arguments[3];
  options.clients = std::strtoull(arguments[4], nullptr, 10);
  options.seconds = std::atof(arguments[5]);
  options.rate = std::atof(arguments[6]);
  options.shape = {.request_bytes = std::strtoull(arguments[7], nullptr, 10),
                   .reply_bytes = std::strtoull(arguments[8], nullptr, 10),
                   .descriptors = 2};
  options.extent_bytes = std::strtoull(arguments[9], nullptr, 10);
  if (options.clients == 0) return Status(StatusCode::kInvalidArgument, "CLIENTS must be above 0");
  return Run(options);
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_opens: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

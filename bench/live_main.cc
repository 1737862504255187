// bench_live: a trace of opens, played by several clients at a real daemon.
//
//   bench_live SOCKET CLIENTS TRACE SEED LENGTH REFERENCE=VARIANT…
//
// Each client is a process of its own with one connection; it takes the next open of the trace, touches the first
// byte, closes, and takes the next. What the daemon has no room for is no failure: under `never` it is what
// happens. Prints {"opens", "seconds", "refused": [image, …]}: `seconds` from the common start to the last
// client's end.

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "common/crew.h"
#include "common/timing.h"
#include "policy/traces.h"

namespace trims::bench {
namespace {

struct LiveImage {
  std::string reference;
  Variant variant = Variant::kFiles;
};

struct LiveOptions {
  std::string socket;
  size_t clients = 1;
  Trace trace;
  std::vector<LiveImage> images;
};

// Until the process ends, as a crew's own.
struct Stage {
  std::atomic<size_t> next{0};
  std::atomic<int64_t> began{0};
  std::atomic<int64_t> ended{0};
};

Result<Stage*> MakeStage() {
  void* memory =
      ::mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoStatus("mapping what clients share");
  return new (memory) Stage();
}

// Whether there was room for it. What could never have any counts for nothing, as in the replay.
Result<bool> OpenOnce(Client* client, const LiveImage& image) {
  const Result<Model> model = client->Open(image.reference, {.variant = image.variant});
  if (model.status().code() == StatusCode::kResourceExhausted) return false;
  if (model.status().code() == StatusCode::kTooLarge) return true;
  TRIMS_RETURN_IF_ERROR(model.status());
  (void)*static_cast<const volatile std::byte*>(model->bytes().data());
  return true;
}

CrewWork MakeWork(const LiveOptions& options, Stage* stage) {
  return [&options, stage](size_t, const std::function<int64_t()>& wait_for_start,
                           SampleSink* refused) -> Status {
    TRIMS_ASSIGN_OR_RETURN(Client client,
                           Client::Connect({.socket_path = options.socket, .client_name = {}}));
    stage->began = wait_for_start();
    for (size_t at = stage->next++; at < options.trace.size(); at = stage->next++) {
      const size_t image = options.trace[at];
      TRIMS_ASSIGN_OR_RETURN(const bool opened, OpenOnce(&client, options.images[image]));
      if (!opened) refused->Add(static_cast<int64_t>(image));
    }
    int64_t last = stage->ended;
    const int64_t now = NowNs();
    while (last < now && !stage->ended.compare_exchange_weak(last, now)) {
    }
    return {};
  };
}

Status Run(const LiveOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(Stage* const stage, MakeStage());
  TRIMS_ASSIGN_OR_RETURN(
      Crew crew, Crew::Start(options.clients, options.trace.size(), MakeWork(options, stage)));
  TRIMS_RETURN_IF_ERROR(crew.Join());
  nlohmann::json answer{{"opens", options.trace.size()},
                        {"seconds", static_cast<double>(stage->ended - stage->began) / 1e9},
                        {"refused", nlohmann::json::array()}};
  for (size_t i = 0; i < crew.size(); ++i) {
    for (const int64_t image : crew.member(i).samples()) answer["refused"].push_back(image);
  }
  std::puts(answer.dump().c_str());
  return {};
}

Result<LiveImage> ParseImage(const std::string& word) {
  const size_t at = word.rfind('=');
  for (const Variant variant : {Variant::kFiles, Variant::kTensors, Variant::kOrt}) {
    if (at != std::string::npos && word.substr(at + 1) == VariantName(variant)) {
      return LiveImage{.reference = word.substr(0, at), .variant = variant};
    }
  }
  return Status(StatusCode::kInvalidArgument, "expected REFERENCE=VARIANT, not '" + word + "'");
}

Status Main(std::span<char*> arguments) {
  constexpr size_t kBeforeImages = 6;
  if (arguments.size() <= kBeforeImages) {
    return Status(StatusCode::kInvalidArgument,
                  "expected SOCKET CLIENTS TRACE SEED LENGTH REFERENCE=VARIANT…");
  }
  LiveOptions options;
  options.socket = arguments[1];
  options.clients = std::max<size_t>(std::strtoull(arguments[2], nullptr, 10), 1);
  for (const char* word : arguments.subspan(kBeforeImages)) {
    TRIMS_ASSIGN_OR_RETURN(LiveImage image, ParseImage(word));
    options.images.push_back(std::move(image));
  }
  TRIMS_ASSIGN_OR_RETURN(options.trace, MakeTrace(arguments[3], options.images.size(),
                                                  std::strtoull(arguments[5], nullptr, 10),
                                                  std::strtoull(arguments[4], nullptr, 10)));
  return Run(options);
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_live: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

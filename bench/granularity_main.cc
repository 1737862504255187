// bench_granularity: how long it takes to attach resident models, and to map them and read all of their bytes.
//
//   bench_granularity SOCKET REPETITIONS REFERENCE,VARIANT…
//
// The models take turns. Timed: Open and the read of the first byte; and Open and the read of every byte, which is each page's
// first touch in that mapping. Prints {"cases": [{"reference", "attach_ns": […], "read_ns": […]}]}.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "base/macros.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

constexpr int kAttachesPerRead = 20;

struct Case {
  std::string reference;
  Variant variant = Variant::kFiles;
  std::vector<int64_t> attach_ns;
  std::vector<int64_t> read_ns;
  uint64_t sum = 0;
};

Result<Case> ParseCase(const std::string& text) {
  const size_t comma = text.rfind(',');
  if (comma == std::string::npos)
    return Status(StatusCode::kInvalidArgument, "expected REFERENCE,VARIANT: " + text);
  Case one{.reference = text.substr(0, comma), .attach_ns = {}, .read_ns = {}};
  TRIMS_ASSIGN_OR_RETURN(one.variant, VariantFromName(text.substr(comma + 1)));
  return one;
}

uint64_t SumOf(std::span<const std::byte> bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i + sizeof(uint64_t) <= bytes.size(); i += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, sizeof(word));
    sum += word;
  }
  return sum;
}

Status Attach(Client* client, Case* one) {
  const int64_t start = NowNs();
  TRIMS_ASSIGN_OR_RETURN(const Model model,
                         client->Open(one->reference, {.variant = one->variant}));
  (void)*reinterpret_cast<const volatile std::byte*>(model.bytes().data());
  one->attach_ns.push_back(NowNs() - start);
  return {};
}

Status Read(Client* client, Case* one) {
  const int64_t start = NowNs();
  TRIMS_ASSIGN_OR_RETURN(const Model model,
                         client->Open(one->reference, {.variant = one->variant}));
  one->sum += SumOf(model.bytes());
  one->read_ns.push_back(NowNs() - start);
  return {};
}

Status Measure(Client* client, long repetitions, std::vector<Case>* cases) {
  for (long i = 0; i < repetitions; ++i) {
    for (Case& one : *cases) {
      for (int j = 0; j < kAttachesPerRead; ++j) TRIMS_RETURN_IF_ERROR(Attach(client, &one));
      TRIMS_RETURN_IF_ERROR(Read(client, &one));
    }
  }
  return {};
}

void Print(const std::vector<Case>& cases) {
  nlohmann::json all = nlohmann::json::array();
  for (const Case& one : cases) {
    all.push_back({{"reference", one.reference},
                   {"attach_ns", one.attach_ns},
                   {"read_ns", one.read_ns},
                   {"sum", one.sum}});
  }
  std::puts(nlohmann::json{{"cases", std::move(all)}}.dump().c_str());
}

Status Main(std::span<char*> arguments) {
  if (arguments.size() < 4)
    return Status(StatusCode::kInvalidArgument, "expected SOCKET REPETITIONS REFERENCE,VARIANT…");
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = arguments[1], .client_name = {}}));
  std::vector<Case> cases;
  for (const char* text : arguments.subspan(3)) {
    TRIMS_ASSIGN_OR_RETURN(Case one, ParseCase(text));
    cases.push_back(std::move(one));
  }
  TRIMS_RETURN_IF_ERROR(Measure(&client, std::strtol(arguments[2], nullptr, 10), &cases));
  Print(cases);
  return {};
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_granularity: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// bench_attach: how long it takes to attach a resident model, beside a bare round trip that passes
// the same number of descriptors in frames of the same sizes.
//
//   bench_attach TRIMS_SOCKET BARE_SOCKET CPU REPETITIONS REST_US CASE…
//                                                      CASE: label,reference,variant
//
// Timed: Open (request, reply, mapping) and the read of the first byte; for the reference its
// sendmsg and recvmsg; and where there is a rest, for a second reference, also fstat, mmap and the
// read of the first byte: the system calls of an attach and nothing else. Not timed: closing, and
// what comes after it so that both servers are idle again and what one open leaves behind is in no
// other's time: the processor is offered to them for 30 µs (REST_US 0), or everything sleeps for
// REST_US, from which caches come back cold. Before each timed exchange there is a bare one that
// isn't timed. Cases and the sides take turns.
// Prints {"cases": [{"label", "descriptors", "request_bytes", "reply_bytes", "trims_ns": […],
// "mapped_ns": […], "bare_ns": […]}]}.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "bare/client.h"
#include "base/macros.h"
#include "common/timing.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims::bench {
namespace {

constexpr int64_t kSettleNs = 30'000;
constexpr int kWarmUp = 20;

struct Case {
  std::string label;
  std::string reference;
  Variant variant = Variant::kFiles;
  ExchangeShape shape;
  std::vector<int64_t> trims_ns;
  std::vector<int64_t> mapped_ns;
  std::vector<int64_t> bare_ns;
};

Result<Case> ParseCase(const std::string& text) {
  const size_t first = text.find(',');
  const size_t last = text.rfind(',');
  if (first == std::string::npos || first == last) {
    return Status(StatusCode::kInvalidArgument, "expected label,reference,variant: " + text);
  }
  TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantFromName(text.substr(last + 1)));
  Case result;
  result.label = text.substr(0, first);
  result.reference = text.substr(first + 1, last - first - 1);
  result.variant = variant;
  return result;
}

// The frames and descriptors of one open of this model.
ExchangeShape ShapeOf(const Case& one, const Model& model) {
  const OpenInfo& info = model.info();
  const wire::OpenRequest request{.reference = one.reference, .variant = one.variant};
  const std::vector<wire::ExtentInfo> extents(model.extent_count());
  wire::RequestEncoder requests;
  wire::ReplyEncoder replies;
  ExchangeShape shape;
  shape.request_bytes = requests.Encode({.id = 1, .client = {}, .body = request}).size();
  shape.reply_bytes = replies
                          .Open(1, {.lease = 1,
                                    .reference = info.reference,
                                    .digest = info.digest,
                                    .variant = info.variant,
                                    .variant_key = info.variant_key,
                                    .index_length = 1,
                                    .extents = extents,
                                    .hit = true,
                                    .waited_us = 1})
                          .size();
  shape.descriptors = 1 + model.extent_count();
  return shape;
}

Status MeasureTrims(Client* client, Case* one, bool keep) {
  const int64_t start = NowNs();
  TRIMS_ASSIGN_OR_RETURN(Model model, client->Open(one->reference, {.variant = one->variant}));
  const auto* first = reinterpret_cast<const volatile std::byte*>(model.bytes().data());
  (void)*first;
  const int64_t end = NowNs();
  if (!keep) one->shape = ShapeOf(*one, model);
  if (keep && !model.info().hit) {
    return Status(StatusCode::kFailedPrecondition, one->label + ": the model was not resident");
  }
  if (keep) one->trims_ns.push_back(end - start);
  return {};
}

// The system calls of an attach, and its page fault, with nothing around them.
Status MeasureMapped(BareClient* client, Case* one, bool keep) {
  const int64_t start = NowNs();
  TRIMS_RETURN_IF_ERROR(client->RoundTrip(one->shape));
  TRIMS_RETURN_IF_ERROR(client->MapExtents());
  (void)*static_cast<const volatile std::byte*>(client->first_extent());
  const int64_t end = NowNs();
  client->UnmapExtents();
  client->CloseDescriptors();
  if (keep) one->mapped_ns.push_back(end - start);
  return {};
}

Status MeasureBare(BareClient* client, Case* one, bool keep) {
  const int64_t start = NowNs();
  TRIMS_RETURN_IF_ERROR(client->RoundTrip(one->shape));
  const int64_t end = NowNs();
  client->CloseDescriptors();
  if (keep) one->bare_ns.push_back(end - start);
  return {};
}

void LetSettle(int64_t rest_ns) {
  if (rest_ns == 0) return YieldFor(kSettleNs);
  SleepUntil(NowNs() + rest_ns);
}

// The sides take turns at being the first. An exchange that is not timed comes before each that is:
// all start from the same state, and none pays for what closing a model leaves behind (unmapping
// flushes TLB entries of kernel and client).
Status MeasureSides(Client* client, BareClient* bare, bool keep, int64_t rest_ns, Case* one) {
  std::vector<std::function<Status()>> sides = {[&] { return MeasureBare(bare, one, keep); },
                                                [&] { return MeasureTrims(client, one, keep); }};
  if (rest_ns > 0) sides.emplace_back([&] { return MeasureMapped(bare, one, keep); });
  const size_t first = one->trims_ns.size();
  for (size_t i = 0; i < sides.size(); ++i) {
    TRIMS_RETURN_IF_ERROR(MeasureBare(bare, one, false));
    LetSettle(rest_ns);
    TRIMS_RETURN_IF_ERROR(sides[(first + i) % sides.size()]());
    LetSettle(rest_ns);
  }
  return {};
}

Status Measure(Client* client, BareClient* bare, int repetitions, int64_t rest_ns,
               std::vector<Case>* cases) {
  for (Case& one : *cases) TRIMS_RETURN_IF_ERROR(MeasureTrims(client, &one, false));
  for (int i = -kWarmUp; i < repetitions; ++i) {
    for (Case& one : *cases) {
      TRIMS_RETURN_IF_ERROR(MeasureSides(client, bare, i >= 0, rest_ns, &one));
    }
  }
  return {};
}

void Print(const std::vector<Case>& cases) {
  nlohmann::json list = nlohmann::json::array();
  for (const Case& one : cases) {
    list.push_back({{"label", one.label},
                    {"descriptors", one.shape.descriptors},
                    {"request_bytes", one.shape.request_bytes},
                    {"reply_bytes", one.shape.reply_bytes},
                    {"trims_ns", one.trims_ns},
                    {"mapped_ns", one.mapped_ns},
                    {"bare_ns", one.bare_ns}});
  }
  std::puts(nlohmann::json{{"cases", list}}.dump().c_str());
}

Status Main(std::span<char*> arguments) {
  if (arguments.size() < 7) {
    return Status(StatusCode::kInvalidArgument,
                  "expected TRIMS_SOCKET BARE_SOCKET CPU REPETITIONS REST_US CASE…");
  }
  std::vector<Case> cases;
  for (char* text : arguments.subspan(6)) {
    TRIMS_ASSIGN_OR_RETURN(Case one, ParseCase(text));
    cases.push_back(std::move(one));
  }
  UsePreciseTimers();
  TRIMS_RETURN_IF_ERROR(PinTo(std::atoi(arguments[3])));
  TRIMS_ASSIGN_OR_RETURN(Client client,
                         Client::Connect({.socket_path = arguments[1], .client_name = {}}));
  TRIMS_ASSIGN_OR_RETURN(BareClient bare, BareClient::Connect(arguments[2]));
  TRIMS_RETURN_IF_ERROR(
      Measure(&client, &bare, std::atoi(arguments[4]), std::atoll(arguments[5]) * 1000, &cases));
  Print(cases);
  return {};
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const trims::Status status = trims::bench::Main({argv, static_cast<size_t>(argc)});
  if (!status.ok()) std::fprintf(stderr, "bench_attach: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

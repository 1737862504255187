// bench_tiers: opens of one model in several tiers, taking turns.
//
//   bench_tiers PLAN.json     {"socket", "model", "variant", "tiers": […], "hold": […], "repetitions", "drop": [paths],
//                              "read"}
//
// "hold": tiers in which the model stays open meanwhile; "drop": files that leave the page cache before each
// open. Timed: Open and the read of the first byte, or, where "read" says so, of one byte of every page. Not timed:
// closing, after which a daemon that reclaims eagerly is waited for.
// Prints {"ns": {tier: […]}}.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/admin.h"
#include "trims/client.h"

#include "base/macros.h"
#include "common/page_cache.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

constexpr int kMostWaits = 100'000;

struct Plan {
  std::string socket;
  std::string model;
  Variant variant = Variant::kFiles;
  std::vector<std::string> tiers;
  std::vector<std::string> hold;
  int repetitions = 1;
  std::vector<std::string> drop;
  bool read = false;
};

Result<Plan> ReadPlan(const char* path) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) {
    return Status(StatusCode::kInvalidArgument, std::string(path) + " is no plan");
  }
  Plan plan{.socket = json.value("socket", ""),
            .model = json.value("model", ""),
            .tiers = json.value("tiers", std::vector<std::string>()),
            .hold = json.value("hold", std::vector<std::string>()),
            .repetitions = json.value("repetitions", 1),
            .drop = json.value("drop", std::vector<std::string>()),
            .read = json.value("read", false)};
  TRIMS_ASSIGN_OR_RETURN(plan.variant, VariantFromName(json.value("variant", "files")));
  return plan;
}

volatile unsigned sink;  // so that reading is not optimised away

void Read(const Model& model, bool all) {
  if (model.info().memory == HandleKind::kCudaDevice) return;  // not the processor's to read
  const std::span<const std::byte> bytes = model.bytes();
  unsigned sum = 0;
  for (size_t i = 0; i < bytes.size() && (all || i == 0); i += 4096) {
    sum += static_cast<unsigned>(bytes[i]);
  }
  sink = sum;
}

Result<int64_t> TimeOpen(const Plan& plan, const std::string& tier, Client* client) {
  for (const std::string& path : plan.drop) TRIMS_RETURN_IF_ERROR(DropFromPageCache(path));
  const int64_t begin = NowNs();
  TRIMS_ASSIGN_OR_RETURN(const Model model,
                         client->Open(plan.model, {.variant = plan.variant, .tier = tier}));
  Read(model, plan.read);
  return NowNs() - begin;
}

// What nobody holds has left every tier, where the daemon reclaims eagerly.
Status WaitUntilGone(const Plan& plan, Admin* admin) {
  for (int i = 0; i < kMostWaits; ++i) {
    TRIMS_ASSIGN_OR_RETURN(const std::string status, admin->GetStatus());
    const nlohmann::json json = nlohmann::json::parse(status);
    const bool lazy = json["host"]["reclaim"] == "lazy";
    if (lazy || json["segments"].size() <= plan.hold.size()) return Status();
  }
  return Status(StatusCode::kDeadlineExceeded, "models are still resident");
}

Status Run(const char* path) {
  TRIMS_ASSIGN_OR_RETURN(const Plan plan, ReadPlan(path));
  TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect({.socket_path = plan.socket}));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, Admin::Connect({.socket_path = plan.socket}));
  std::vector<Model> held;
  for (const std::string& tier : plan.hold) {
    TRIMS_ASSIGN_OR_RETURN(Model model,
                           client.Open(plan.model, {.variant = plan.variant, .tier = tier}));
    held.push_back(std::move(model));
  }
  std::map<std::string, std::vector<int64_t>> took;
  for (int i = 0; i < plan.repetitions; ++i) {
    for (const std::string& tier : plan.tiers) {
      TRIMS_ASSIGN_OR_RETURN(const int64_t ns, TimeOpen(plan, tier, &client));
      took[tier].push_back(ns);
      TRIMS_RETURN_IF_ERROR(WaitUntilGone(plan, &admin));
    }
  }
  std::printf("%s\n", nlohmann::json{{"ns", took}}.dump().c_str());
  return Status();
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_tiers PLAN.json\n", stderr);
    return 2;
  }
  const trims::Status status = trims::bench::Run(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "bench_tiers: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

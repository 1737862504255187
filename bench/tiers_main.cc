// bench_tiers: opens of models in several tiers, taking turns.
//
//   bench_tiers PLAN.json     {"socket", "models": […], "variant", "tiers": […], "hold": […], "repetitions",
//                             "drop": [paths], "warm": bytes}
//
// "hold": tiers in which the models stay open meanwhile; "drop": files that leave the page cache before each
// open; "warm": of memory, likewise (common/memory.h). Timed: Open and, where the processor may, the read of
// the first byte. Not timed: closing, after which a daemon that reclaims eagerly is waited for.
// Prints {"ns": {model: {tier: […]}}}.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/admin.h"
#include "trims/client.h"

#include "base/macros.h"
#include "common/memory.h"
#include "common/page_cache.h"
#include "common/timing.h"

namespace trims::bench {
namespace {

constexpr int kMostWaits = 30'000;
constexpr std::chrono::milliseconds kBetweenWaits{1};

struct Plan {
  std::string socket;
  std::vector<std::string> models;
  Variant variant = Variant::kFiles;
  std::vector<std::string> tiers;
  std::vector<std::string> hold;
  int repetitions = 1;
  std::vector<std::string> drop;
  uint64_t warm = 0;
};

Result<Plan> ReadPlan(const char* path) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) {
    return Status(StatusCode::kInvalidArgument, std::string(path) + " is no plan");
  }
  Plan plan{.socket = json.value("socket", ""),
            .models = json.value("models", std::vector<std::string>()),
            .tiers = json.value("tiers", std::vector<std::string>()),
            .hold = json.value("hold", std::vector<std::string>()),
            .repetitions = json.value("repetitions", 1),
            .drop = json.value("drop", std::vector<std::string>()),
            .warm = json.value("warm", uint64_t{0})};
  TRIMS_ASSIGN_OR_RETURN(plan.variant, VariantFromName(json.value("variant", "files")));
  return plan;
}

volatile std::byte sink;  // so that reading is not optimised away

void ReadFirst(const Model& model) {
  if (model.info().memory != HandleKind::kCudaDevice) sink = model.bytes().front();
}

Result<int64_t> TimeOpen(const Plan& plan, const std::string& name, const std::string& tier,
                         Client* client) {
  for (const std::string& path : plan.drop) TRIMS_RETURN_IF_ERROR(DropFromPageCache(path));
  if (plan.warm > 0) TRIMS_RETURN_IF_ERROR(WarmMemory(plan.warm));
  const int64_t begin = NowNs();
  TRIMS_ASSIGN_OR_RETURN(const Model model,
                         client->Open(name, {.variant = plan.variant, .tier = tier}));
  ReadFirst(model);
  return NowNs() - begin;
}

Result<nlohmann::json> StatusOf(Admin* admin) {
  TRIMS_ASSIGN_OR_RETURN(const std::string status, admin->GetStatus());
  return nlohmann::json::parse(status);
}

// What nobody holds has left every tier, where the daemon reclaims eagerly.
Status WaitUntilGone(const Plan& plan, Admin* admin) {
  for (int i = 0; i < kMostWaits; ++i) {
    TRIMS_ASSIGN_OR_RETURN(const nlohmann::json status, StatusOf(admin));
    if (status["segments"].size() <= plan.hold.size() * plan.models.size()) return Status();
    std::this_thread::sleep_for(kBetweenWaits);
  }
  return Status(StatusCode::kDeadlineExceeded, "models are still resident");
}

Result<std::vector<Model>> Hold(const Plan& plan, Client* client) {
  std::vector<Model> held;
  for (const std::string& name : plan.models) {
    for (const std::string& tier : plan.hold) {
      TRIMS_ASSIGN_OR_RETURN(Model model,
                             client->Open(name, {.variant = plan.variant, .tier = tier}));
      held.push_back(std::move(model));
    }
  }
  return held;
}

Status Run(const char* path) {
  TRIMS_ASSIGN_OR_RETURN(const Plan plan, ReadPlan(path));
  TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect({.socket_path = plan.socket}));
  TRIMS_ASSIGN_OR_RETURN(Admin admin, Admin::Connect({.socket_path = plan.socket}));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<Model> held, Hold(plan, &client));
  TRIMS_ASSIGN_OR_RETURN(const nlohmann::json before, StatusOf(&admin));
  const bool eager = before["host"]["reclaim"] == "eager";
  std::map<std::string, std::map<std::string, std::vector<int64_t>>> took;
  for (int i = 0; i < plan.repetitions; ++i) {
    for (const std::string& name : plan.models) {
      for (const std::string& tier : plan.tiers) {
        TRIMS_ASSIGN_OR_RETURN(const int64_t ns, TimeOpen(plan, name, tier, &client));
        took[name][tier].push_back(ns);
        if (eager) TRIMS_RETURN_IF_ERROR(WaitUntilGone(plan, &admin));
      }
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

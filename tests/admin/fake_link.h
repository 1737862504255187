// FakeLink: a daemon that answers what a test says and remembers what it was asked.
#ifndef TRIMS_TESTS_ADMIN_FAKE_LINK_H_
#define TRIMS_TESTS_ADMIN_FAKE_LINK_H_

#include <string>
#include <vector>

#include "admin/daemon_link.h"

namespace trims::test {

class FakeLink : public admin::DaemonLink {
 public:
  Result<std::string> GetStatus() override { return Asked("status"); }
  Result<std::string> List() override { return Asked("list"); }
  Result<std::string> Show(const std::string& reference) override {
    return Asked("show " + reference);
  }
  Result<std::string> Remove(const std::string& reference) override {
    return Asked("remove " + reference);
  }
  Result<std::string> Policy(const PolicyOptions& options) override {
    return Asked("policy " + options.tier + "," + options.eviction + "," + options.admission + "," +
                 options.reclaim + (options.budget.empty() ? "" : "," + options.budget));
  }
  Result<std::string> Events(const EventsOptions& options) override {
    std::string what = "events";
    if (options.since) what += " since " + std::to_string(*options.since);
    for (const std::string& kind : options.kinds) what += " " + kind;
    if (!options.model.empty()) what += " of " + options.model;
    if (options.opens) what += " and opens";
    return Asked(what + " for " + std::to_string(options.wait.count()) + " ms");
  }
  Result<std::string> Explain(const std::string& reference,
                              const ResidentOptions& options) override {
    std::string what = "explain " + reference + " " + options.tier;
    for (const Variant variant : options.variants) what += " " + std::string(VariantName(variant));
    return Asked(what);
  }
  Result<std::string> Evict(const std::string& reference, const ResidentOptions& options) override {
    std::string what =
        "evict " + reference + " " + options.tier + (options.when_idle ? " idle" : "");
    for (const Variant variant : options.variants) what += " " + std::string(VariantName(variant));
    return Asked(what);
  }
  Status Load(const std::string& reference, const OpenOptions& options) override {
    return Asked("load " + reference + " " + std::string(VariantName(options.variant)) + " " +
                 options.tier)
        .status();
  }

  Result<std::string> answer = std::string("{}");
  std::vector<std::string> asked;

 private:
  Result<std::string> Asked(std::string what) {
    asked.push_back(std::move(what));
    return answer;
  }
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_ADMIN_FAKE_LINK_H_

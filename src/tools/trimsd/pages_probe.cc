#include "tools/trimsd/pages_probe.h"

#include <utility>

#include "base/fault.h"
#include "base/macros.h"
#include "base/mapping.h"

namespace trims::daemon {

std::string PagesAdvice(Pages pages, HugePagePolicy policy) {
  if (pages != Pages::kSmall || policy == HugePagePolicy::kSmall) return "";
  return "loads and first touches are up to ten times faster on huge pages: "
         "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled, "
         "or sysctl vm.nr_hugepages=<budget / 2 MiB>";
}

Result<PagesProbe> ProbePages(HugePagePolicy policy) {
  const fault::ScopedExemption not_what_a_test_means_to_fail;
  TRIMS_ASSIGN_OR_RETURN(const ExtentWriter probe,
                         ExtentWriter::Create("trims-probe", kHugePageSize, policy));
  return PagesProbe{.pages = probe.pages(), .advice = PagesAdvice(probe.pages(), policy)};
}

}  // namespace trims::daemon

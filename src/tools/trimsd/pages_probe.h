// ProbePages: which pages models will get on this machine, and what would get better ones.
//
// Asks the kernel by making a small extent, as a load would. Thread-safety: safe.
#ifndef TRIMS_TOOLS_TRIMSD_PAGES_PROBE_H_
#define TRIMS_TOOLS_TRIMSD_PAGES_PROBE_H_

#include <string>

#include "trims/model.h"
#include "trims/status.h"

#include "store/host_memory.h"

namespace trims::daemon {

struct PagesProbe {
  Pages pages = Pages::kSmall;
  std::string advice;  // PagesAdvice()
};

// What to change where models lie on `pages`. Empty with huge pages of either kind, which are fast
// enough to be no news, and where the operator asked for small ones.
std::string PagesAdvice(Pages pages, HugePagePolicy policy);

Result<PagesProbe> ProbePages(HugePagePolicy policy);

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_PAGES_PROBE_H_

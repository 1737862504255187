#include "manager/explain.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace trims {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

bool Has(const OpenPlan& plan) { return plan.state == SegmentState::kResident; }
bool Gets(const OpenPlan& plan) { return plan.load.has_value(); }

// From the lowest place that its bytes would come from.
std::string ServedFrom(const std::vector<OpenPlan>& plans, bool on_disk) {
  const OpenPlan& last = plans.back();
  if (Has(last)) return last.tier;
  if (Gets(last)) return "load";
  return on_disk ? "disk" : "remote";
}

// Of all loads together: what there is for one that was never loaded.
std::optional<microseconds> AtTheAverageRate(uint64_t bytes, const Counters& counters) {
  if (counters.bytes_loaded == 0 || counters.load_us == 0) return std::nullopt;
  const double us_per_byte =
      static_cast<double>(counters.load_us) / static_cast<double>(counters.bytes_loaded);
  return microseconds(static_cast<int64_t>(us_per_byte * static_cast<double>(bytes)));
}

void Estimate(const OpenPlan& plan, const Counters& counters, ExplainedOpen* open) {
  if (Has(plan)) {
    open->estimate = microseconds(0);
    open->estimate_from = "resident";
  } else if (Gets(plan)) {
    if (plan.load->remaining) open->estimate = *plan.load->remaining;
    open->estimate_from = "load";
  } else if (plan.reload_time > Duration::zero()) {
    open->estimate = duration_cast<microseconds>(plan.reload_time);
    open->estimate_from = "measured";
  } else if ((open->estimate = AtTheAverageRate(plan.missing_bytes, counters))) {
    open->estimate_from = "average";
  }
}

// From which all that is missing would come; nullptr: not from one peer.
const SegmentTable* PeerOf(const SegmentTable& table, const ImagePtr& form) {
  const SegmentTable* peer = nullptr;
  for (const ImagePtr& part : PartsOf(form)) {
    if (table.IsHere(*part)) continue;
    const SegmentTable* const from = table.PeerFor(*part);
    if (from == nullptr || (peer != nullptr && from != peer)) return nullptr;
    peer = from;
  }
  return peer;
}

}  // namespace

ExplainedOpen Explain(const ImagePtr& image, const SegmentTable& tier, const Counters& counters,
                      bool on_disk) {
  ExplainedOpen open{.reference = image->reference, .kind = image->kind, .key = image->variant_key};
  for (const SegmentTable* table = &tier; table != nullptr; table = table->beneath()) {
    open.plans.push_back(table->Plan(image));
    const OpenPlan& plan = open.plans.back();
    if (open.refused.ok()) open.refused = plan.refused;
    if (Has(plan) || Gets(plan)) break;
    const ImagePtr& form = table->FormOf(image);
    const uint64_t moves = form->parts.empty() ? image->variant.ExtentBytes() : plan.missing_bytes;
    if (const SegmentTable* peer = PeerOf(*table, form)) {
      open.moves_bytes = moves;
      open.plans.push_back(peer->Plan(image));
      break;
    }
    open.moves_bytes = std::max(open.moves_bytes, moves);
  }
  if (!open.refused.ok()) return open;
  open.served_from = ServedFrom(open.plans, on_disk);
  Estimate(open.plans.front(), counters, &open);
  return open;
}

}  // namespace trims

// NamespaceLedger: what each namespace takes of one tier, held against its quota, where there are some.
//
//   TRIMS_RETURN_IF_ERROR(ledger.CheckLoad(image, bytes, now));     // QUOTA_EXCEEDED
//   Charge charge = ledger.ChargeLoad(image.reference, bytes, now);    // until it goes
//
// Bytes are charged to the namespace for which they were loaded; others that open the same content share them and are charged
// their leases. The ledger outlives its charges. Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_NAMESPACE_LEDGER_H_
#define TRIMS_RESIDENCY_NAMESPACE_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "trims/status.h"

#include "base/clock.h"
#include "residency/quota.h"

namespace trims {

struct NamespaceUse {
  Quota quota;
  uint64_t bytes = 0;    // resident, loading or lingering
  uint64_t leaving = 0;  // being freed
  uint64_t leases = 0;
  uint64_t loads = 0;
  uint64_t refused = 0;   // opens, since the start
  double loads_left = 0;  // LoadsLeft at `counted`
  TimePoint counted;
};

// Move-only: what it is for counts until it goes.
class Charge {
 public:
  Charge() = default;
  Charge(Charge&& other) noexcept { *this = std::move(other); }
  Charge& operator=(Charge&& other) noexcept;
  ~Charge() { Release(); }
  void Release();

  void EndLoad();                 // its bytes are there
  void SetLeaving(bool leaving);  // its bytes are being freed
  // nullptr: of nothing.
  const NamespaceUse* use() const { return use_; }
  uint64_t bytes() const { return bytes_; }

 private:
  friend class NamespaceLedger;
  Charge(NamespaceUse* use, uint64_t bytes, uint64_t leases, uint64_t loads)
      : use_(use), bytes_(bytes), leases_(leases), loads_(loads) {}

  NamespaceUse* use_ = nullptr;
  uint64_t bytes_ = 0;
  uint64_t leases_ = 0;
  uint64_t loads_ = 0;
  bool leaving_ = false;
};

class NamespaceLedger {
 public:
  NamespaceLedger(Quotas quotas, std::string tier);
  NamespaceLedger(const NamespaceLedger&) = delete;
  NamespaceLedger& operator=(const NamespaceLedger&) = delete;

  bool limits() const { return !quotas_.empty(); }
  const Quotas& quotas() const { return quotas_; }
  // From now on. What a namespace has beyond a lower one stays until its next load, or another's.
  void SetQuotas(Quotas quotas);

  // QUOTA_EXCEEDED, with the numbers.
  Status CheckLease(std::string_view reference) const;
  // Of all but the bytes that others of its namespace could make room for.
  Status CheckLoad(std::string_view reference, uint64_t bytes, TimePoint now) const;
  // How many bytes of the namespace's own have to go first.
  uint64_t Excess(std::string_view reference, uint64_t bytes) const;
  // What it is answered where too few of them may.
  Status TooManyBytes(std::string_view reference, uint64_t bytes) const;
  // An open was answered one of these.
  void CountRefused(std::string_view reference);

  Charge ChargeLease(std::string_view reference);
  Charge ChargeLoad(std::string_view reference, uint64_t bytes, TimePoint now);
  // Of what comes as a part of another load.
  Charge ChargeBytes(std::string_view reference, uint64_t bytes);

  const std::map<std::string, NamespaceUse, std::less<>>& uses() const { return uses_; }

 private:
  void SeeNamed();
  Quota QuotaOf(std::string_view name) const;
  NamespaceUse Fresh(std::string_view name) const;  // of one that was never seen
  NamespaceUse SeenOf(std::string_view reference) const;
  NamespaceUse* UseOf(std::string_view reference);
  Status Exceeded(std::string_view reference, const std::string& why, const char* hint) const;

  Quotas quotas_;
  const std::string tier_;
  // Of namespaces that have been seen or have a quota of their own.
  std::map<std::string, NamespaceUse, std::less<>> uses_;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_NAMESPACE_LEDGER_H_

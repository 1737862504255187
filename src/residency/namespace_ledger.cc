#include "residency/namespace_ledger.h"

#include "base/bytes_text.h"

namespace trims {

Charge& Charge::operator=(Charge&& other) noexcept {
  if (this == &other) return *this;
  Release();
  use_ = std::exchange(other.use_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  leases_ = std::exchange(other.leases_, 0);
  loads_ = std::exchange(other.loads_, 0);
  leaving_ = std::exchange(other.leaving_, false);
  return *this;
}

void Charge::Release() {
  if (use_ == nullptr) return;
  (leaving_ ? use_->leaving : use_->bytes) -= bytes_;
  use_->leases -= leases_;
  use_->loads -= loads_;
  use_ = nullptr;
}

void Charge::EndLoad() {
  if (use_ != nullptr) use_->loads -= std::exchange(loads_, 0);
}

void Charge::SetLeaving(bool leaving) {
  if (use_ == nullptr || leaving == leaving_) return;
  (leaving_ ? use_->leaving : use_->bytes) -= bytes_;
  (leaving ? use_->leaving : use_->bytes) += bytes_;
  leaving_ = leaving;
}

NamespaceLedger::NamespaceLedger(Quotas quotas, std::string tier)
    : quotas_(std::move(quotas)), tier_(std::move(tier)) {
  SeeNamed();
}

// So that they are shown before they take anything.
void NamespaceLedger::SeeNamed() {
  for (const auto& [name, quota] : quotas_) {
    if (name != "*") uses_.try_emplace(name, Fresh(name));
  }
}

Quota NamespaceLedger::QuotaOf(std::string_view name) const {
  auto quota = quotas_.find(name);
  if (quota == quotas_.end()) quota = quotas_.find("*");
  return quota == quotas_.end() ? Quota() : quota->second;
}

// What may begin at once with a new rate may, whatever began before.
void NamespaceLedger::SetQuotas(Quotas quotas) {
  quotas_ = std::move(quotas);
  SeeNamed();
  for (auto& [name, use] : uses_) {
    const Quota quota = QuotaOf(name);
    if (quota.loads_per_minute != use.quota.loads_per_minute)
      use.loads_left = static_cast<double>(quota.loads_per_minute);
    use.quota = quota;
  }
}

NamespaceUse NamespaceLedger::Fresh(std::string_view name) const {
  NamespaceUse use{.quota = QuotaOf(name)};
  use.loads_left = static_cast<double>(use.quota.loads_per_minute);
  return use;
}

NamespaceUse NamespaceLedger::SeenOf(std::string_view reference) const {
  const auto known = uses_.find(NamespaceOf(reference));
  return known != uses_.end() ? known->second : Fresh(NamespaceOf(reference));
}

NamespaceUse* NamespaceLedger::UseOf(std::string_view reference) {
  const std::string_view name = NamespaceOf(reference);
  auto known = uses_.find(name);
  if (known == uses_.end()) known = uses_.emplace(name, Fresh(name)).first;
  return &known->second;
}

Status NamespaceLedger::Exceeded(std::string_view reference, const std::string& why,
                                 const char* hint) const {
  return Status(StatusCode::kQuotaExceeded,
                "model '" + std::string(reference) + "': namespace '" +
                    std::string(NamespaceOf(reference)) + "' " + why + " in tier '" + tier_ + "'",
                hint);
}

void NamespaceLedger::CountRefused(std::string_view reference) {
  if (limits()) ++UseOf(reference)->refused;
}

Status NamespaceLedger::CheckLease(std::string_view reference) const {
  if (!limits()) return {};
  const NamespaceUse use = SeenOf(reference);
  if (use.leases < use.quota.leases) return {};
  return Exceeded(reference,
                  "has " + std::to_string(use.leases) + " leases of " +
                      std::to_string(use.quota.leases) + " that its quota allows",
                  "close models that are not needed any more, or raise leases= of its quota: trims "
                  "policy --quota");
}

Status NamespaceLedger::CheckLoad(std::string_view reference, uint64_t bytes, TimePoint now) const {
  if (!limits()) return {};
  const NamespaceUse use = SeenOf(reference);
  const Quota& quota = use.quota;
  if (bytes > quota.bytes) return TooManyBytes(reference, bytes);
  if (use.loads >= quota.loads) {
    return Exceeded(reference,
                    "has " + std::to_string(use.loads) + " loads in flight of " +
                        std::to_string(quota.loads) + " that its quota allows",
                    "open it again when one of them is done, or raise loads= of its quota: trims "
                    "policy --quota");
  }
  if (quota.loads_per_minute == Quota::kNoLimit) return {};
  if (LoadsLeft(use.loads_left, use.counted, now, quota.loads_per_minute) >= 1) return {};
  return Exceeded(
      reference,
      "has begun as many loads as its quota allows, " + std::to_string(quota.loads_per_minute) +
          " a minute,",
      "open it again in a moment, or raise loads-per-minute= of its quota: trims policy --quota");
}

uint64_t NamespaceLedger::Excess(std::string_view reference, uint64_t bytes) const {
  if (!limits()) return 0;
  const NamespaceUse use = SeenOf(reference);
  const uint64_t wanted = use.bytes + bytes;
  return wanted > use.quota.bytes ? wanted - use.quota.bytes : 0;
}

Status NamespaceLedger::TooManyBytes(std::string_view reference, uint64_t bytes) const {
  const NamespaceUse use = SeenOf(reference);
  if (bytes > use.quota.bytes) {
    return Exceeded(
        reference,
        "may have " + BytesText(use.quota.bytes) + ", and it alone takes " + BytesText(bytes) + ",",
        "raise bytes= of its quota: trims policy --quota");
  }
  return Exceeded(
      reference,
      "has " + BytesText(use.bytes) + " of " + BytesText(use.quota.bytes) +
          " that its quota allows, too little of them idle for " + BytesText(bytes) + " more,",
      "close models of that namespace, or raise bytes= of its quota: trims policy --quota");
}

Charge NamespaceLedger::ChargeLease(std::string_view reference) {
  NamespaceUse* use = UseOf(reference);
  ++use->leases;
  return Charge(use, 0, 1, 0);
}

Charge NamespaceLedger::ChargeLoad(std::string_view reference, uint64_t bytes, TimePoint now) {
  NamespaceUse* use = UseOf(reference);
  use->bytes += bytes;
  ++use->loads;
  if (use->quota.loads_per_minute != Quota::kNoLimit) {
    use->loads_left =
        LoadsLeft(use->loads_left, use->counted, now, use->quota.loads_per_minute) - 1;
    use->counted = now;
  }
  return Charge(use, bytes, 0, 1);
}

Charge NamespaceLedger::ChargeBytes(std::string_view reference, uint64_t bytes) {
  NamespaceUse* use = UseOf(reference);
  use->bytes += bytes;
  return Charge(use, bytes, 0, 0);
}

}  // namespace trims

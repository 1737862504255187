#include "store/budget.h"

namespace trims {

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Reservation::Release() {
  if (budget_ != nullptr) budget_->used_ -= bytes_;
  budget_ = nullptr;
  bytes_ = 0;
}

std::string Budget::HowToRaise() const {
  const std::string which = tier_ == "host" ? "" : " --tier " + tier_;
  return "raise the budget: trims policy" + which + " --budget SIZE (from the start: trimsd --" +
         tier_.substr(0, tier_.find(':')) + "-budget)";
}

Result<Reservation> Budget::Reserve(uint64_t bytes) {
  if (bytes > limit_) {
    return Status(StatusCode::kTooLarge,
                  std::to_string(bytes) + " bytes are needed, the budget of tier '" + tier_ +
                      "' is " + std::to_string(limit_) + " bytes",
                  HowToRaise());
  }
  if (bytes > free()) {
    return Status(StatusCode::kResourceExhausted, std::to_string(bytes) + " bytes are needed, " +
                                                      std::to_string(free()) + " of the " +
                                                      std::to_string(limit_) + " bytes of tier '" +
                                                      tier_ + "' are free");
  }
  used_ += bytes;
  return Reservation(this, bytes);
}

}  // namespace trims

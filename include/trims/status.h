// Status and Result<T>: how every call of TrIMS says that it failed.
//
// A Status is a code, a message (what was expected and what came) and a hint (the next step, may be
// empty). Result<T> holds either a T or a Status that is not OK. Neither may be ignored: both are
// [[nodiscard]]. The library throws nothing.
//
//     trims::Result<trims::Model> model = client.Open("resnet50");
//     if (!model.ok()) return std::cerr << model.status().ToString() << '\n', 1;
//     Use(*model);
//
// Misuse: value(), * and -> of a Result that is not ok() end the program with the status on
// standard error. Thread-safety: values; concurrent reads of one object are safe.
#ifndef TRIMS_STATUS_H_
#define TRIMS_STATUS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "trims/export.h"

namespace trims {

// The codes are part of the wire protocol and of the C ABI: values are never reused or renumbered.
enum class StatusCode : uint8_t {
  kOk = 0,
  kInvalidArgument = 1,    // the request or the bytes are malformed; retrying does not help
  kNotFound = 2,           // no such model, version, variant, tier, tensor or file
  kAlreadyExists = 3,      // the name is taken by other content
  kPermissionDenied = 4,   // the kernel or the MRM's rules refuse this principal
  kTooLarge = 5,           // larger than the tier or the limit: it can never fit
  kQuotaExceeded = 6,      // a limit of this principal or connection is used up
  kResourceExhausted = 7,  // no room now: memory, descriptors, budget held by leases
  kFailedPrecondition =
      8,                  // the state forbids it: source changed, variant made for another runtime
  kDeadlineExceeded = 9,  // the caller's deadline passed
  kUnavailable = 10,      // the daemon is not there, is stopping or went away; retry may help
  kDataLoss = 11,         // bytes differ from their digest, or a file is truncated
  kUnimplemented = 12,    // this build, kernel or peer cannot do it
  kCancelled = 13,        // given up by the caller
  kInternal = 14,         // a defect of TrIMS
};

// The name used in messages, JSON and metrics, e.g. "NOT_FOUND". "UNKNOWN" for a value outside the
// enum.
TRIMS_EXPORT std::string_view StatusCodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK
  Status(StatusCode code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }  // the next step, or empty

  // "NOT_FOUND: no model 'resnet5' (try: trims ls)"
  TRIMS_EXPORT std::string ToString() const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string hint_;
};

namespace internal {
[[noreturn]] TRIMS_EXPORT void DieOnBadResultAccess(const Status& status);
}  // namespace internal

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<1>, std::move(value)) {}
  Result(Status status) : state_(std::in_place_index<0>, std::move(status)) {
    if (std::get<0>(state_).ok()) {
      std::get<0>(state_) = Status(StatusCode::kInternal, "a Result was made from an OK status");
    }
  }

  bool ok() const { return state_.index() == 1; }

  // OK if there is a value.
  Status status() const& { return ok() ? Status() : std::get<0>(state_); }
  Status status() && { return ok() ? Status() : std::get<0>(std::move(state_)); }

  T& value() & { return Check(), std::get<1>(state_); }
  const T& value() const& { return Check(), std::get<1>(state_); }
  T&& value() && { return Check(), std::get<1>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void Check() const {
    if (!ok()) internal::DieOnBadResultAccess(std::get<0>(state_));
  }

  std::variant<Status, T> state_;
};

}  // namespace trims

#endif  // TRIMS_STATUS_H_

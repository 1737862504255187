#include "client/c_handles.h"

namespace trims::c {

trims_status* NoMemory() {
  static trims_status& status =
      *new trims_status{Status(StatusCode::kResourceExhausted, "no memory")};
  return &status;
}

namespace {

[[maybe_unused]] const trims_status* const made_early = NoMemory();

}  // namespace

trims_status* Give(Status status) {
  return status.ok() ? nullptr : new trims_status{std::move(status)};
}

void Free(trims_status* status) {
  if (status != NoMemory()) delete status;
}

Status Missing(const char* what) {
  return Status(StatusCode::kInvalidArgument, std::string(what) + " is NULL");
}

std::string TextOf(const char* text) { return text == nullptr ? std::string() : std::string(text); }

}  // namespace trims::c

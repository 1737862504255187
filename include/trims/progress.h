// LoadProgress: how far the load is that an open waits for.
//
//     trims::OpenOptions options;
//     options.progress = [](const trims::LoadProgress& load) {
//       std::cerr << load.bytes_done << " of " << load.bytes_total << " bytes\n";
//       return true;  // wait on
//     };
//     trims::Result<trims::Model> model = client.Open("resnet50", options);
//
// Values; `trims status` says the same of every load, with the same names.
#ifndef TRIMS_PROGRESS_H_
#define TRIMS_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace trims {

struct LoadProgress {
  std::string tier;          // that is being filled
  uint64_t bytes_done = 0;   // read and hashed; 0 while it waits for room
  uint64_t bytes_total = 0;  // of the model
  // Since the bytes began to come, for whomever that was; 0: not known yet.
  uint64_t bytes_per_second = 0;
  // At that rate; empty where there is none.
  std::optional<std::chrono::milliseconds> remaining;
};

}  // namespace trims

#endif  // TRIMS_PROGRESS_H_

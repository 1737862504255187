// The 39 models that the paper measures with, as a policy sees them: how large they are, and what it
// takes to bring one in.
#ifndef TRIMS_BENCH_POLICY_PAPER_MODELS_H_
#define TRIMS_BENCH_POLICY_PAPER_MODELS_H_

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace trims::bench {

struct PaperModel {
  uint64_t bytes = 0;
  Duration load_time{};  // 3 ms, and its bytes at 1.5 GB/s: the disk of a small virtual machine
};

// Sizes follow from their numbers of parameters, 4 bytes each. Those of AlexNet and VGG16 with larger
// pictures follow from the first fully connected layer, which grows with what reaches it.
std::vector<PaperModel> PaperModels();

}  // namespace trims::bench

#endif  // TRIMS_BENCH_POLICY_PAPER_MODELS_H_

#include "policy/paper_models.h"

#include <chrono>

namespace trims::bench {
namespace {

constexpr uint64_t kAlexNet = 60'965'224;
constexpr uint64_t kVgg16 = 138'357'544;
constexpr uint64_t kResNet152 = 60'192'808;

constexpr uint64_t kParameters[] = {
    kAlexNet,
    kAlexNet,               // CaffeNet
    kAlexNet - 800 * 4097,  // RCNN-ILSVRC13: 200 classes instead of 1000
    6'998'552,              // GoogLeNet
    7'595'176,              // NiN
    1'248'424,
    1'235'496,  // SqueezeNet 1.0, 1.1
    kVgg16,
    143'667'240,  // VGG16, VGG19
    11'295'240,   // Inception-BN
    23'834'568,
    42'679'816,  // Inception v3, v4
    55'843'464,  // Inception-ResNet-v2
    11'689'512,
    21'797'672,  // ResNet 18, 34
    25'557'032,
    44'549'160,
    kResNet152,                  // ResNet 50, 101, 152
    kResNet152 + 10'221 * 2049,  // ResNet 152 with 11 221 classes
    11'695'796,
    21'803'956,  // ResNet v2 18, 34
    25'568'360,
    44'577'896,
    60'236'904,  // ResNet v2 50, 101, 152
    64'669'864,
    102'069'416,  // ResNet v2 200, 269
    15'388'000,
    25'028'904,
    44'177'704,  // ResNeXt 26, 50, 101
    12'611'602,
    37'668'392,  // DPN 68, 92
    68'883'240,  // WRN-50-2
    22'910'480,  // Xception
};

// Of its first fully connected layer, to which a map of side × side reaches.
uint64_t Grown(uint64_t parameters, uint64_t channels, uint64_t side, uint64_t grown_side) {
  return parameters + channels * 4096 * (grown_side * grown_side - side * side);
}

PaperModel Of(uint64_t parameters) {
  const uint64_t bytes = 4 * parameters;
  const auto reading = std::chrono::duration<double>(static_cast<double>(bytes) / 1.5e9);
  return {bytes, std::chrono::milliseconds(3) + std::chrono::duration_cast<Duration>(reading)};
}

}  // namespace

std::vector<PaperModel> PaperModels() {
  std::vector<PaperModel> models;
  for (const uint64_t parameters : kParameters) models.push_back(Of(parameters));
  for (const uint64_t side : {13, 21, 28}) {  // pictures of 454, 681, 908
    models.push_back(Of(Grown(kAlexNet, 256, 6, side)));
  }
  for (const uint64_t side : {14, 21, 28}) {  // of 448, 672, 896
    models.push_back(Of(Grown(kVgg16, 512, 7, side)));
  }
  return models;
}

}  // namespace trims::bench

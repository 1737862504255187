// Models of ten layers of random bytes, of which fine-tunes change some, and whether a client has the right bytes of one.
//
//   folder.Write("one.safetensors", SafetensorsFile(WithLayer(3, 103), kLayerBytes));
//   ExpectLayers(*client.Open("one"), WithLayer(3, 103));
//
// Thread-safety: pure functions.
#ifndef TRIMS_TESTS_E2E_DAEMON_LAYERED_MODEL_H_
#define TRIMS_TESTS_E2E_DAEMON_LAYERED_MODEL_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "trims/client.h"

#include "base/granularity.h"
#include "support/safetensors_file.h"

namespace trims::test {

inline constexpr size_t kLayerBytes = size_t{4} << 20;
inline constexpr uint64_t kLayeredModelBytes = 10 * kLayerBytes;
// Of one changed layer: the blocks that it lies in, the end of the model, the index.
inline constexpr uint64_t kOneLayerBytes = kLayerBytes + 3 * kShareBlockBytes;
inline const std::vector<uint64_t> kBase = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

// The base with another layer there.
inline std::vector<uint64_t> WithLayer(size_t layer, uint64_t seed) {
  std::vector<uint64_t> seeds = kBase;
  seeds[layer] = seed;
  return seeds;
}

// The whole file, or each tensor, is what was added.
inline void ExpectLayers(const Model& model, const std::vector<uint64_t>& seeds) {
  if (model.info().variant == Variant::kFiles) {
    const std::string file = SafetensorsFile(seeds, kLayerBytes);
    ASSERT_EQ(model.file(0).bytes.size(), file.size());
    EXPECT_EQ(std::memcmp(model.file(0).bytes.data(), file.data(), file.size()), 0);
    return;
  }
  for (size_t i = 0; i < seeds.size(); ++i) {
    const auto tensor = model.Tensor("layers." + std::to_string(i) + ".weight");
    ASSERT_TRUE(tensor.ok()) << tensor.status().ToString();
    const std::string layer = RandomLayer(seeds[i], kLayerBytes);
    ASSERT_EQ(tensor->bytes.size(), layer.size());
    EXPECT_EQ(std::memcmp(tensor->bytes.data(), layer.data(), layer.size()), 0) << i;
  }
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_E2E_DAEMON_LAYERED_MODEL_H_

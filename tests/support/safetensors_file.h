// SafetensorsFile: a model of layers of random bytes, which a seed of each decides: so that models that share some layers are made,
// byte for byte, by sharing their seeds.
//
//   const std::string base = SafetensorsFile({1, 2, 3, 4}, 4 << 20);
//   const std::string tuned = SafetensorsFile({1, 2, 9, 4}, 4 << 20);  // the third layer is another one
//
// Thread-safety: pure functions.
#ifndef TRIMS_TESTS_SUPPORT_SAFETENSORS_FILE_H_
#define TRIMS_TESTS_SUPPORT_SAFETENSORS_FILE_H_

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace trims::test {

inline std::string RandomLayer(uint64_t seed, size_t bytes) {
  std::string layer(bytes, '\0');
  std::mt19937_64 random(seed);
  for (size_t at = 0; at + sizeof(uint64_t) <= bytes; at += sizeof(uint64_t)) {
    const uint64_t word = random();
    std::memcpy(layer.data() + at, &word, sizeof(word));
  }
  return layer;
}

inline std::string SafetensorsFile(const std::vector<uint64_t>& seeds, size_t layer_bytes) {
  std::string header = "{";
  for (size_t i = 0; i < seeds.size(); ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::string("layers.") + std::to_string(i) +
              ".weight\":{\"dtype\":\"U8\",\"shape\":[" + std::to_string(layer_bytes) +
              "],\"data_offsets\":[" + std::to_string(i * layer_bytes) + "," +
              std::to_string((i + 1) * layer_bytes) + "]}";
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t length = header.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof(length));
  file += header;
  for (const uint64_t seed : seeds) file += RandomLayer(seed, layer_bytes);
  return file;
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_SAFETENSORS_FILE_H_

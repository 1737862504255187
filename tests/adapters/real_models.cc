#include "adapters/real_models.h"

#include <cstdlib>

namespace trims::test {

std::vector<RealModel> RealModels() {
  const std::string source = TRIMS_SOURCE_FOLDER;
  if (std::system(("'" + source + "/scripts/fetch-models' >&2").c_str()) != 0) return {};
  const std::string models = source + "/.cache/models/";
  return {
      {"ocr", models + "ddddocr/common.onnx", {{false, {1, 1, 64, 160}}}},
      {"ocr-old", models + "ddddocr/common_old.onnx", {{false, {1, 1, 64, 160}}}},
      {"boxes", models + "ddddocr/common_det.onnx", {{false, {1, 3, 416, 416}}}},
      {"text-det", models + "pp-ocrv4/det.onnx", {{false, {1, 3, 96, 160}}}},
      {"text-cls", models + "pp-ocrv4/cls.onnx", {{false, {1, 3, 48, 192}}}},
      {"text-rec", models + "pp-ocrv4/rec.onnx", {{false, {1, 3, 48, 160}}}},
      {"vad",
       models + "silero-vad/silero_vad.onnx",
       {{false, {1, 576}}, {false, {2, 1, 128}}, {true, {}}}},
  };
}

}  // namespace trims::test

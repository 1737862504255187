#include "demo/text_decoding.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace trims::demo {

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Result<std::vector<std::string>> ReadLabels(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(StatusCode::kNotFound, "no labels at '" + path + "'");
  return SplitLines(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string DecodeText(std::span<const float> scores, size_t classes,
                       std::span<const std::string> labels) {
  std::string text;
  size_t previous = 0;
  for (size_t step = 0; (step + 1) * classes <= scores.size() && classes > 0; ++step) {
    const auto row = scores.subspan(step * classes, classes);
    const size_t best = std::max_element(row.begin(), row.end()) - row.begin();
    if (best != previous && best != 0 && best < labels.size()) text += labels[best];
    previous = best;
  }
  return text;
}

}  // namespace trims::demo

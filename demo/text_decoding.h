// From a text network's scores to text: best class per step, repeats and blanks (class 0) dropped
// (CTC). Pure functions.
#ifndef TRIMS_DEMO_TEXT_DECODING_H_
#define TRIMS_DEMO_TEXT_DECODING_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims::demo {

// One label a line; the one in line i belongs to class i.
Result<std::vector<std::string>> ReadLabels(const std::string& path);
std::vector<std::string> SplitLines(std::string_view text);

// `scores` holds steps × classes numbers. A class without a label is left out.
std::string DecodeText(std::span<const float> scores, size_t classes,
                       std::span<const std::string> labels);

}  // namespace trims::demo

#endif  // TRIMS_DEMO_TEXT_DECODING_H_

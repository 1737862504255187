// FindTextBoxes: where a detector's probability map shows lines of text. A pure function.
#ifndef TRIMS_DEMO_TEXT_BOXES_H_
#define TRIMS_DEMO_TEXT_BOXES_H_

#include <span>
#include <vector>

#include "demo/image.h"

namespace trims::demo {

// Connected regions of the width × height map that are likely text, grown to the letters' edges,
// from top to bottom. The network marks the core of a line only: a box grows by 1.6 × area ÷
// circumference, as it was trained to be.
std::vector<Box> FindTextBoxes(std::span<const float> probability, int width, int height);

}  // namespace trims::demo

#endif  // TRIMS_DEMO_TEXT_BOXES_H_

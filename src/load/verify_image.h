// VerifyImage: whether the files of an image still hold what was recorded when its model was added.
//
//   const Status status = VerifyImage(*image, prepared_root, &control, &pacer);
//   if (status.code() == StatusCode::kDataLoss) Mend(*image);
//
// Reads everything once, as DigestVariant does, whether the image is resident or not. Blocks.
// Thread-safety: safe.
#ifndef TRIMS_LOAD_VERIFY_IMAGE_H_
#define TRIMS_LOAD_VERIFY_IMAGE_H_

#include <string>

#include "trims/status.h"

#include "format/image.h"
#include "load/pacer.h"
#include "load/tier.h"

namespace trims {

// SHA-256 and XXH3 of each extent and SHA-256 of the index. DATA_LOSS says what differs; NOT_FOUND: a
// file is gone; other errors as DigestVariant's, which say nothing of the bytes.
Status VerifyImage(const Image& image, const std::string& prepared_root, FillControl* control,
                   Pacer* pacer);

// Of the index alone.
Status VerifyIndex(const Image& image, const std::string& prepared_root);

// Whether such an answer tells of damage.
bool TellsOfDamage(const Status& status);

}  // namespace trims

#endif  // TRIMS_LOAD_VERIFY_IMAGE_H_

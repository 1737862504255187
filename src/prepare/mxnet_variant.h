// The `tensors` variant of an MXNet checkpoint: its arrays by their names ("arg:conv0_weight"), re-laid
// at 256 bytes in one extent, and the symbol as a file behind them, so that one open has both.
#ifndef TRIMS_PREPARE_MXNET_VARIANT_H_
#define TRIMS_PREPARE_MXNET_VARIANT_H_

#include <string>
#include <vector>

#include "trims/status.h"

#include "format/manifest.h"
#include "prepare/mxnet_choice.h"
#include "prepare/prepare_context.h"

namespace trims {

// Arrays without a value are left out with a note, and so is a missing symbol. `choice` has parameters.
// UNIMPLEMENTED: an array is sparse; FAILED_PRECONDITION: no array is left; else what is damaged.
Result<ManifestVariant> MakeTensorsFromMxnet(const PrepareContext& context,
                                             const MxnetChoice& choice,
                                             std::vector<std::string>* notes);

}  // namespace trims

#endif  // TRIMS_PREPARE_MXNET_VARIANT_H_

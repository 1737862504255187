// DownloadChoice: which files of a repository are worth fetching. Repositories hold the same weights for
// several frameworks, of which one is what a model is made of.
//
//   const std::vector<RemoteFile> files = WorthFetching(listed);
//
// Thread-safety: a pure function.
#ifndef TRIMS_SOURCE_DOWNLOAD_CHOICE_H_
#define TRIMS_SOURCE_DOWNLOAD_CHOICE_H_

#include <vector>

#include "source/remote_store.h"

namespace trims {

// Without what trims-prepare makes nothing of (pictures; weights in PyTorch's, TensorFlow's, Flax', Rust's
// or Core ML's own formats), where there is safetensors, ONNX or GGUF besides. All of them where there is
// none, since any file can be kept as it is.
std::vector<RemoteFile> WorthFetching(const std::vector<RemoteFile>& listed);

}  // namespace trims

#endif  // TRIMS_SOURCE_DOWNLOAD_CHOICE_H_

// Model: a lease on a resident model and the mapping of its bytes.
//
// A Model is the move-only owner of both: while it lives, the MRM keeps the segment resident and
// the bytes stay mapped, read-only, at one address. Holding one costs a lease (its bytes can't be
// evicted) and address space, but no private memory: the pages are the MRM's and are shared with
// every other process that has the model open. The kernel ends the lease if the process dies. Every
// span and string_view that a Model hands out ends with it.
//
//     trims::Result<trims::TensorView> weight = model.Tensor("encoder.layer.0.weight");
//     if (weight.ok()) Use(weight->bytes.data(), weight->shape);
//
// Misuse: writing to the bytes ends the process with SIGSEGV; no mapping, mprotect or descriptor
// can make them writable. Thread-safety: the const members may be called from any number of threads
// at once. Source: the paper's open/close API and its sharing of read-only model data between
// processes (arXiv 1811.09732).
#ifndef TRIMS_MODEL_H_
#define TRIMS_MODEL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "trims/dtype.h"
#include "trims/export.h"
#include "trims/status.h"

namespace trims {

// Which prepared memory image of a model. Values are those of the wire protocol: never renumbered.
enum class Variant : uint8_t {
  kFiles = 0,    // the model's files, byte for byte
  kTensors = 1,  // its tensors, re-laid at 256-byte boundaries
  kOrt = 2,      // ONNX Runtime's own zero-copy form, optimised when the model was added
};

// "files", "tensors", "ort".
TRIMS_EXPORT std::string_view VariantName(Variant variant);
// INVALID_ARGUMENT for any other name.
TRIMS_EXPORT Result<Variant> VariantFromName(std::string_view name);

// What kind of memory a descriptor stands for. Never renumbered.
enum class HandleKind : uint8_t {
  kHostMemory = 0,       // a sealed memfd: mmap it
  kSimulatedDevice = 1,  // the same: a simulated device's memory is the host's
  kCudaDevice = 2,       // memory of a GPU: cuMemImportFromShareableHandle
  kCudaIpc =
      3,  // the same, by a sealed memfd of a CUipcMemHandle; OpenInfo says kCudaDevice, extent_fd() is -1
};

// What backs the pages of an extent, as the kernel gave it.
enum class Pages : uint8_t { kSmall = 0, kTransparentHuge = 1, kHugeTlb = 2 };

// "4k", "thp", "hugetlb".
TRIMS_EXPORT std::string_view PagesName(Pages pages);

struct TensorView {
  std::string_view name;
  DType dtype = DType::kUnknown;
  std::span<const uint64_t> shape;   // row-major; empty for a scalar
  std::span<const std::byte> bytes;  // in a `tensors` variant the start is 256-byte aligned
  // "F32", …; where `dtype` is kUnknown, the name that the model's file has for the type: what its
  // bytes mean, and how many there are for a shape, is then for the caller to know.
  std::string_view type_name;
};

struct FileView {
  std::string_view name;             // relative path, '/' between parts
  std::span<const std::byte> bytes;  // the start is page-aligned if `fd` is not negative
  int fd = -1;  // read-only, at offset 0 the file and nothing but the file; borrowed from the
                // Model; -1: none of its own
};

// How an open was served.
struct OpenInfo {
  std::string reference;  // fully resolved, e.g. "default/resnet50:3f1c9a2b77d0"
  std::string digest;     // SHA-256 of the model, 64 hexadecimal digits
  Variant variant = Variant::kFiles;
  std::string variant_key;    // what the variant is bound to; empty for `files` and `tensors`
  std::string tier = "host";  // where it is served from
  std::string device;         // whose memory that is, e.g. "sim:0"; empty: the host's
  int device_ordinal = -1;    // a GPU's number in this process, for its frameworks; -1: no GPU's
  HandleKind memory = HandleKind::kHostMemory;  // whether `bytes` may be read by this processor
  Pages pages = Pages::kSmall;                  // of the first extent, in the host's memory
  bool hit = false;                             // the model was resident before
  std::chrono::microseconds waited{};           // in the daemon, from request to reply
};

class Model {
 public:
  TRIMS_EXPORT Model(Model&&) noexcept;
  TRIMS_EXPORT Model& operator=(Model&&) noexcept;  // closes what it held
  TRIMS_EXPORT ~Model();                            // closes

  TRIMS_EXPORT const OpenInfo& info() const;

  // The whole segment as one contiguous range; gaps between extents fault when touched. Where
  // info().memory is kCudaDevice these, and those of tensors and files, are addresses of the device, for
  // its kernels and copies: the processor must not touch them.
  TRIMS_EXPORT std::span<const std::byte> bytes() const;

  // Tensors in the order of their names. `i` < tensor_count(), checked: beyond it a view
  // without a name.
  TRIMS_EXPORT size_t tensor_count() const;
  TRIMS_EXPORT TensorView tensor(size_t i) const;
  // O(log tensor_count()). NOT_FOUND names near ones.
  TRIMS_EXPORT Result<TensorView> Tensor(std::string_view name) const;

  // Files in the order of their names; as for tensors.
  TRIMS_EXPORT size_t file_count() const;
  TRIMS_EXPORT FileView file(size_t i) const;
  TRIMS_EXPORT Result<FileView> File(std::string_view name) const;

  // What the preparer recorded, e.g. "format", "ort.version", "ort.form". Empty if there is no such
  // key.
  TRIMS_EXPORT std::string_view Metadata(std::string_view key) const;

  // Read-only descriptors of the extents, in order; borrowed. A sealed memfd each, but on a GPU.
  TRIMS_EXPORT size_t extent_count() const;
  // -1 beyond extent_count(), of what is put together of several, and by CUDA IPC.
  TRIMS_EXPORT int extent_fd(size_t i) const;

  // Unmaps and ends the lease now. All views end. Idempotent; the destructor does the same.
  TRIMS_EXPORT void Close();

 private:
  friend class Client;
  class Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims

#endif  // TRIMS_MODEL_H_

// OrtSessionBuilder: one session of ONNX Runtime that is made to be thrown away.
//
//   OrtSessionBuilder builder(api);
//   TRIMS_RETURN_IF_ERROR(builder.Begin(extensions));
//   TRIMS_RETURN_IF_ERROR(builder.Set("session.save_model_format", "ORT"));
//   return builder.FromFile(path);
//
// The first call that fails ends it. Thread-safety: one thread.
#ifndef TRIMS_PREPARE_ORT_SESSION_BUILDER_H_
#define TRIMS_PREPARE_ORT_SESSION_BUILDER_H_

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

#include "prepare/mapped_file.h"
#include "prepare/ort_library.h"

namespace trims {

class OrtSessionBuilder {
 public:
  explicit OrtSessionBuilder(const OrtApi* api) : api_(api) {}

  // `extensions`: libraries of custom operators, loaded before.
  Status Begin(const std::vector<std::string>& extensions);
  Status Set(const char* key, const std::string& value);
  Status Optimise(GraphOptimizationLevel level);
  Status WriteTo(const std::string& path);
  // Maps it until the session is gone.
  Status AddFile(const LinkedFile& file);
  // Its bytes outlive the session.
  Status AddWeight(const OrtWeight& weight);

  Status FromFile(const std::string& path);
  // Without a path, files of external data are found by the names they were added under.
  Status FromMappedFile(const std::string& path);
  Status FromBytes(std::span<const std::byte> model);

 private:
  template <typename T>
  using Owned = std::unique_ptr<T, std::function<void(T*)>>;

  Status Check(OrtStatus* raw) const;
  Result<std::span<const std::byte>> Map(const std::string& path);

  const OrtApi* api_;
  Owned<OrtEnv> env_;
  Owned<OrtSessionOptions> options_;
  Owned<OrtMemoryInfo> memory_;
  std::vector<MappedFile> files_;
  std::vector<Owned<OrtValue>> values_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_SESSION_BUILDER_H_

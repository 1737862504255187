// LoadedModels: the sessions of one function, each with what lies under it. Thread-safety: as
// Ort::Session.
#ifndef TRIMS_DEMO_LOADED_MODEL_H_
#define TRIMS_DEMO_LOADED_MODEL_H_

#include <onnxruntime_cxx_api.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

#include "demo/function.h"

namespace trims::demo {

// ONNX Runtime's environment of a function: says nothing below an error. Never destroyed, so that
// leaving costs nothing.
const Ort::Env& RuntimeEnv();

class LoadedModel {
 public:
  virtual ~LoadedModel() = default;
  virtual Ort::Session& session() = 0;
};

class LoadedModels {
 public:
  static Result<LoadedModels> Load(const Arguments& arguments);

  std::span<Ort::Session* const> sessions() const { return sessions_; }
  // Members of a JSON object that say how the models were got.
  const std::string& Describe() const { return description_; }

 private:
  void Add(std::unique_ptr<LoadedModel> model);

  std::vector<std::unique_ptr<LoadedModel>> models_;
  std::vector<Ort::Session*> sessions_;
  std::string description_;
};

}  // namespace trims::demo

#endif  // TRIMS_DEMO_LOADED_MODEL_H_

// trims::mxnet::Predictor: MXNet's predict API over a model that the MRM keeps in memory.
//
//     trims::Result<trims::Client> client = trims::Client::Connect();
//     if (!client.ok()) return Fail(client.status());
//     auto made = trims::mxnet::Predictor::Open(*client, "resnet50", {{"data", {1, 3, 224, 224}}});
//     if (!made.ok()) return Fail(made.status());
//     trims::Status status = made->SetInput("data", picture);
//     if (status.ok()) status = made->Forward();
//     if (status.ok()) status = made->GetOutput(0, classes);
//
// Open() stands for MXPredCreate, which reads a checkpoint's bytes and copies each parameter twice; the
// other functions are MXPred's of the same names. Here the parameters are NDArrays over the node's one
// copy, read-only, and nothing of them is copied. It uses the model's `tensors` variant, which has the
// checkpoint's symbol, too.
//
// libmxnet.so is loaded when the first is opened, and stays: programs are not linked to it, and this header
// needs none of MXNet's. MXNet's own fused subgraphs would keep a copy of each weight, so
// MXNET_SUBGRAPH_BACKEND is set to NONE before that, unless it is set: no other thread may use the
// environment meanwhile. docs/mxnet.md has what that costs and saves.
//
// Ownership: a Predictor owns the model's lease, the arrays over it and the executor, and ends them in the
// right order; MXNet computes with threads of its own. Thread-safety: one thread at a time for each.
#ifndef TRIMS_MXNET_H_
#define TRIMS_MXNET_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/client.h"
#include "trims/export.h"
#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

namespace trims::mxnet {

// An argument of the symbol that is no parameter, and its shape: MXPredCreate's keys and shapes.
struct Input {
  std::string name;
  std::vector<uint32_t> shape;
};

struct Options {
  // libmxnet.so of MXNet 1.9.1. Empty: $TRIMS_MXNET_LIBRARY, else as the loader finds "libmxnet.so".
  // One library in a process: the first that was loaded.
  std::string library;
  // Of a load, if the model is not resident; 0: the daemon's default.
  std::chrono::milliseconds deadline{0};
  // As OpenOptions::progress.
  std::function<bool(const LoadProgress&)> progress = {};
};

class Predictor {
 public:
  // Besides Client::Open's errors: NOT_FOUND: no such libmxnet.so; UNIMPLEMENTED: it is of a version that
  // this doesn't know, or a parameter has elements that MXNet has none of; FAILED_PRECONDITION: the model
  // is no MXNet checkpoint, has no symbol, or lacks a parameter of it; INVALID_ARGUMENT: an input that the
  // symbol has not, or a shape that doesn't fit. INTERNAL: MXNet's own words.
  TRIMS_EXPORT static Result<Predictor> Open(Client& client, std::string_view reference,
                                             const std::vector<Input>& inputs,
                                             const Options& options = {});

  TRIMS_EXPORT Predictor(Predictor&&) noexcept;
  TRIMS_EXPORT Predictor& operator=(Predictor&&) noexcept;
  TRIMS_EXPORT ~Predictor();

  // Copies all elements of an input, row-major. INVALID_ARGUMENT: no such input, or another count.
  TRIMS_EXPORT Status SetInput(std::string_view name, std::span<const float> values);

  // Starts the computation, which GetOutput() waits for.
  TRIMS_EXPORT Status Forward();

  TRIMS_EXPORT size_t output_count() const;
  // INVALID_ARGUMENT beyond output_count().
  TRIMS_EXPORT Result<std::vector<uint32_t>> OutputShape(size_t i) const;
  // Waits for the computation and copies all elements out. FAILED_PRECONDITION: nothing was computed yet;
  // UNIMPLEMENTED: they are of another type than float32, which the message names; INVALID_ARGUMENT: another
  // count.
  TRIMS_EXPORT Status GetOutput(size_t i, std::span<float> values) const;

  TRIMS_EXPORT const Model& model() const;

 private:
  class Impl;
  explicit Predictor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trims::mxnet

#endif  // TRIMS_MXNET_H_

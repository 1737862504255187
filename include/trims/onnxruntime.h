// trims::onnxruntime::Session: an ONNX Runtime session over a model that the MRM keeps in memory.
//
//     trims::Result<trims::Client> client = trims::Client::Connect();
//     if (!client.ok()) return Fail(client.status());
//     auto ocr = trims::onnxruntime::Session::Open(*client, "ocr");
//     if (!ocr.ok()) return Fail(ocr.status());
//     auto out = (*ocr)->Run(Ort::RunOptions(), inputs, values, 1, outputs, 1);
//
// It uses the model's `ort` variant: optimised once, when the model was added, and used by ONNX
// Runtime where it lies. A process that opens it pays for the graph's nodes and for nothing that
// grows with the weights. Models that `.ort` can't hold (2 GB and more) come as a graph without
// weights and named tensors; the caller doesn't notice. Where the model has no such variant, or
// session_options ask for what it can't honour, the session is made of the model's own file as ONNX
// Runtime would make it: form() and why_original() say so.
//
// Ownership: a Session owns the Model (lease and mapping) and the Ort::Session over it, and ends
// them in the right order. Values that Run() returned are the caller's and may outlive it. Cost: a
// lease, address space, the runtime's structures for the graph; no private copy of the weights.
// With Options::prepacking ONNX Runtime makes its own packed copy, which costs time and private
// memory. Thread-safety: as Ort::Session; Run() may be called from any number of threads at once.
#ifndef TRIMS_ONNXRUNTIME_H_
#define TRIMS_ONNXRUNTIME_H_

#include <onnxruntime_cxx_api.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "trims/client.h"
#include "trims/export.h"
#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

namespace trims::onnxruntime {

struct Options {
  int intra_op_threads = 0;  // 0: what session_options say, else ONNX Runtime's default
  int inter_op_threads = 0;
  // Re-packed weights: a private copy and the time to make it, for faster large batches (a third at
  // batch 64 of a large MatMul, nothing measurable at batch 1).
  bool prepacking = false;
  bool memory_arena = true;  // false: activations are freed after each run
  // Where to start from: providers, logging, profiling, custom operators…; copied, may go after
  // Open(). Options that say how the graph is read or optimised (another level than ORT_ENABLE_ALL,
  // fixed dimensions, entries such as "session.disable_quant_qdq") make Open() take the model's own
  // file: docs/adapters.md lists them. A path for the optimised model, initializers, and execution
  // providers other than the CPU's can't be seen: set `original` with them.
  const Ort::SessionOptions* session_options = nullptr;
  // Take the model's own file and the options as they are; nothing is shared but its bytes.
  bool original = false;
  // Null: one Env of this process, made on first use. Otherwise it outlives the Session.
  const Ort::Env* env = nullptr;
  // Of a load, if the model is not resident; 0: the daemon's default.
  std::chrono::milliseconds deadline{0};
  // As OpenOptions::progress.
  std::function<bool(const LoadProgress&)> progress = {};
};

// What a session was made of.
enum class Form : uint8_t {
  kBytes,     // the optimised model in ONNX Runtime's own format, used where it lies
  kNamed,     // an optimised graph and its weights, used where they lie
  kOriginal,  // the model's own file: optimised now, with weights of this process's own
};

class Session {
 public:
  // As Client::Open. FAILED_PRECONDITION too: the model was prepared for another ONNX Runtime or
  // another processor, or its own file is needed and it was added without. UNIMPLEMENTED: it was
  // prepared in a form this library doesn't know. INTERNAL: ONNX Runtime refused it, with its words.
  // Where its own file is needed and can't be opened, that is the error.
  TRIMS_EXPORT static Result<Session> Open(Client& client, std::string_view reference,
                                           const Options& options = {});

  // Over a model opened already, of variant `ort`, or `files` of an ONNX model. Takes it over, even
  // when it fails. Options that the optimised form can't honour are FAILED_PRECONDITION.
  TRIMS_EXPORT static Result<Session> Over(Model model, const Options& options = {});

  TRIMS_EXPORT Session(Session&&) noexcept;
  TRIMS_EXPORT Session& operator=(Session&&) noexcept;
  TRIMS_EXPORT ~Session();

  TRIMS_EXPORT Ort::Session& session();
  Ort::Session* operator->() { return &session(); }
  TRIMS_EXPORT const Model& model() const;
  TRIMS_EXPORT Form form() const;
  // Why the form is kOriginal though Options::original wasn't set; empty otherwise.
  TRIMS_EXPORT const std::string& why_original() const;
  // The name of the graph, which GetModelMetadata() doesn't know in the form kBytes.
  TRIMS_EXPORT std::string GraphName();

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  static Result<Session> OpenPrepared(Client& client, const std::string& exactly, Model model,
                                      const Options& options);
  static Result<Session> OpenOriginal(Model files, const Options& options, const std::string& why);
  std::unique_ptr<Impl> impl_;
};

// The key of the `ort` variant that this process can use: ONNX Runtime's version, the level of
// optimisation, this processor.
TRIMS_EXPORT std::string VariantKey();

// The Env that sessions get when Options::env is null. Never destroyed: a session may live in a
// static.
TRIMS_EXPORT const Ort::Env& SharedEnv();

}  // namespace trims::onnxruntime

#endif  // TRIMS_ONNXRUNTIME_H_

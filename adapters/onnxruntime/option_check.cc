#include "adapters/onnxruntime/option_check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace trims::onnxruntime {
namespace {

struct Entry {
  const char* key;
  const char* without_effect;  // a value, besides none
};

// Entries that say how a model is read, optimised or divided among providers, which was settled
// when it was added. python/src/trims/onnxruntime/_options.py has the same.
constexpr auto kSettled = std::to_array<Entry>({
    {"ep.context_embed_mode", ""},
    {"ep.context_enable", "0"},
    {"ep.context_file_path", ""},
    {"ep.context_model_external_initializers_file_name", ""},
    {"ep.context_node_name_prefix", ""},
    {"ep.nnapi.partitioning_stop_ops", ""},
    {"ep.share_ep_contexts", "0"},
    {"ep.stop_share_ep_contexts", "0"},
    {"mlas.enable_gemm_fastmath_arm64_bfloat16", "0"},
    {"mlas.use_lut_gemm", "0"},
    {"optimization.constant_folding_max_output_size_in_bytes", ""},
    {"optimization.disable_specified_optimizers", ""},
    {"optimization.enable_cast_chain_elimination", "0"},
    {"optimization.enable_gelu_approximation", "0"},
    {"optimization.enable_memory_probe_recompute_config", ""},
    {"optimization.memory_optimizer_config", ""},
    {"optimization.minimal_build_optimizations", ""},
    {"session.allow_released_opsets_only", ""},
    {"session.collect_node_memory_stats_to_file", ""},
    {"session.compile_only", "0"},
    {"session.debug_layout_transformation", "0"},
    {"session.disable_aot_function_inlining", "0"},
    {"session.disable_cpu_ep_fallback", "0"},
    {"session.disable_double_qdq_remover", "0"},
    {"session.disable_model_compile", "0"},
    {"session.disable_qdq_constant_folding", "0"},
    {"session.disable_quant_qdq", "0"},
    {"session.enable_dq_matmulnbits_fusion", "0"},
    {"session.enable_quant_qdq_cleanup", "0"},
    {"session.enable_saved_runtime_optimizations", ""},
    {"session.function_expansion_byte_limit", ""},
    {"session.function_expansion_node_limit", ""},
    {"session.gqa_value_layout", ""},
    {"session.graph_optimization_level", ""},
    {"session.graph_optimizations_loop_level", ""},
    {"session.layer_assignment_settings", ""},
    {"session.load_model_format", ""},
    {"session.max_shape_override", ""},
    {"session.model_external_initializers_file_folder_path", ""},
    {"session.name_based_layer_assignment", ""},
    {"session.node_partition_config_file", ""},
    {"session.optimized_model_filepath", ""},
    {"session.qdq_matmulnbits_accuracy_level", ""},
    {"session.qdq_matmulnbits_block_size", ""},
    {"session.qdqisint8allowed", ""},
    {"session.record_ep_graph_assignment_info", "0"},
    {"session.resource_cuda_partitioning_settings", ""},
    {"session.save_external_prepacked_constant_initializers", "0"},
    {"session.strict_shape_type_inference", "0"},
    {"session.use_external_initializer_file_buffers_directly", "0"},
    {"session.x64quantprecision", "0"},
});

std::string SettledEntry(Ort::SessionOptions options) {  // its getters are not const
  for (const Entry& entry : kSettled) {
    const std::string value = options.GetConfigEntryOrDefault(entry.key, "");
    if (value.empty() || value == entry.without_effect) continue;
    return "\"" + std::string(entry.key) + "\" is \"" + value + "\"";
  }
  return {};
}

int Digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string FromHex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(Digit(text[i]) << 4 | Digit(text[i + 1]));
  }
  return bytes;
}

// A session of the probe with these options; what its optimiser made of it is in `file`.
class Probe {
 public:
  Probe(const Ort::Env& env, Ort::SessionOptions options, const std::string& model)
      : file_(::memfd_create("trims-probe", MFD_CLOEXEC)) {
    options.DisableProfiling();
    options.SetIntraOpNumThreads(1);
    options.SetInterOpNumThreads(1);
    const std::string path = "/proc/self/fd/" + std::to_string(file_.get());
    options.SetOptimizedModelFilePath(path.c_str());
    Ort::Session session(env, model.data(), model.size(), options);
    shape_ = session.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
  }

  const std::vector<int64_t>& shape() const { return shape_; }

  std::string Optimised() const {
    std::string bytes(static_cast<size_t>(::lseek(file_.get(), 0, SEEK_END)), '\0');
    const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
    return got == static_cast<ssize_t>(bytes.size()) ? bytes : std::string();
  }

 private:
  UniqueFd file_;
  std::vector<int64_t> shape_;
};

std::string Probed(const Ort::Env& env, const Ort::SessionOptions& options,
                   const std::string& model) {
  const Probe asked(env, options.Clone(), model);
  for (const int64_t size : asked.shape()) {
    if (size >= 0) return "the session options fix a free dimension to " + std::to_string(size);
  }
  Ort::SessionOptions highest = options.Clone();
  highest.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  if (asked.Optimised() == Probe(env, std::move(highest), model).Optimised()) return {};
  return "the session options ask for another level of graph optimisation";
}

}  // namespace

std::string WhyOriginal(const Ort::Env& env, const Ort::SessionOptions& options,
                        std::string_view probe) {
  std::string why = SettledEntry(options.Clone());
  if (!why.empty()) return why;
  if (probe.empty()) {
    return "it was added by an older TrIMS, which didn't record what its optimised form can honour "
           "(add it again)";
  }
  try {
    return Probed(env, options, FromHex(probe));
  } catch (const Ort::Exception& error) {  // the original is loaded as ONNX Runtime would
    return "the session options change what is loaded (" + std::string(error.what()) + ")";
  }
}

}  // namespace trims::onnxruntime

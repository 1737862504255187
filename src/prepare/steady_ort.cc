#include "prepare/steady_ort.h"

#include <iterator>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "prepare/recurrent_packing.h"

namespace trims {
namespace {

constexpr char kGraph[] = "steady.onnx";        // what ONNX Runtime wrote last
constexpr char kChanged[] = "steady.new.onnx";  // what it reads next
constexpr char kOrt[] = "steady.ort";
// Weights beside the graphs: of what was written first and second, and new ones of a changed graph.
constexpr const char* kWeights[] = {"steady.weights", "steady.again.weights"};
constexpr char kAdded[] = "steady.new.weights";
// Of weights; beyond it the copies that ONNX Runtime makes would take too much memory.
constexpr uint64_t kMaxSteadyBytes = uint64_t{1} << 30;
// What sessions may pack of the rest altogether is little then.
constexpr uint64_t kPackedMinBytes = 4096;

class SteadyMaker {
 public:
  SteadyMaker(const OutFolder& out, const OrtLibrary& ort, OptimiseJob job)
      : out_(out), ort_(ort), job_(std::move(job)) {}
  ~SteadyMaker() {
    for (const char* name : {kGraph, kChanged, kOrt, kWeights[0], kWeights[1], kAdded}) {
      out_.Remove(name);
    }
  }
  SteadyMaker(const SteadyMaker&) = delete;
  SteadyMaker& operator=(const SteadyMaker&) = delete;

  Result<SteadyOrt> Run(const std::string& name, const SteadyOptions& options) {
    TRIMS_RETURN_IF_ERROR(Write(false, false));
    TRIMS_ASSIGN_OR_RETURN(const bool steadier, BeSteady(options));
    TRIMS_ASSIGN_OR_RETURN(const bool packs, options.vnni ? ChoosePacking(steadier) : false);
    if (!steadier && !packs) return SteadyOrt();
    TRIMS_RETURN_IF_ERROR(Write(true, packs));
    {
      TRIMS_ASSIGN_OR_RETURN(const MappedFile made, out_.Map(kOrt));
      TRIMS_RETURN_IF_ERROR(ort_.TryOrt(made.bytes(), job_.extensions));
    }
    TRIMS_RETURN_IF_ERROR(out_.Rename(kOrt, name));
    return SteadyOrt{.made = true, .needs_packing = packs};
  }

 private:
  Result<bool> BeSteady(const SteadyOptions& options) {
    const Result<FileBytes> given = out_.Open(kWeights[0]);
    if (!given.ok() && given.status().code() != StatusCode::kNotFound) return given.status();
    if (given.ok() && given->size() > kMaxSteadyBytes) {
      return Status(StatusCode::kTooLarge,
                    "its weights have more than " + std::to_string(kMaxSteadyBytes) + " bytes");
    }
    TRIMS_ASSIGN_OR_RETURN(OutFile added, out_.Create(kAdded));
    TRIMS_ASSIGN_OR_RETURN(
        const bool changed, Change([&](const RandomAccess& graph) {
          return MakeSteady(graph, options, {given.ok() ? &*given : nullptr, &added, kAdded});
        }));
    TRIMS_RETURN_IF_ERROR(std::move(added).Finish().status());
    return changed;
  }

  // On the graph once it was optimised again, since constants behind a Reshape would be folded.
  Result<bool> ChoosePacking(bool changed) {
    const auto choose = [](const RandomAccess& graph) {
      return PackOnlyRecurrent(graph, kPackedMinBytes);
    };
    TRIMS_ASSIGN_OR_RETURN(const FileBytes graph, out_.Open(kGraph));
    TRIMS_ASSIGN_OR_RETURN(const std::optional<std::string> packing, choose(graph));
    if (!packing) return false;
    if (changed) TRIMS_RETURN_IF_ERROR(Write(false, false));
    return Change(choose);
  }

  // By ONNX Runtime, of what there is: the source's model, or the graph that was changed last.
  Status Write(bool as_ort, bool as_it_is) {
    OptimiseJob job = job_;
    job.out = out_.PathOf(as_ort ? kOrt : kGraph);
    job.as_ort = as_ort;
    job.as_it_is = as_it_is;
    if (!as_ort) job.weights_name = kWeights[written_++ % std::size(kWeights)];
    out_.Remove(as_ort ? kOrt : kGraph);
    TRIMS_RETURN_IF_ERROR(ort_.Optimise(job));
    if (!as_ort) Use(kGraph);
    return Status();
  }

  void Use(const char* name) {
    job_.model = out_.PathOf(name);
    job_.linked.clear();  // all weights are in the graph or beside it now
  }

  template <typename Rewrite>
  Result<bool> Change(const Rewrite& rewrite) {
    std::optional<std::string> changed;
    {
      TRIMS_ASSIGN_OR_RETURN(const FileBytes graph, out_.Open(kGraph));
      TRIMS_ASSIGN_OR_RETURN(changed, rewrite(graph));
    }
    if (!changed) return false;
    out_.Remove(kChanged);
    TRIMS_RETURN_IF_ERROR(out_.WriteFile(kChanged, *changed).status());
    Use(kChanged);
    return true;
  }

  const OutFolder& out_;
  const OrtLibrary& ort_;
  OptimiseJob job_;
  size_t written_ = 0;  // graphs with weights beside them
};

}  // namespace

Result<SteadyOrt> MakeSteadyOrt(const OutFolder& out, const std::string& name,
                                const OrtLibrary& ort, const OptimiseJob& job,
                                const SteadyOptions& options) {
  return SteadyMaker(out, ort, job).Run(name, options);
}

}  // namespace trims

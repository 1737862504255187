#include "prepare/steady_ort.h"

#include <optional>
#include <utility>

#include "base/macros.h"
#include "prepare/recurrent_packing.h"

namespace trims {
namespace {

constexpr char kGraph[] = "steady.onnx";        // what ONNX Runtime wrote last
constexpr char kChanged[] = "steady.new.onnx";  // what it reads next
constexpr char kOrt[] = "steady.ort";
// Beyond it the copies that rewriting makes would take too much memory.
constexpr uint64_t kMaxSteadyBytes = uint64_t{1} << 30;
// What sessions may pack of the rest altogether is little then.
constexpr uint64_t kPackedMinBytes = 4096;

class SteadyMaker {
 public:
  SteadyMaker(const OutFolder& out, const OrtLibrary& ort, OptimiseJob job)
      : out_(out), ort_(ort), job_(std::move(job)) {}
  ~SteadyMaker() {
    for (const char* name : {kGraph, kChanged, kOrt}) out_.Remove(name);
  }
  SteadyMaker(const SteadyMaker&) = delete;
  SteadyMaker& operator=(const SteadyMaker&) = delete;

  Result<SteadyOrt> Run(const std::string& name, const SteadyOptions& options) {
    TRIMS_RETURN_IF_ERROR(Write(false, false));
    TRIMS_ASSIGN_OR_RETURN(const bool steadier, Change([&](const RandomAccess& graph) {
                             return MakeSteady(graph, options);
                           }));
    TRIMS_ASSIGN_OR_RETURN(const bool packs, options.vnni ? ChoosePacking(steadier) : false);
    if (!steadier && !packs) return SteadyOrt();
    TRIMS_RETURN_IF_ERROR(Write(true, packs));
    {
      TRIMS_ASSIGN_OR_RETURN(const MappedFile made, out_.Map(kOrt));
      TRIMS_RETURN_IF_ERROR(ort_.TryOrt(made.bytes(), job_.extensions));
    }
    TRIMS_RETURN_IF_ERROR(out_.Rename(kOrt, name));
    return SteadyOrt{.changed = true, .needs_packing = packs};
  }

 private:
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
    out_.Remove(as_ort ? kOrt : kGraph);
    TRIMS_RETURN_IF_ERROR(ort_.Optimise(job));
    if (!as_ort) Use(kGraph);
    return Status();
  }

  void Use(const char* name) {
    job_.model = out_.PathOf(name);
    job_.linked.clear();  // all weights are in the graph now
  }

  template <typename Rewrite>
  Result<bool> Change(const Rewrite& rewrite) {
    std::optional<std::string> changed;
    {
      TRIMS_ASSIGN_OR_RETURN(const FileBytes graph, out_.Open(kGraph));
      if (graph.size() > kMaxSteadyBytes) {
        return Status(StatusCode::kTooLarge,
                      "the graph has more than " + std::to_string(kMaxSteadyBytes) + " bytes");
      }
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
};

}  // namespace

Result<SteadyOrt> MakeSteadyOrt(const OutFolder& out, const std::string& name,
                                const OrtLibrary& ort, const OptimiseJob& job,
                                const SteadyOptions& options) {
  return SteadyMaker(out, ort, job).Run(name, options);
}

}  // namespace trims

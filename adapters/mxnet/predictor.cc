#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "trims/mxnet.h"

#include "adapters/mxnet/arrays.h"
#include "adapters/mxnet/library.h"
#include "adapters/mxnet/symbol.h"
#include "base/macros.h"

namespace trims::mxnet {
namespace {

constexpr int kOnProcessor = 1;
constexpr uint32_t kNoGradient = 0;

size_t CountOf(const std::vector<uint32_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), size_t{1}, std::multiplies<>());
}

Status NotThese(const std::string& what, size_t expected, size_t found) {
  return Status(StatusCode::kInvalidArgument, what + " has " + std::to_string(expected) +
                                                  " elements, found " + std::to_string(found));
}

Status NoCheckpoint(const Model& model, const std::string& why, const std::string& hint) {
  return Status(StatusCode::kFailedPrecondition, "'" + model.info().reference + "' " + why, hint);
}

// The symbol that was added beside the parameters.
Result<std::string_view> SymbolOf(const Model& model) {
  if (model.Metadata("format") != "mxnet") {
    return NoCheckpoint(model, "is no MXNet checkpoint", "trims add NAME PREFIX-0000.params");
  }
  const std::string_view name = model.Metadata("mxnet.symbol");
  if (name.empty()) {
    return NoCheckpoint(model, "was added without a symbol",
                        "trims add NAME PREFIX-0000.params, with PREFIX-symbol.json beside it");
  }
  TRIMS_ASSIGN_OR_RETURN(const FileView file, model.File(name));
  return std::string_view(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
}

// A label, which inference computes without.
bool IsLabel(const std::string& name) { return name.ends_with("label"); }

Status Refused(const Symbol& symbol, const Model& model, const std::string& input) {
  std::string known;
  for (const Place& place : symbol.arguments()) {
    if (model.Tensor("arg:" + place.name).ok()) continue;
    known += (known.empty() ? "" : ", ") + place.name;
  }
  return Status(StatusCode::kInvalidArgument,
                "the network has no input '" + input + "': expected " + known);
}

}  // namespace

class Predictor::Impl {
 public:
  Impl(const Library& mxnet, Model model)
      : mxnet_(mxnet), model_(std::make_shared<Model>(std::move(model))) {}
  ~Impl() { mxnet_.wait_all(); }  // its threads may still compute over what goes now
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status Create(const std::vector<Input>& inputs) {
    TRIMS_ASSIGN_OR_RETURN(const std::string_view json, SymbolOf(*model_));
    TRIMS_ASSIGN_OR_RETURN(Symbol symbol, Symbol::Create(mxnet_, json));
    for (const Input& input : inputs) {
      const auto is_it = [&](const Place& place) { return place.name == input.name; };
      if (std::ranges::none_of(symbol.arguments(), is_it))
        return Refused(symbol, *model_, input.name);
    }
    TRIMS_RETURN_IF_ERROR(symbol.Infer(inputs));
    for (const Place& place : symbol.arguments()) {
      TRIMS_ASSIGN_OR_RETURN(Owned array, ArgumentOf(place, inputs));
      arguments_.push_back(std::move(array));
    }
    for (const Place& place : symbol.states()) {
      TRIMS_ASSIGN_OR_RETURN(Owned array, ParameterOf("aux:", place));
      states_.push_back(std::move(array));
    }
    return Bind(symbol);
  }

  Status SetInput(std::string_view name, std::span<const float> values) {
    const auto found = std::ranges::find(inputs_, name, &Place::name);
    if (found == inputs_.end()) {
      return Status(StatusCode::kInvalidArgument,
                    "'" + std::string(name) + "' is none of the inputs that Open() was given");
    }
    const size_t count = CountOf(found->shape);
    if (count != values.size())
      return NotThese("'" + std::string(name) + "'", count, values.size());
    void* const array = input_arrays_[static_cast<size_t>(found - inputs_.begin())];
    return mxnet_.Check("MXNDArraySyncCopyFromCPU",
                        mxnet_.array_copy_from(array, values.data(), count));
  }

  Status Forward() {
    TRIMS_RETURN_IF_ERROR(
        mxnet_.Check("MXExecutorForward", mxnet_.executor_forward(executor_.get(), 0)));
    computed_ = true;
    return TakeOutputs();
  }

  size_t output_count() const { return outputs_.size(); }

  Result<std::vector<uint32_t>> OutputShape(size_t i) const {
    if (i >= outputs_.size()) {
      return Status(StatusCode::kInvalidArgument, "there are " + std::to_string(outputs_.size()) +
                                                      " outputs, found the number " +
                                                      std::to_string(i));
    }
    int rank = 0;
    const int* extents = nullptr;
    TRIMS_RETURN_IF_ERROR(mxnet_.Check("MXNDArrayGetShapeEx",
                                       mxnet_.array_shape(outputs_[i].get(), &rank, &extents)));
    return std::vector<uint32_t>(extents, extents + std::max(rank, 0));
  }

  Status GetOutput(size_t i, std::span<float> values) const {
    TRIMS_ASSIGN_OR_RETURN(const std::vector<uint32_t> shape, OutputShape(i));
    if (!computed_) {
      return Status(StatusCode::kFailedPrecondition, "nothing was computed yet",
                    "call Forward() first");
    }
    const std::string what = "output " + std::to_string(i);
    TRIMS_RETURN_IF_ERROR(CheckFloats(mxnet_, outputs_[i].get(), what));
    const size_t count = CountOf(shape);
    if (count != values.size()) return NotThese(what, count, values.size());
    return mxnet_.Check("MXNDArraySyncCopyToCPU",
                        mxnet_.array_copy_to(outputs_[i].get(), values.data(), count));
  }

  const Model& model() const { return *model_; }

 private:
  // An input of one's own, a label, or a parameter over the model.
  Result<Owned> ArgumentOf(const Place& place, const std::vector<Input>& inputs) {
    if (std::ranges::find(inputs, place.name, &Input::name) == inputs.end()) {
      if (model_->Tensor("arg:" + place.name).ok() || !IsLabel(place.name))
        return ParameterOf("arg:", place);
      return NewArray(mxnet_, place.shape);
    }
    TRIMS_ASSIGN_OR_RETURN(Owned array, NewArray(mxnet_, place.shape));
    inputs_.push_back(place);
    input_arrays_.push_back(array.get());
    return array;
  }

  Result<Owned> ParameterOf(const std::string& kind, const Place& place) {
    const Result<TensorView> tensor = model_->Tensor(kind + place.name);
    if (!tensor.ok()) {
      return NoCheckpoint(*model_, "has no '" + kind + place.name + "', which its symbol needs",
                          "if it is an input, give Open() its name and shape");
    }
    if (!std::ranges::equal(tensor->shape, place.shape)) {
      return Status(StatusCode::kInvalidArgument,
                    "'" + place.name + "' is of shape " + ShapeText(tensor->shape) +
                        "; with these inputs the network needs " + ShapeText(place.shape));
    }
    return ArrayOver(mxnet_, model_, *tensor);
  }

  Status Bind(const Symbol& symbol) {
    const auto handles = [](const std::vector<Owned>& arrays) {
      std::vector<void*> found;
      for (const Owned& array : arrays) found.push_back(array.get());
      return found;
    };
    std::vector<void*> arguments = handles(arguments_);
    std::vector<void*> states = handles(states_);
    std::vector<void*> gradients(arguments.size(), nullptr);
    std::vector<uint32_t> none(arguments.size(), kNoGradient);
    ExecutorHandle made = nullptr;
    const int result = mxnet_.executor_bind(
        symbol.handle(), kOnProcessor, 0, 0, nullptr, nullptr, nullptr,
        static_cast<uint32_t>(arguments.size()), arguments.data(), gradients.data(), none.data(),
        static_cast<uint32_t>(states.size()), states.data(), nullptr, &made);
    TRIMS_RETURN_IF_ERROR(mxnet_.Check("MXExecutorBindEX", result));
    executor_ = Owned(made, mxnet_.executor_free);
    return TakeOutputs();
  }

  // The executor's, each with a handle of our own.
  Status TakeOutputs() {
    uint32_t count = 0;
    NDArrayHandle* handles = nullptr;
    TRIMS_RETURN_IF_ERROR(mxnet_.Check("MXExecutorOutputs",
                                       mxnet_.executor_outputs(executor_.get(), &count, &handles)));
    outputs_.clear();
    for (uint32_t i = 0; i < count; ++i) outputs_.emplace_back(handles[i], mxnet_.array_free);
    return Status();
  }

  const Library& mxnet_;
  std::shared_ptr<Model> model_;  // each array over it holds it, too
  std::vector<Owned> arguments_;
  std::vector<Owned> states_;
  std::vector<Place> inputs_;        // those that SetInput() takes
  std::vector<void*> input_arrays_;  // among arguments_
  Owned executor_{nullptr, nullptr};
  std::vector<Owned> outputs_;
  bool computed_ = false;
};

Predictor::Predictor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;
Predictor::~Predictor() = default;

Result<Predictor> Predictor::Open(Client& client, std::string_view reference,
                                  const std::vector<Input>& inputs, const Options& options) {
  TRIMS_ASSIGN_OR_RETURN(const Library* mxnet, LoadLibrary(options.library));
  OpenOptions open;
  open.variant = Variant::kTensors;
  open.deadline = options.deadline;
  open.progress = options.progress;
  TRIMS_ASSIGN_OR_RETURN(Model model, client.Open(reference, open));
  auto impl = std::make_unique<Impl>(*mxnet, std::move(model));
  TRIMS_RETURN_IF_ERROR(impl->Create(inputs));
  return Predictor(std::move(impl));
}

Status Predictor::SetInput(std::string_view name, std::span<const float> values) {
  return impl_->SetInput(name, values);
}

Status Predictor::Forward() { return impl_->Forward(); }

size_t Predictor::output_count() const { return impl_->output_count(); }

Result<std::vector<uint32_t>> Predictor::OutputShape(size_t i) const {
  return impl_->OutputShape(i);
}

Status Predictor::GetOutput(size_t i, std::span<float> values) const {
  return impl_->GetOutput(i, values);
}

const Model& Predictor::model() const { return impl_->model(); }

}  // namespace trims::mxnet

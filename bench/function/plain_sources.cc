#include <cstdlib>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/unique_fd.h"
#include "function/sources.h"

namespace trims::bench {
namespace {

// As many threads as there are processors that the program is pinned to, in every mode of it.
Ort::SessionOptions BaseOptions(const Place& place) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(place.threads);
  options.SetInterOpNumThreads(1);
  return options;
}

// What a prepared .ort is loaded with, as in the adapter: it was optimised when it was made.
Ort::SessionOptions PreparedOptions(const Place& place) {
  Ort::SessionOptions options = BaseOptions(place);
  options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  options.AddConfigEntry("session.disable_prepacking", place.packing ? "0" : "1");
  options.AddConfigEntry("session.load_model_format", "ORT");
  options.AddConfigEntry("session.use_ort_model_bytes_for_initializers", "1");
  return options;
}

Function Own(Ort::Session session) {
  auto held = std::make_shared<Ort::Session>(std::move(session));
  return {held, held.get()};
}

struct InheritedModel {
  Mapping bytes;
  Ort::Session session{nullptr};
};

}  // namespace

Result<Function> FromFile(const Place& place, const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) return Status(StatusCode::kInvalidArgument, "file PATH");
  return Own(Ort::Session(*place.env, arguments[0].c_str(), BaseOptions(place)));
}

Result<Function> FromMappedFile(const Place& place, const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) return Status(StatusCode::kInvalidArgument, "mapped PATH");
  Ort::SessionOptions options = PreparedOptions(place);
  options.AddConfigEntry("session.use_memory_mapped_ort_model", "1");
  return Own(Ort::Session(*place.env, arguments[0].c_str(), options));
}

Result<Function> FromInherited(const Place& place, const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] == "named") return FromInheritedTensors(place, arguments);
  if (arguments.size() != 2) return Status(StatusCode::kInvalidArgument, "ideal FD BYTES");
  const UniqueFd fd(std::atoi(arguments[0].c_str()));
  const size_t length = std::strtoull(arguments[1].c_str(), nullptr, 10);
  auto held = std::make_shared<InheritedModel>();
  TRIMS_ASSIGN_OR_RETURN(held->bytes, Mapping::Reserve(length, kHugePageSize));
  TRIMS_RETURN_IF_ERROR(held->bytes.MapInto(0, length, fd.get(), PROT_READ));
  Ort::SessionOptions options = PreparedOptions(place);
  options.AddConfigEntry("session.use_ort_model_bytes_directly", "1");
  held->session = Ort::Session(*place.env, held->bytes.data(), length, options);
  return Function{held, &held->session};
}

}  // namespace trims::bench

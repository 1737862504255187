#include "function/server.h"

#include <chrono>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/macros.h"

namespace trims::bench {
namespace {

using Clock = std::chrono::steady_clock;

int64_t NanosecondsSince(Clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - began).count();
}

class Server {
 public:
  Server(const std::function<Result<Function>()>& make, const std::vector<InputSpec>& specs)
      : make_(make), specs_(specs) {}

  Result<nlohmann::json> Do(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string object;
    words >> verb >> object;
    if (verb == "load") return Load(std::atoi(object.c_str()));
    if (!inference_)
      return Status(StatusCode::kFailedPrecondition, line + ": expected a load before it");
    if (verb == "run") return Run(std::atoi(object.c_str()));
    if (verb == "answer") return Answer(object);
    return Status(StatusCode::kInvalidArgument, "unknown line '" + line + "'");
  }

 private:
  Result<nlohmann::json> Load(int count) {
    nlohmann::json took = nlohmann::json::array();
    for (int i = 0; i < count; ++i) {
      inference_.reset();
      function_ = {};
      const Clock::time_point began = Clock::now();
      TRIMS_ASSIGN_OR_RETURN(function_, make_());
      took.push_back(NanosecondsSince(began));
      TRIMS_ASSIGN_OR_RETURN(inference_, Inference::Prepare(*function_.session, specs_));
    }
    return took;
  }

  Result<nlohmann::json> Run(int count) {
    nlohmann::json took = nlohmann::json::array();
    for (int i = 0; i < count; ++i) {
      const Clock::time_point began = Clock::now();
      inference_->Run();
      took.push_back(NanosecondsSince(began));
    }
    return took;
  }

  Result<nlohmann::json> Answer(const std::string& path) {
    nlohmann::json described = nlohmann::json::array();
    std::ofstream file(path, std::ios::binary);
    for (const Ort::Value& output : inference_->Run()) {
      const Ort::TensorTypeAndShapeInfo info = output.GetTensorTypeAndShapeInfo();
      const auto type = info.GetElementType();
      const bool whole = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
      if (!whole && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
        return Status(StatusCode::kUnimplemented, "an output is neither float nor int64");
      const size_t bytes = info.GetElementCount() * (whole ? 8 : 4);
      file.write(static_cast<const char*>(output.GetTensorRawData()),
                 static_cast<std::streamsize>(bytes));
      described.push_back({{"type", whole ? "int64" : "float"}, {"bytes", bytes}});
    }
    if (!file.flush()) return Status(StatusCode::kInternal, "can't write " + path);
    return described;
  }

  const std::function<Result<Function>()>& make_;
  const std::vector<InputSpec>& specs_;
  Function function_;
  std::optional<Inference> inference_;  // goes before the session it looks at
};

}  // namespace

Status Serve(const std::function<Result<Function>()>& make, const std::vector<InputSpec>& specs,
             std::istream& in, std::ostream& out) {
  Server server(make, specs);
  out << "ready" << std::endl;
  for (std::string line; std::getline(in, line);) {
    TRIMS_ASSIGN_OR_RETURN(const nlohmann::json answer, server.Do(line));
    out << answer.dump() << std::endl;
  }
  return {};
}

}  // namespace trims::bench

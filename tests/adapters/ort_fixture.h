// What the tests of trims::onnxruntime share: real models on a real trimsd, runs and how their
// outputs compare.
#ifndef TRIMS_TESTS_ADAPTERS_ORT_FIXTURE_H_
#define TRIMS_TESTS_ADAPTERS_ORT_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "trims/admin.h"
#include "trims/onnxruntime.h"

#include "adapters/real_models.h"
#include "demo/tensors.h"
#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {

// The values of a model's inputs and tensors over them: the same for every session.
class Inputs {
 public:
  explicit Inputs(const std::vector<RealInput>& inputs) {
    std::mt19937 random(2019);
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    for (const RealInput& input : inputs) {
      if (input.is_rate) {
        tensors_.push_back(demo::TensorOver(rate_, input.shape));
        continue;
      }
      const int64_t size =
          std::accumulate(input.shape.begin(), input.shape.end(), int64_t{1}, std::multiplies<>());
      std::vector<float>& values =
          *floats_.emplace_back(std::make_unique<std::vector<float>>(size));
      for (float& value : values) value = uniform(random);
      tensors_.push_back(demo::TensorOver(values, input.shape));
    }
  }
  std::span<const Ort::Value> tensors() const { return tensors_; }

 private:
  std::vector<std::unique_ptr<std::vector<float>>> floats_;
  std::vector<int64_t> rate_ = {16000};
  std::vector<Ort::Value> tensors_;
};

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Outputs = std::vector<std::vector<float>>;

inline Outputs Answer(Ort::Session& session, const RealModel& model) {
  const Inputs inputs(model.inputs);
  Outputs out;
  for (const Ort::Value& value : demo::RunModel(session, inputs.tensors())) {
    const std::span<const float> numbers = demo::Floats(value);
    out.emplace_back(numbers.begin(), numbers.end());
  }
  return out;
}

// The largest difference, relative to the largest number of the expected output.
inline double WorstError(const Outputs& actual, const Outputs& expected) {
  double worst = actual.size() == expected.size() ? 0 : kInfinity;
  for (size_t i = 0; i < actual.size() && std::isfinite(worst); ++i) {
    if (actual[i].size() != expected[i].size()) return kInfinity;
    double largest = 1e-30, difference = 0;
    for (size_t k = 0; k < actual[i].size(); ++k) {
      largest = std::max(largest, std::fabs(double{expected[i][k]}));
      difference = std::max(difference, std::fabs(double{actual[i][k]} - expected[i][k]));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

// What only this process has: shared pages that nobody else happens to map right now are not among
// it.
inline uint64_t PrivateBytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  uint64_t total = 0;
  for (std::string line; std::getline(rollup, line);) {
    if (line.starts_with("Anonymous:"))
      total += std::stoull(line.substr(line.find(':') + 1)) * 1024;
  }
  return total;
}

class OnnxRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(models_.empty()) << "scripts/fetch-models failed (scripts/setup first)";
    ASSERT_TRUE(daemon_.ready()) << daemon_.Log();
    client_.emplace(*daemon_.Connect());
  }

  void Register(const RealModel& model) {
    Result<Admin> admin = Admin::Connect({.socket_path = daemon_.socket()});
    ASSERT_TRUE(admin.ok()) << admin.status().ToString();
    const Result<std::string> added = admin->Add(model.name, "file://" + model.path,
                                                 {.variants = {Variant::kFiles, Variant::kOrt}});
    ASSERT_TRUE(added.ok()) << added.status().ToString();
  }

  onnxruntime::Session Open(const std::string& reference,
                            const onnxruntime::Options& options = {}) {
    return *onnxruntime::Session::Open(*client_, reference, options);
  }

  const std::vector<RealModel> models_ = RealModels();
  ScratchFolder folder_;
  test::DaemonProcess daemon_{folder_.path(), {"--onnxruntime-library", TRIMS_ONNXRUNTIME_LIBRARY}};
  std::optional<Client> client_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_ADAPTERS_ORT_FIXTURE_H_

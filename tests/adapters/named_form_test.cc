// The `named` form, which models beyond 2 GB take: here trims-prepare is told to make it of small
// ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/ort_fixture.h"

namespace trims {
namespace {

using test::Answer;
using test::OnnxRuntimeTest;
using test::PrivateBytes;
using test::RealModel;
using test::WorstError;

class NamedFormTest : public OnnxRuntimeTest {};

TEST_F(NamedFormTest, AnswersEqualThoseOfTheOriginal) {
  for (const RealModel& model : {models_[0], models_[2], models_[5]}) {
    SCOPED_TRACE(model.name);
    Register(model);
    onnxruntime::Session shared = Open(model.name);
    ASSERT_EQ(shared.model().Metadata("ort.form"), "named");
    Ort::Session original(onnxruntime::SharedEnv(), model.path.c_str(), Ort::SessionOptions());
    EXPECT_LE(WorstError(Answer(shared.session(), model), Answer(original, model)), 1e-4);
  }
}

TEST_F(NamedFormTest, ASessionHasNoCopyOfTheWeights) {
  Register(models_[0]);
  Open("ocr");  // what the runtime allocates once in a process
  const uint64_t before = PrivateBytes();
  onnxruntime::Session session = Open("ocr");
  const uint64_t after = PrivateBytes();
  EXPECT_LT(after - std::min(before, after), uint64_t{5'000'000});
}

TEST_F(NamedFormTest, PrepackingCopiesAndAnswersTheSame) {
  Register(models_[0]);
  onnxruntime::Session packed = Open("ocr", {.prepacking = true});
  onnxruntime::Session shared = Open("ocr");
  EXPECT_LE(WorstError(Answer(packed.session(), models_[0]), Answer(shared.session(), models_[0])),
            1e-4);
}

}  // namespace
}  // namespace trims

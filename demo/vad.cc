// demo-vad: where somebody speaks in 16 kHz, 16-bit, mono samples, as "silence speech silence".
#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/macros.h"
#include "demo/function.h"
#include "demo/tensors.h"

namespace trims::demo {
namespace {

constexpr size_t kFrame = 512;   // samples of one step, 32 ms
constexpr size_t kContext = 64;  // samples of the step before that the network sees again
constexpr size_t kState = 2 * 1 * 128;
constexpr int64_t kRate = 16000;
constexpr float kSpeech = 0.5f;
constexpr int kSteadyFrames = 8;  // shorter pauses and noises, under 256 ms, change nothing

Result<std::vector<float>> ReadSamples(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(StatusCode::kNotFound, "no samples at '" + path + "'");
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::vector<float> out;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const int low = static_cast<unsigned char>(bytes[i]);
    const int high = static_cast<signed char>(bytes[i + 1]);
    out.push_back(static_cast<float>(high * 256 + low) / 32768.0f);
  }
  return out;
}

// Runs the network frame by frame, carrying its state.
class SpeechMeter {
 public:
  explicit SpeechMeter(Ort::Session& session) : session_(session) {}

  // The probability that the frame holds speech.
  float Next(std::span<const float> frame) {
    std::copy(frame.begin(), frame.end(), window_.begin() + kContext);
    const int64_t window_shape[] = {1, kContext + kFrame};
    const int64_t state_shape[] = {2, 1, 128};
    std::vector<Ort::Value> inputs;
    inputs.push_back(TensorOver(window_, window_shape));
    inputs.push_back(TensorOver(state_, state_shape));
    inputs.push_back(TensorOver(rate_, {}));
    const std::vector<Ort::Value> outputs = RunModel(session_, inputs);
    const std::span<const float> next = Floats(outputs[1]);
    std::copy_n(next.begin(), std::min(next.size(), state_.size()), state_.begin());
    std::copy_n(window_.end() - kContext, kContext, window_.begin());
    return Floats(outputs[0])[0];
  }

 private:
  Ort::Session& session_;
  std::vector<float> window_ = std::vector<float>(kContext + kFrame);
  std::vector<float> state_ = std::vector<float>(kState);
  std::vector<int64_t> rate_ = {kRate};
};

Result<std::string> Listen(const Arguments& arguments, std::span<Ort::Session* const> sessions) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<float> samples, ReadSamples(arguments.input));
  SpeechMeter meter(*sessions[0]);
  std::string heard = "silence";
  bool speaking = false;
  int against = 0;
  for (size_t at = 0; at + kFrame <= samples.size(); at += kFrame) {
    const bool speech = meter.Next({samples.data() + at, kFrame}) >= kSpeech;
    against = speech == speaking ? 0 : against + 1;
    if (against < kSteadyFrames) continue;
    speaking = speech;
    against = 0;
    heard += speaking ? " speech" : " silence";
  }
  return heard;
}

}  // namespace
}  // namespace trims::demo

int main(int argc, char** argv) {
  return trims::demo::RunFunction(argc, argv, 1, trims::demo::Listen);
}

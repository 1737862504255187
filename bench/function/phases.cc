#include "function/phases.h"

#include <sys/resource.h>

#include <chrono>
#include <cstddef>

#include <nlohmann/json.hpp>

#ifdef BENCH_WITH_TRIMS
#include "trims/trace.h"
#endif

namespace trims::bench {
namespace {

std::string Digits(const Ort::Value& output) {
  constexpr char kDigits[] = "0123456789abcdef";
  const Ort::TensorTypeAndShapeInfo info = output.GetTensorTypeAndShapeInfo();
  const size_t width = info.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 ? 8 : 4;
  const auto* bytes = static_cast<const uint8_t*>(output.GetTensorRawData());
  std::string text;
  text.reserve(info.GetElementCount() * width * 2);
  for (size_t i = 0; i < info.GetElementCount() * width; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

uint64_t PeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

double Milliseconds(int64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

void Phases::End(const char* name, int64_t now_ns) {
  phases_.emplace_back(name, now_ns - last_ns_);
#ifdef BENCH_WITH_TRIMS
  const std::chrono::steady_clock::time_point zero;  // of the clock that NowNs() reads
  RecordTraceSpan(name, zero + std::chrono::nanoseconds(last_ns_),
                  zero + std::chrono::nanoseconds(now_ns));
#endif
  last_ns_ = now_ns;
}

std::string Phases::ToJson(const std::vector<Ort::Value>& outputs) const {
  nlohmann::json answer = {{"total_ms", Milliseconds(last_ns_ - start_ns_)},
                           {"cpu_ms", Milliseconds(CpuNs())},
                           {"peak_bytes", PeakBytes()},
                           {"answer", nlohmann::json::array()}};
  for (const auto& [name, ns] : phases_) answer["phases_ms"][name] = Milliseconds(ns);
  for (const Ort::Value& output : outputs) answer["answer"].push_back(Digits(output));
  return answer.dump();
}

}  // namespace trims::bench

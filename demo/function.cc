#include "demo/function.h"

#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/macros.h"
#include "demo/loaded_model.h"

namespace trims::demo {
namespace {

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Consecutive phases; each begins where the one before it ends.
class Stopwatch {
 public:
  explicit Stopwatch(int64_t start) : start_(start), last_(start) {}

  void EndPhase(std::string name) {
    const int64_t now = NowNs();
    phases_.emplace_back(std::move(name), now - last_);
    last_ = now;
  }

  std::string ToJson() const {
    std::string out = "\"phases_ms\": {";
    for (size_t i = 0; i < phases_.size(); ++i) {
      out += (i ? ", \"" : "\"") + phases_[i].first + "\": " + Milliseconds(phases_[i].second);
    }
    return out + "}, \"total_ms\": " + Milliseconds(last_ - start_);
  }

 private:
  static std::string Milliseconds(int64_t ns) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3f", static_cast<double>(ns) / 1e6);
    return text;
  }

  int64_t start_;
  int64_t last_;
  std::vector<std::pair<std::string, int64_t>> phases_;
};

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

template <typename Number>
Status ParseNumber(std::string_view name, std::string_view text, Number* out) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return Status(StatusCode::kInvalidArgument,
                  std::string(name) + " wants a number, got '" + std::string(text) + "'");
  }
  *out = value;
  return Status();
}

std::optional<Mode> ModeOf(std::string_view option) {
  if (option == "--trims") return Mode::kTrims;
  if (option == "--file") return Mode::kFile;
  if (option == "--prepared") return Mode::kPrepared;
  return std::nullopt;
}

// Options that take one value.
Status SetOption(std::string_view option, const char* value, Arguments* out) {
  if (option == "--input")
    out->input = value;
  else if (option == "--labels")
    out->labels = value;
  else if (option == "--tier")
    out->tier = value;
  else if (option == "--threads")
    return ParseNumber(option, value, &out->threads);
  else if (option == "--spawned")
    return ParseNumber(option, value, &out->spawned_ns);
  else
    return Status(StatusCode::kInvalidArgument, "unknown option '" + std::string(option) + "'");
  return Status();
}

Result<Arguments> ParseArguments(std::span<char* const> args, size_t model_count) {
  Arguments out;
  for (size_t i = 1; i < args.size(); ++i) {
    const std::string_view option = args[i];
    if (const std::optional<Mode> mode = ModeOf(option)) {
      out.mode = *mode;
      while (i + 1 < args.size() && args[i + 1][0] != '-') out.models.push_back(args[++i]);
    } else if (option == "--hold") {
      out.hold = true;
    } else if (i + 1 == args.size()) {
      return Status(StatusCode::kInvalidArgument, "no value for '" + std::string(option) + "'");
    } else {
      TRIMS_RETURN_IF_ERROR(SetOption(option, args[i + 1], &out));
      ++i;
    }
  }
  if (out.models.size() == model_count && !out.input.empty()) return out;
  return Status(StatusCode::kInvalidArgument, "wants --input and " + std::to_string(model_count) +
                                                  " model(s), got " +
                                                  std::to_string(out.models.size()));
}

void WaitForEndOfInput() {
  char ignored[64];
  while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0) {
  }
}

Status Run(const Arguments& arguments, const Work& work, int64_t main_ns) {
  Stopwatch watch(arguments.spawned_ns > 0 ? arguments.spawned_ns : main_ns);
  watch.EndPhase("process");
  RuntimeEnv();
  watch.EndPhase("runtime");
  TRIMS_ASSIGN_OR_RETURN(LoadedModels models, LoadedModels::Load(arguments));
  watch.EndPhase("load");
  TRIMS_ASSIGN_OR_RETURN(const std::string result, work(arguments, models.sessions()));
  watch.EndPhase("inference");
  std::cout << "{\"result\": " << Quoted(result) << ", " << models.Describe() << ", "
            << watch.ToJson() << "}" << std::endl;
  if (arguments.hold) WaitForEndOfInput();
  return Status();
}

}  // namespace

int RunFunction(int argc, char** argv, size_t model_count, const Work& work) {
  const int64_t main_ns = NowNs();
  Result<Arguments> arguments = ParseArguments({argv, static_cast<size_t>(argc)}, model_count);
  if (!arguments.ok()) {
    std::cerr << argv[0] << ": " << arguments.status().ToString() << '\n';
    return 2;
  }
  Status status;
  try {
    status = Run(*arguments, work, main_ns);
  } catch (const Ort::Exception& error) {
    status = Status(StatusCode::kInternal, std::string("ONNX Runtime: ") + error.what());
  }
  if (status.ok()) return 0;
  std::cerr << argv[0] << ": " << status.ToString() << '\n';
  return 1;
}

}  // namespace trims::demo

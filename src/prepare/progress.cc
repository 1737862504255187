#include "prepare/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/sys.h"

namespace trims {
namespace {

using nlohmann::json;

constexpr size_t kMaxMessageBytes = 1000;
constexpr size_t kMaxHintBytes = 250;
// A byte that is no UTF-8 becomes the three of U+FFFD, and nothing that is let through grows more.
constexpr size_t kGrowth = 3;
constexpr size_t kFrameBytes = 128;  // the rest of the line, and what Shortened() adds
static_assert(kGrowth * (kMaxMessageBytes + kMaxHintBytes) + kFrameBytes <= kMaxProgressLine);

std::string Dump(const json& line) {
  return line.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace) + "\n";
}

// Control characters take six bytes each once escaped, and help nobody.
std::string Shortened(std::string text, size_t max_bytes) {
  if (text.size() > max_bytes) text = text.substr(0, max_bytes) + "…";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

class JsonProgress final : public PrepareProgress {
 public:
  explicit JsonProgress(int fd) : fd_(fd) {}

  void Fail(const Status& status) override {
    WriteLine({{"error",
                {{"code", StatusCodeName(status.code())},
                 {"message", Shortened(status.message(), kMaxMessageBytes)},
                 {"hint", Shortened(status.hint(), kMaxHintBytes)}}}});
  }

 private:
  void Write(std::string_view stage, uint64_t done, uint64_t total) override {
    WriteLine({{"stage", stage}, {"done", done}, {"total", total}});
  }

  // Nobody is left to be told that this failed; the exit status says the rest.
  void WriteLine(const json& line) {
    const std::string text = Dump(line);
    size_t written = 0;
    while (written < text.size()) {
      const ssize_t got = sys::Write(fd_, text.data() + written, text.size() - written);
      if (got <= 0) return;
      written += static_cast<size_t>(got);
    }
  }

  int fd_;
};

class TerminalProgress final : public PrepareProgress {
 public:
  ~TerminalProgress() override { EndLine(); }

  void Fail(const Status& status) override {
    EndLine();
    std::fprintf(stderr, "trims-prepare: %s\n", status.ToString().c_str());
  }

 private:
  void Write(std::string_view stage, uint64_t done, uint64_t total) override {
    if (!terminal_) return;
    const auto percent =
        total == 0
            ? 0
            : static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total));
    std::fprintf(stderr, "\r\033[K%-10.*s %3d %%", static_cast<int>(stage.size()), stage.data(),
                 percent);
    drawn_ = true;
  }

  void EndLine() {
    if (std::exchange(drawn_, false)) std::fprintf(stderr, "\r\033[K");
  }

  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool drawn_ = false;
};

}  // namespace

void PrepareProgress::Report(std::string_view stage, uint64_t done, uint64_t total) {
  if (stage != stage_) {
    stage_ = stage;
    next_ = 0;
  }
  if (done < next_ && done < total) return;
  next_ = done + total / 100 + 1;
  Write(stage, done, total);
}

std::unique_ptr<PrepareProgress> MakeJsonProgress(int fd) {
  return std::make_unique<JsonProgress>(fd);
}

std::unique_ptr<PrepareProgress> MakeTerminalProgress() {
  return std::make_unique<TerminalProgress>();
}

}  // namespace trims

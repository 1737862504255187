#include "ingest/progress_lines.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"

namespace trims {
namespace {

using Json = nlohmann::json;

Status NotUnderstood(const std::string& why) {
  return Status(StatusCode::kInternal, "trims-prepare wrote a progress line that " + why);
}

// kInternal for a name that is none.
StatusCode CodeFromName(std::string_view name) {
  for (int value = 1; value <= static_cast<int>(StatusCode::kInternal); ++value) {
    if (StatusCodeName(static_cast<StatusCode>(value)) == name) {
      return static_cast<StatusCode>(value);
    }
  }
  return StatusCode::kInternal;
}

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool NumberOf(const Json& object, const char* key, uint64_t* value) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return false;
  *value = found->get<uint64_t>();
  return true;
}

}  // namespace

Status ProgressLines::Feed(std::string_view bytes) {
  for (size_t end; (end = bytes.find('\n')) != std::string_view::npos;
       bytes.remove_prefix(end + 1)) {
    if (partial_.size() + end > kMaxLineBytes) return NotUnderstood("is longer than 4096 bytes");
    partial_.append(bytes.substr(0, end));
    const std::string line = std::exchange(partial_, {});
    TRIMS_RETURN_IF_ERROR(FeedLine(line));
  }
  if (partial_.size() + bytes.size() > kMaxLineBytes) {
    return NotUnderstood("is longer than 4096 bytes");
  }
  partial_.append(bytes);
  return {};
}

Status ProgressLines::FeedLine(std::string_view line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return NotUnderstood("is no JSON object");
  if (const auto error = json.find("error"); error != json.end()) {
    if (!error->is_object()) return NotUnderstood("has an error that is no object");
    error_ = Status(CodeFromName(TextOf(*error, "code")), TextOf(*error, "message"),
                    TextOf(*error, "hint"));
    return {};
  }
  Progress progress;
  progress.stage = TextOf(json, "stage");
  const bool numbers =
      NumberOf(json, "done", &progress.done) && NumberOf(json, "total", &progress.total);
  if (!numbers || progress.stage.empty() || progress.stage.size() > kMaxStageBytes) {
    return NotUnderstood("has no stage, done and total");
  }
  progress_ = std::move(progress);
  return {};
}

std::optional<ProgressLines::Progress> ProgressLines::TakeProgress() {
  return std::exchange(progress_, std::nullopt);
}

}  // namespace trims

#include "admin/prometheus_text.h"

#include <charconv>

namespace trims::admin {
namespace {

// The shortest text that means the same number: "0.005", "2.5e-05".
std::string Text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, end);
}

void AppendLabelValue(std::string_view value, std::string* text) {
  for (const char c : value) {
    if (c == '\\' || c == '"') *text += '\\';
    if (c == '\n') {
      *text += "\\n";
    } else {
      *text += c;
    }
  }
}

}  // namespace

void PrometheusText::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void PrometheusText::Line(std::string_view suffix, const Labels& labels, std::string_view value) {
  text_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [label, of] : labels) {
    text_.append(1, before).append(label).append("=\"");
    AppendLabelValue(of, &text_);
    text_ += '"';
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_.append(" ").append(value).append("\n");
}

void PrometheusText::Sample(const Labels& labels, uint64_t value) {
  Line("", labels, std::to_string(value));
}

void PrometheusText::Sample(const Labels& labels, double value) { Line("", labels, Text(value)); }

void PrometheusText::Histogram(const Labels& labels, std::span<const double> bounds,
                               std::span<const uint64_t> counts, double sum) {
  uint64_t so_far = 0;
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  for (size_t i = 0; i < counts.size(); ++i) {
    so_far += counts[i];
    with_bound.back().second = i < bounds.size() ? Text(bounds[i]) : "+Inf";
    Line("_bucket", with_bound, std::to_string(so_far));
  }
  Line("_sum", labels, Text(sum));
  Line("_count", labels, std::to_string(so_far));
}

}  // namespace trims::admin

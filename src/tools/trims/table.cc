#include "tools/trims/table.h"

#include <algorithm>
#include <utility>

namespace trims::cli {
namespace {

constexpr size_t kGap = 2;

size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Pad(const std::string& text, size_t width, Table::Align align) {
  const size_t fill = width - std::min(width, Width(text));
  return align == Table::Align::kRight ? std::string(fill, ' ') + text
                                       : text + std::string(fill, ' ');
}

void AppendLine(std::string line, std::string* text) {
  line.erase(line.find_last_not_of(' ') + 1);
  *text += line + '\n';
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::Render(size_t indent) const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(Width(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& row) {
    std::string line(indent, ' ');
    for (size_t i = 0; i < row.size(); ++i) {
      line += (i == 0 ? "" : std::string(kGap, ' ')) + Pad(row[i], widths[i], columns_[i].align);
    }
    AppendLine(std::move(line), &text);
  };
  append(titles);
  for (const auto& row : rows_) append(row);
  return text;
}

void Fields::Add(std::string key, std::string value) {
  fields_.emplace_back(std::move(key), std::move(value));
}

std::string Fields::Render() const {
  size_t width = 0;
  for (const auto& [key, value] : fields_) width = std::max(width, Width(key));
  std::string text;
  for (const auto& [key, value] : fields_) {
    AppendLine(Pad(key, width + kGap, Table::Align::kLeft) + value, &text);
  }
  return text;
}

}  // namespace trims::cli

// Table: rows of text, aligned in columns two spaces apart, without trailing spaces.
//
//   Table table({{"REFERENCE"}, {"SIZE", Table::Align::kRight}});
//   table.AddRow({"ocr:3f1c9a2b77d0", "51.4 MiB"});
//   out << table.Render();
//
// Widths count UTF-8 code points; a row with fewer cells than columns is filled up with empty ones,
// surplus cells are dropped.
#ifndef TRIMS_TOOLS_TRIMS_TABLE_H_
#define TRIMS_TOOLS_TRIMS_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace trims::cli {

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void AddRow(std::vector<std::string> cells);
  // Titles, then the rows, each line with `indent` spaces before it.
  std::string Render(size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "key    value" lines with the values one below the other.
class Fields {
 public:
  void Add(std::string key, std::string value);
  std::string Render() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_TABLE_H_

#include <fmt/format.h>

#include <string>

#include "tools/trims/humanise.h"
#include "tools/trims/render.h"
#include "tools/trims/table.h"

namespace trims::cli {
namespace {

double Real(const Json& row, const char* field) {
  const auto found = row.find(field);
  return found != row.end() && found->is_number() ? found->get<double>() : 0;
}

// Parts of a microsecond count where few do.
std::string Took(const Json& row, const char* field) {
  const double micros = Real(row, field);
  if (micros < 100) return fmt::format("{:.1f} µs", micros);
  return HumanMicroseconds(static_cast<uint64_t>(micros));
}

std::string Share(const Json& row) {
  const auto found = row.find("share");
  if (found == row.end() || !found->is_number()) return "-";
  return fmt::format("{:.1f} %", found->get<double>() * 100);
}

std::string Rows(const Json& rows, const char* title, const char* field) {
  using enum Table::Align;
  Table table({{title, kLeft},
               {"COUNT", kRight},
               {"TOTAL", kRight},
               {"MEAN", kRight},
               {"P50", kRight},
               {"P95", kRight},
               {"MAX", kRight},
               {"OF OPENS", kRight}});
  for (const Json& row : rows) {
    table.AddRow({Text(row, field), std::to_string(Number(row, "count")), Took(row, "total_us"),
                  Took(row, "mean_us"), Took(row, "p50_us"), Took(row, "p95_us"),
                  Took(row, "max_us"), Share(row)});
  }
  return table.Render();
}

std::string LostLine(const Json& document) {
  const uint64_t lost = Number(document, "lost");
  const uint64_t opens_lost = Number(document, "opens_lost");
  return lost + opens_lost == 0 ? "" : RenderLost(lost, opens_lost);
}

std::string CutOffLines(const Json& document) {
  std::string text;
  for (const Json& path : List(document, "cut_off")) {
    if (path.is_string())
      text += "cut off, read to its end: " + Printable(path.get<std::string>()) + "\n";
  }
  return text;
}

}  // namespace

std::string RenderRecorded(const Json& document) {
  return LostLine(document) + Counted(Number(document, "spans"), "span") + " of " +
         Counted(Number(document, "opens"), "open") + " in " + Text(document, "file") + "\n";
}

std::string RenderExported(const Json& document) {
  return LostLine(document) + Counted(Number(document, "sent"), "span") + " of " +
         Counted(Number(document, "opens"), "open") + " sent, " +
         std::to_string(Number(document, "dropped")) + " dropped\n";
}

std::string RenderCombined(const Json& document) {
  std::string text = CutOffLines(document) + Counted(Number(document, "events"), "event") + " of " +
                     Counted(Number(document, "files"), "file") + " in " + Text(document, "file");
  const uint64_t renumbered = Number(document, "renumbered");
  if (renumbered > 0) {
    text += ", " + Counted(renumbered, "process", "processes") + " with a new number";
  }
  return text + "\n";
}

std::string RenderTraceSummary(const Json& document) {
  std::string text = CutOffLines(document) + Rows(List(document, "spans"), "SPAN", "name");
  const Json& models = List(document, "models");
  if (!models.empty()) text += "\n" + Rows(models, "MODEL", "model");
  return text;
}

}  // namespace trims::cli

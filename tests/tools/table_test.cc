#include "tools/trims/table.h"

#include <gtest/gtest.h>

namespace trims::cli {
namespace {

TEST(TableTest, AlignsColumnsWithoutTrailingSpaces) {
  Table table({{"NAME"}, {"SIZE", Table::Align::kRight}, {"NOTE"}});
  table.AddRow({"ocr", "51.4 MiB", "x"});
  table.AddRow({"a-longer-name", "9 B", ""});
  EXPECT_EQ(table.Render(),
            "NAME               SIZE  NOTE\n"
            "ocr            51.4 MiB  x\n"
            "a-longer-name       9 B\n");
}

TEST(TableTest, PrintsItsTitlesWithoutRows) {
  EXPECT_EQ(Table({{"NAME"}, {"SIZE"}}).Render(), "NAME  SIZE\n");
}

TEST(TableTest, CountsCodePointsAndNotBytes) {
  Table table({{"NAME"}, {"N"}});
  table.AddRow({"Zürich", "1"});
  table.AddRow({"Zurich", "2"});
  EXPECT_EQ(table.Render(), "NAME    N\nZürich  1\nZurich  2\n");
}

TEST(TableTest, FillsUpAndCutsRows) {
  Table table({{"A"}, {"B"}});
  table.AddRow({"1"});
  table.AddRow({"1", "2", "3"});
  EXPECT_EQ(table.Render(), "A  B\n1\n1  2\n");
}

TEST(TableTest, Indents) { EXPECT_EQ(Table({{"A"}}).Render(2), "  A\n"); }

TEST(FieldsTest, PutsValuesBelowEachOther) {
  Fields fields;
  fields.Add("socket", "/run/x");
  fields.Add("up", "1 h");
  fields.Add("", "more");
  EXPECT_EQ(fields.Render(), "socket  /run/x\nup      1 h\n        more\n");
}

}  // namespace
}  // namespace trims::cli

#include "base/shown_name.h"

#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

TEST(ShownName, NamesOfAllLanguagesAreThemselves) {
  for (const char* name : {"unet/conv_in.weight", "模型.onnx", "müde", "🤗"})
    EXPECT_EQ(ShownName(name), name);
}

TEST(ShownName, NothingSteersATerminal) {
  EXPECT_EQ(ShownName("a\x1b[2Jb\x7f\n"), "a?[2Jb??");
  EXPECT_EQ(ShownName("a\xc2\x9b\xe2\x80\xae"
                      "b"),
            "a??b");  // C1's CSI, right to left
  EXPECT_EQ(ShownName("a\xff\xe6"), "a??");
}

TEST(ShownName, ALongOneIsCutBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 100; ++i) name += "模";
  EXPECT_EQ(ShownName(name), name.substr(0, 201) + "…");
  EXPECT_EQ(ShownName(std::string(200, 'a')), std::string(200, 'a'));
}

TEST(ShownNames, TheFirstFew) {
  EXPECT_EQ(ShownNames({}), "");
  EXPECT_EQ(ShownNames({"a", "b"}), "a, b");
  EXPECT_EQ(ShownNames({"a", "b", "c"}, 1), "a and 2 more");
}

}  // namespace
}  // namespace trims

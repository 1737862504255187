#include "source/ini_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(IniFileTest, SectionsKeysAndComments) {
  const Result<IniFile> file = ParseIni(
      "# first\r\n[default]\r\nAWS_Access_Key_Id = AKIA # mine\naws_secret_access_key=a/b+c#d;e\n\n"
      "; also\n[ profile x ]\nregion = eu-west-1\ns3 =\n  addressing_style = "
      "path\noutput=json\n[default]\nregion = us-west-2",
      "config");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(file->at("default").at("aws_access_key_id"), "AKIA");
  EXPECT_EQ(file->at("default").at("aws_secret_access_key"), "a/b+c#d;e");
  EXPECT_EQ(file->at("default").at("region"), "us-west-2");
  EXPECT_EQ(file->at("profile x").at("region"), "eu-west-1");
  EXPECT_EQ(file->at("profile x").at("s3"), "");
  EXPECT_EQ(file->at("profile x").count("addressing_style"), 0u);
  EXPECT_TRUE(ParseIni("", "empty")->empty());
}

TEST(IniFileTest, TellsTheLineAndNotItsText) {
  for (const char* text :
       {"[default]\nhush", "[default]\n= hush", "\nhush = a", "\n[hush", "\n[]", "\n[ ]"}) {
    const Status status = ParseIni(text, "the file").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr("'the file', line 2")) << text;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("hush"))) << text;
  }
  EXPECT_EQ(ParseIni(std::string((1 << 20) + 1, '\n'), "f").status().code(), StatusCode::kTooLarge);
}

}  // namespace
}  // namespace trims

#include "trace/trace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

struct Reading {
  Result<TraceRead> read;
  std::vector<Json> events;
};

Reading Read(const std::string& text) {
  const std::unique_ptr<TraceSource> source = TraceSource::Of(text);
  Reading reading{TraceRead(), {}};
  reading.read = ReadTrace(source.get(), "t.json", [&](Json event) {
    reading.events.push_back(std::move(event));
    return Status();
  });
  return reading;
}

TEST(TraceReaderTest, BothFormsAreRead) {
  const Reading array = Read(R"([{"ph":"X","args":{"a":[1,{"b":null}],"c":1.5}}, {"ph":"M"}])");
  ASSERT_TRUE(array.read.ok()) << array.read.status().ToString();
  EXPECT_EQ(array.read->events, 2U);
  EXPECT_FALSE(array.read->cut_off);
  EXPECT_EQ(array.events[0], Json::parse(R"({"ph":"X","args":{"a":[1,{"b":null}],"c":1.5}})"));
  const Reading object = Read(
      R"({"other":[{"traceEvents":[1]}],"displayTimeUnit":"ns","traceEvents":[{"ph":"X"}],"more":{"a":[2]}})");
  ASSERT_TRUE(object.read.ok()) << object.read.status().ToString();
  EXPECT_EQ(object.events, std::vector<Json>{Json::parse(R"({"ph":"X"})")});
}

TEST(TraceReaderTest, WhatIsCutOffIsReadAsFarAsItGoes) {
  const std::string whole = "[\n{\"ph\":\"X\",\"name\":\"a\"},\n{\"ph\":\"X\",\"name\":\"b\"}\n]\n";
  for (size_t end = 1; end < whole.rfind(']'); ++end) {
    const Reading reading = Read(whole.substr(0, end));
    ASSERT_TRUE(reading.read.ok()) << end << reading.read.status().ToString();
    EXPECT_TRUE(reading.read->cut_off) << end;
    EXPECT_LE(reading.events.size(), 2U);
  }
  EXPECT_EQ(Read(whole.substr(0, whole.rfind(']'))).events.size(), 2U);
  EXPECT_TRUE(Read(R"({"traceEvents":[{"ph":"X"})").read->cut_off);
}

TEST(TraceReaderTest, WhatIsNoTraceIsToldApart) {
  const auto message = [](const std::string& text) {
    const Result<TraceRead> read = Read(text).read;
    EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument) << text;
    return read.status().message();
  };
  EXPECT_THAT(message(""), HasSubstr("'t.json' is no Chrome trace"));
  EXPECT_THAT(message("17"), HasSubstr("it is a number"));
  EXPECT_THAT(message(R"({"a":1})"), HasSubstr("an object without traceEvents"));
  EXPECT_THAT(message("[1]"), HasSubstr("element 0 is a number, expected an event"));
  EXPECT_THAT(message(R"([{"ph":"X"},[]])"), HasSubstr("element 1 is an array"));
  EXPECT_THAT(message(R"([{"name":"a"}])"), HasSubstr("has no \"ph\""));
}

TEST(TraceReaderTest, MemoryIsBounded) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(Read("[{\"ph\":\"X\",\"args\":" + deep).read.status().code(), StatusCode::kTooLarge);
  EXPECT_EQ(Read("{\"other\":" + deep).read.status().code(), StatusCode::kTooLarge);
  const std::string text(2 * TraceSource::kMostBetweenMarks, 'x');
  EXPECT_EQ(Read("[{\"ph\":\"X\",\"name\":\"" + text + "\"}]").read.status().code(),
            StatusCode::kTooLarge);
  std::string many = "[";
  for (int i = 0; i < 100'000; ++i) many += "{\"ph\":\"X\",\"name\":\"0123456789\"},\n";
  EXPECT_EQ(Read(many + "{\"ph\":\"M\"}]").read->events, 100'001U);
}

TEST(TraceReaderTest, AFileThatIsNotThereAndAFolder) {
  const ScratchFolder folder;
  const auto none = [](const Json&) { return Status(); };
  EXPECT_EQ(ReadTrace(folder / "none", none).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReadTrace(folder.path(), none).status().code(), StatusCode::kInvalidArgument);
}

TEST(TraceReaderTest, WhoTakesThemMayEndIt) {
  const std::unique_ptr<TraceSource> source = TraceSource::Of(R"([{"ph":"X"},{"ph":"X"}])");
  const Result<TraceRead> read = ReadTrace(source.get(), "t.json", [](const Json&) {
    return Status(StatusCode::kResourceExhausted, "full");
  });
  EXPECT_EQ(read.status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace trims::test

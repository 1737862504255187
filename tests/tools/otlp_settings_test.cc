#include "tools/trims/otlp_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trims::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Variables = std::map<std::string, std::string>;

Result<OtlpSettings> Read(const Variables& variables) {
  return ReadOtlpSettings([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

TEST(OtlpSettingsTest, WithoutACollectorNothingIsSent) {
  const Status status = Read({}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.hint(), HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT="));
}

TEST(OtlpSettingsTest, TheTracesOwnVariablesGoFirst) {
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"}})->url,
            "http://c:4318/v1/traces");
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/otlp/"}})->url,
            "https://c/otlp/v1/traces");
  const Result<OtlpSettings> settings =
      Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x"},
            {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
            {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", " b = 2%2C3 ,c=4,"},
            {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->url, "http://t/x") << "as it is";
  EXPECT_THAT(settings->headers, ElementsAre("b: 2,3", "c: 4"));
  EXPECT_EQ(settings->timeout, std::chrono::milliseconds(250));
}

TEST(OtlpSettingsTest, TheResourceIsNamed) {
  Variables variables = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}};
  EXPECT_EQ(Read(variables)->attributes.at("service.name"), "trims");
  variables["OTEL_RESOURCE_ATTRIBUTES"] = "service.name=one,deployment.environment=a%20b";
  EXPECT_EQ(Read(variables)->attributes.at("service.name"), "one");
  EXPECT_EQ(Read(variables)->attributes.at("deployment.environment"), "a b");
  variables["OTEL_SERVICE_NAME"] = "two";
  EXPECT_EQ(Read(variables)->attributes.at("service.name"), "two");
}

TEST(OtlpSettingsTest, WhatCannotBeMeantIsRefusedWithoutItsSecrets) {
  const auto refused = [](const char* name, const char* value) {
    Variables variables = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}};
    variables[name] = value;
    const Status status = Read(variables).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << name << "=" << value;
    EXPECT_THAT(status.message(), Not(HasSubstr("secret")));
  };
  refused("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318");
  refused("OTEL_EXPORTER_OTLP_HEADERS", "secret");
  refused("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0d%0aEvil: 1");
  refused("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%2");
  refused("OTEL_EXPORTER_OTLP_TIMEOUT", "10s");
  refused("OTEL_EXPORTER_OTLP_TIMEOUT", "0");
  refused("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
}

}  // namespace
}  // namespace trims::cli

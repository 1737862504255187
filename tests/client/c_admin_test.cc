#include "trims/c_admin.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "client/fake_daemon.h"

namespace trims {
namespace {

using test::FakeDaemon;
using Call = trims_status* (*)(trims_admin*, const char*, const trims_resident_options*, char**);

// Answers each request with what it was about.
class CAdminTest : public ::testing::Test {
 protected:
  CAdminTest()
      : daemon_([](const wire::Request& request, FakeDaemon::Peer& peer) {
          if (const auto* add = std::get_if<wire::AddRequest>(&request.body)) {
            peer.Send(peer.encoder.Progress(request.id, {.stage = "read", .done = 1, .total = 3}));
            return peer.Document(request.id, std::string(add->reference) + " from " +
                                                 std::string(add->source) + " keeps " +
                                                 std::to_string(add->keep_versions));
          }
          if (const auto* control = std::get_if<wire::ControlRequest>(&request.body)) {
            if (control->reference == "none")
              return peer.Error(request.id, Status(StatusCode::kNotFound, "no model", "trims ls"));
            return peer.Document(request.id, TextOf(*control));
          }
          peer.Document(request.id, "{}");
        }) {}
  void SetUp() override {
    trims_client_options options = TRIMS_CLIENT_OPTIONS_INIT;
    const std::string path = daemon_.path();
    options.socket_path = path.c_str();
    ASSERT_EQ(trims_admin_connect(&options, &admin_), nullptr);
  }
  void TearDown() override { trims_admin_free(admin_); }

  static std::string TextOf(const wire::ControlRequest& request) {
    std::string text = std::to_string(static_cast<int>(request.verb)) + " " +
                       std::string(request.reference) + " " + std::string(request.tier) +
                       std::string(request.alias);
    for (const Variant variant : request.variants) text += " " + std::string(VariantName(variant));
    text += request.keep_alive;
    return text + (request.wait ? " wait" : "") + (request.when_idle ? " idle" : "");
  }
  static std::string Take(char* document) {
    std::string text = document;
    trims_text_free(document);
    return text;
  }
  static int CodeOf(trims_status* status) {
    const int code = trims_status_code(status);
    trims_status_free(status);
    return code;
  }

  FakeDaemon daemon_;
  trims_admin* admin_ = nullptr;
};

TEST_F(CAdminTest, AsksWhatTheVerbsMean) {
  const int variants[] = {TRIMS_VARIANT_ORT, TRIMS_VARIANT_FILES};
  trims_resident_options options = TRIMS_RESIDENT_OPTIONS_INIT;
  options.tier = "device:0";
  options.variants = variants;
  options.variant_count = 2;
  options.when_idle = 1;
  const std::vector<std::pair<Call, wire::ControlVerb>> calls = {
      {trims_admin_pin, wire::ControlVerb::kPin},
      {trims_admin_unpin, wire::ControlVerb::kUnpin},
      {trims_admin_prefetch, wire::ControlVerb::kPrefetch},
      {trims_admin_evict, wire::ControlVerb::kEvict},
      {trims_admin_demote, wire::ControlVerb::kDemote},
      {trims_admin_explain, wire::ControlVerb::kExplain}};
  for (const auto& [call, verb] : calls) {
    char* document = nullptr;
    ASSERT_EQ(call(admin_, "ocr", &options, &document), nullptr);
    EXPECT_EQ(Take(document),
              std::to_string(static_cast<int>(verb)) + " ocr device:0 ort files wait idle");
  }
}

TEST_F(CAdminTest, WhatIsNotGivenIsTheDefaultAndADocumentNeedNotBeWanted) {
  char* document = nullptr;
  ASSERT_EQ(trims_admin_prefetch(admin_, "ocr", nullptr, &document), nullptr);
  EXPECT_EQ(Take(document), "2 ocr  wait");
  EXPECT_EQ(trims_admin_pin(admin_, "ocr", nullptr, nullptr), nullptr);
  ASSERT_EQ(trims_admin_set_alias(admin_, "prod", "ocr:2", &document), nullptr);
  EXPECT_EQ(Take(document), "7 ocr:2 prod");
  ASSERT_EQ(trims_admin_keep_alive(admin_, "ocr", "10m", &document), nullptr);
  EXPECT_EQ(Take(document), "12 ocr 10m");
  ASSERT_EQ(trims_admin_drain(admin_, 1, 0, 0, &document), nullptr);
  EXPECT_EQ(Take(document), "5  ");
  EXPECT_EQ(trims_admin_list(admin_, nullptr), nullptr);
  EXPECT_EQ(trims_admin_status(admin_, nullptr), nullptr);
  EXPECT_EQ(trims_admin_aliases(admin_, nullptr), nullptr);
  EXPECT_EQ(trims_admin_policy(admin_, nullptr, nullptr), nullptr);
}

TEST_F(CAdminTest, AddTellsHowFarItIs) {
  trims_add_options options = TRIMS_ADD_OPTIONS_INIT;
  std::string told;
  options.keep_versions = 3;
  options.progress_context = &told;
  options.progress = [](const char* stage, uint64_t done, uint64_t total, void* context) {
    *static_cast<std::string*>(context) =
        std::string(stage) + " " + std::to_string(done) + "/" + std::to_string(total);
  };
  char* document = nullptr;
  ASSERT_EQ(trims_admin_add(admin_, "a", "file:///b", &options, &document), nullptr);
  EXPECT_EQ(Take(document), "a from file:///b keeps 3");
  EXPECT_EQ(told, "read 1/3");
}

TEST_F(CAdminTest, ErrorsAreTypedAndLeaveTheDocumentAlone) {
  char* document = nullptr;
  trims_status* status = trims_admin_evict(admin_, "none", nullptr, &document);
  EXPECT_EQ(trims_status_code(status), TRIMS_NOT_FOUND);
  EXPECT_STREQ(trims_status_hint(status), "trims ls");
  trims_status_free(status);
  EXPECT_EQ(document, nullptr);
  EXPECT_EQ(CodeOf(trims_admin_pin(nullptr, "ocr", nullptr, nullptr)), TRIMS_INVALID_ARGUMENT);
  EXPECT_EQ(CodeOf(trims_admin_pin(admin_, nullptr, nullptr, nullptr)), TRIMS_INVALID_ARGUMENT);
  EXPECT_EQ(CodeOf(trims_admin_add(admin_, "a", nullptr, nullptr, nullptr)),
            TRIMS_INVALID_ARGUMENT);
  EXPECT_EQ(CodeOf(trims_admin_connect(nullptr, nullptr)), TRIMS_INVALID_ARGUMENT);
  const int wrong[] = {7};
  trims_resident_options options = TRIMS_RESIDENT_OPTIONS_INIT;
  options.variants = wrong;
  options.variant_count = 1;
  EXPECT_EQ(CodeOf(trims_admin_pin(admin_, "ocr", &options, nullptr)), TRIMS_INVALID_ARGUMENT);
  options.variants = nullptr;
  EXPECT_EQ(CodeOf(trims_admin_pin(admin_, "ocr", &options, nullptr)), TRIMS_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace trims

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "trims/c.h"

#include "client/fake_model.h"

namespace trims {
namespace {

using test::FakeDaemon;
using test::FakeModel;

class CApiTest : public ::testing::Test {
 protected:
  CApiTest()
      : daemon_([this](const wire::Request& request, FakeDaemon::Peer& peer) {
          const auto& open = std::get<wire::OpenRequest>(request.body);
          deadline_ = open.deadline_ms;
          EXPECT_TRUE(open.tier.empty() || open.tier == "host") << open.tier;
          if (open.reference == "none")
            return peer.Error(request.id, Status(StatusCode::kNotFound, "no model", "trims ls"));
          fake_.Serve(request, peer);
        }) {}
  void SetUp() override {
    trims_client_options options = TRIMS_CLIENT_OPTIONS_INIT;
    const std::string path = daemon_.path();
    options.socket_path = path.c_str();
    ASSERT_EQ(trims_client_connect(&options, &client_), nullptr);
  }
  void TearDown() override { trims_client_free(client_); }

  FakeModel fake_;
  std::atomic<uint32_t> deadline_{0};
  FakeDaemon daemon_;
  trims_client* client_ = nullptr;
};

TEST_F(CApiTest, OpensAndLooksUp) {
  trims_model* model = nullptr;
  ASSERT_EQ(trims_client_open(client_, "ocr", nullptr, &model), nullptr);
  EXPECT_STREQ(trims_model_reference(model), "default/ocr:1");
  EXPECT_STREQ(trims_model_digest(model), "abc");
  EXPECT_STREQ(trims_model_variant_key(model), "");
  EXPECT_STREQ(trims_model_tier(model), "host");
  EXPECT_EQ(trims_model_variant(model), TRIMS_VARIANT_TENSORS);
  EXPECT_EQ(trims_model_hit(model), 1);
  EXPECT_EQ(trims_model_waited_us(model), 7U);
  EXPECT_EQ(trims_model_tensor_count(model), 2U);
  trims_tensor tensor;
  ASSERT_EQ(trims_model_tensor(model, "weight", &tensor), nullptr);
  EXPECT_EQ(tensor.rank, 2U);
  EXPECT_EQ(tensor.shape[1], 2U);
  EXPECT_EQ(tensor.size, 16U);
  EXPECT_EQ(tensor.data, static_cast<const char*>(trims_model_data(model)) + 16);
  EXPECT_STREQ(trims_dtype_name(tensor.dtype), "F32");
  EXPECT_STREQ(trims_model_tensor_type(model, "weight"), "F32");
  EXPECT_STREQ(trims_model_tensor_type(model, "nothing"), "");
  ASSERT_EQ(trims_model_tensor_at(model, 0, &tensor), nullptr);
  EXPECT_STREQ(tensor.name, "bias");
  trims_file file;
  ASSERT_EQ(trims_model_file(model, "config.json", &file), nullptr);
  EXPECT_EQ(file.size, 3U);
  EXPECT_GE(file.fd, 0);
  EXPECT_EQ(trims_model_file_count(model), 2U);
  ASSERT_EQ(trims_model_file_at(model, 1, &file), nullptr);
  EXPECT_STREQ(file.name, "part");
  EXPECT_STREQ(trims_model_metadata(model, "format"), "onnx");
  EXPECT_STREQ(trims_model_metadata(model, "nothing"), "");
  EXPECT_EQ(trims_model_extent_count(model), 2U);
  EXPECT_GE(trims_model_extent_fd(model, 0), 0);
  trims_model_close(model);
  daemon_.AwaitCloses(1);
}

TEST_F(CApiTest, AnErrorHasCodeMessageAndHint) {
  trims_model* model = nullptr;
  trims_status* status = trims_client_open(client_, "none", nullptr, &model);
  EXPECT_EQ(trims_status_code(status), TRIMS_NOT_FOUND);
  EXPECT_STREQ(trims_status_message(status), "no model");
  EXPECT_STREQ(trims_status_hint(status), "trims ls");
  EXPECT_EQ(model, nullptr);
  trims_status_free(status);
}

TEST_F(CApiTest, AnOlderCallersOptionsAreEnough) {
  trims_open_options options = TRIMS_OPEN_OPTIONS_INIT;
  options.deadline_ms = 77;
  options.struct_size = offsetof(trims_open_options, deadline_ms);  // before that field was added
  trims_model* model = nullptr;
  ASSERT_EQ(trims_client_open(client_, "ocr", &options, &model), nullptr);
  EXPECT_EQ(deadline_, 0U);  // the daemon's default
  trims_model_close(model);
  options.tier = "host";
  options.struct_size = sizeof(options) + 64;  // a newer caller's
  struct {
    trims_open_options known;
    char more[64];
  } newer = {options, {}};
  ASSERT_EQ(trims_client_open(client_, "ocr", &newer.known, &model), nullptr);
  EXPECT_EQ(deadline_, 77U);
  trims_model_close(model);
}

TEST_F(CApiTest, NullIsAnErrorAndNoCrash) {
  trims_status* status = trims_client_open(nullptr, "ocr", nullptr, nullptr);
  EXPECT_EQ(trims_status_code(status), TRIMS_INVALID_ARGUMENT);
  trims_status_free(status);
  status = trims_model_tensor(nullptr, nullptr, nullptr);
  EXPECT_EQ(trims_status_code(status), TRIMS_INVALID_ARGUMENT);
  trims_status_free(status);
  trims_status_free(nullptr);
  trims_model_close(nullptr);
  trims_client_free(nullptr);
  EXPECT_EQ(trims_model_tensor_count(nullptr), 0U);
  EXPECT_EQ(trims_model_data(nullptr), nullptr);
  EXPECT_EQ(trims_model_extent_fd(nullptr, 0), -1);
  EXPECT_STREQ(trims_model_digest(nullptr), "");
  EXPECT_EQ(trims_status_code(nullptr), TRIMS_OK);
  EXPECT_STREQ(trims_status_message(nullptr), "");
  EXPECT_STREQ(trims_status_code_name(1000), "UNKNOWN");
  EXPECT_EQ(trims_dtype_size(-1), 0U);
  EXPECT_EQ(trims_dtype_bits(-1), 0U);
  EXPECT_STREQ(trims_model_tensor_type(nullptr, "w"), "");
}

TEST_F(CApiTest, ATypeOfLessThanAByteHasBitsAndNoSize) {
  EXPECT_EQ(trims_dtype_bits(static_cast<int>(DType::kU4)), 4U);
  EXPECT_EQ(trims_dtype_size(static_cast<int>(DType::kU4)), 0U);
}

TEST_F(CApiTest, SeveralThreadsUseOneClient) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < 25; ++j) {
        trims_model* model = nullptr;
        EXPECT_EQ(trims_client_open(client_, "ocr", nullptr, &model), nullptr);
        trims_model_close(model);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  daemon_.AwaitCloses(100);
}

}  // namespace
}  // namespace trims

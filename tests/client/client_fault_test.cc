// Fails each system call of an open in turn: a typed error, nothing leaked, and the next open
// works.
#include <gtest/gtest.h>

#include "trims/client.h"

#include "client/fake_model.h"
#include "support/open_fds.h"

namespace trims {
namespace {

using test::FakeDaemon;
using test::FakeModel;
using test::OpenFds;

Status OpenAndLookUp(Client* client) {
  const Result<Model> model = client->Open("ocr");
  return model.ok() ? model->Tensor("weight").status() : model.status();
}

class ClientFaultTest : public ::testing::TestWithParam<fault::Op> {};

TEST_P(ClientFaultTest, EachFailureIsTypedAndLeaksNothing) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  Client client = Client::Connect({.socket_path = daemon.path()}).value();
  ASSERT_TRUE(client.Open("ocr").ok());
  const size_t before = OpenFds();
  int failures = 0;
  for (int nth = 1;; ++nth) {
    const fault::ScopedPlan plan({.op = GetParam(), .nth = nth, .error = ENOMEM});
    const Status status = OpenAndLookUp(&client);
    if (!plan.fired()) break;
    // A failed close is no failure of the open.
    if (!status.ok()) {
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
      ++failures;
    }
    fault::Uninstall();
    EXPECT_TRUE(client.Open("ocr").ok()) << nth;
  }
  const bool used = GetParam() == fault::Op::kSend || GetParam() == fault::Op::kReceive ||
                    GetParam() == fault::Op::kMmap;
  EXPECT_EQ(failures > 0, used);
  daemon.AwaitOpenConnections(1);  // its ends of the dropped ones are descriptors of this process
  EXPECT_EQ(OpenFds(), before);
}

INSTANTIATE_TEST_SUITE_P(AllOps, ClientFaultTest, ::testing::ValuesIn(fault::kAllOps),
                         [](const auto& op) { return std::string(fault::OpName(op.param)); });

}  // namespace
}  // namespace trims

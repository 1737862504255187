// The example of the adapter's header.
#include "trims/client.h"
#include "trims/mxnet.h"

namespace {

int Fail(const trims::Status& status) { return static_cast<int>(status.code()); }

int MxnetExample(std::span<const float> picture, std::span<float> classes) {
  // example: include/trims/mxnet.h
  trims::Result<trims::Client> client = trims::Client::Connect();
  if (!client.ok()) return Fail(client.status());
  auto made = trims::mxnet::Predictor::Open(*client, "resnet50", {{"data", {1, 3, 224, 224}}});
  if (!made.ok()) return Fail(made.status());
  trims::Status status = made->SetInput("data", picture);
  if (status.ok()) status = made->Forward();
  if (status.ok()) status = made->GetOutput(0, classes);
  // end
  return 0;
}

}  // namespace

// The examples of include/trims/.
#include <iostream>

#include "trims/admin.h"
#include "trims/client.h"
#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

namespace {

int Fail(const trims::Status& status) { return static_cast<int>(status.code()); }
template <typename... Values>
void Use(const Values&...) {}

void AdminExample() {
  // example: include/trims/admin.h
  trims::Result<trims::Admin> admin = trims::Admin::Connect();
  trims::Result<std::string> added = admin->Add("ocr", "file:///models/common.onnx");
  // end
}

int ClientExample() {
  // example: include/trims/client.h
  trims::Result<trims::Client> client = trims::Client::Connect();
  if (!client.ok()) return Fail(client.status());
  trims::Result<trims::Model> model = client->Open("ocr", {.variant = trims::Variant::kOrt});
  if (!model.ok()) return Fail(model.status());
  Use(model->bytes());  // read-only, shared with every process that opened it
  // end
  return 0;
}

void ModelExample(const trims::Model& model) {
  // example: include/trims/model.h
  trims::Result<trims::TensorView> weight = model.Tensor("encoder.layer.0.weight");
  if (weight.ok()) Use(weight->bytes.data(), weight->shape);
  // end
}

void ProgressExample(trims::Client& client) {
  // example: include/trims/progress.h
  trims::OpenOptions options;
  options.progress = [](const trims::LoadProgress& load) {
    std::cerr << load.bytes_done << " of " << load.bytes_total << " bytes\n";
    return true;  // wait on
  };
  trims::Result<trims::Model> model = client.Open("resnet50", options);
  // end
}

int StatusExample(trims::Client& client) {
  // example: include/trims/status.h
  trims::Result<trims::Model> model = client.Open("resnet50");
  if (!model.ok()) return std::cerr << model.status().ToString() << '\n', 1;
  Use(*model);
  // end
  return 0;
}

}  // namespace

// The example of the adapter's header.
#include "trims/client.h"
#include "trims/onnxruntime.h"

namespace {

int Fail(const trims::Status& status) { return static_cast<int>(status.code()); }

int OnnxRuntimeExample(const char* const* inputs, const Ort::Value* values,
                       const char* const* outputs) {
  // example: include/trims/onnxruntime.h
  trims::Result<trims::Client> client = trims::Client::Connect();
  if (!client.ok()) return Fail(client.status());
  auto ocr = trims::onnxruntime::Session::Open(*client, "ocr");
  if (!ocr.ok()) return Fail(ocr.status());
  auto out = (*ocr)->Run(Ort::RunOptions(), inputs, values, 1, outputs, 1);
  // end
  return 0;
}

}  // namespace

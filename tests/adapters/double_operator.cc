// A library of custom operators as programs register them: test::Double, which doubles floats.
#include <onnxruntime_cxx_api.h>

namespace {

struct DoubleKernel {
  void Compute(OrtKernelContext* context) {
    Ort::KernelContext call(context);
    const Ort::ConstValue in = call.GetInput(0);
    const auto info = in.GetTensorTypeAndShapeInfo();
    float* out = call.GetOutput(0, info.GetShape()).GetTensorMutableData<float>();
    for (size_t i = 0; i < info.GetElementCount(); ++i) out[i] = 2 * in.GetTensorData<float>()[i];
  }
};

struct DoubleOperator : Ort::CustomOpBase<DoubleOperator, DoubleKernel> {
  void* CreateKernel(const OrtApi&, const OrtKernelInfo*) const { return new DoubleKernel; }
  const char* GetName() const { return "Double"; }
  size_t GetInputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetInputType(size_t) const {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
  size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(size_t) const {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(
    OrtSessionOptions* options, const OrtApiBase* base) {
  const OrtApi* api = base->GetApi(ORT_API_VERSION);
  Ort::InitApi(api);
  static const DoubleOperator* const double_operator = new DoubleOperator;
  OrtCustomOpDomain* domain = nullptr;  // lives as long as the process
  if (OrtStatus* status = api->CreateCustomOpDomain("test", &domain)) return status;
  if (OrtStatus* status = api->CustomOpDomain_Add(domain, double_operator)) return status;
  return api->AddCustomOpDomain(options, domain);
}

#include "prepare/ort_session_builder.h"

#include <utility>

#include "base/macros.h"

namespace trims {

Status OrtSessionBuilder::Check(OrtStatus* raw) const {
  const Owned<OrtStatus> status(raw, api_->ReleaseStatus);
  if (status == nullptr) return Status();
  return OrtFailure(api_->GetErrorCode(status.get()), api_->GetErrorMessage(status.get()));
}

Status OrtSessionBuilder::Begin(const std::vector<std::string>& extensions) {
  OrtEnv* env = nullptr;
  TRIMS_RETURN_IF_ERROR(Check(api_->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "trims-prepare", &env)));
  env_ = Owned<OrtEnv>(env, api_->ReleaseEnv);
  OrtSessionOptions* options = nullptr;
  TRIMS_RETURN_IF_ERROR(Check(api_->CreateSessionOptions(&options)));
  options_ = Owned<OrtSessionOptions>(options, api_->ReleaseSessionOptions);
  OrtMemoryInfo* memory = nullptr;
  TRIMS_RETURN_IF_ERROR(
      Check(api_->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeCPU, &memory)));
  memory_ = Owned<OrtMemoryInfo>(memory, api_->ReleaseMemoryInfo);
  TRIMS_RETURN_IF_ERROR(Check(api_->SetIntraOpNumThreads(options, 1)));
  TRIMS_RETURN_IF_ERROR(Check(api_->DisableCpuMemArena(options)));
  for (const std::string& extension : extensions) {
    TRIMS_RETURN_IF_ERROR(
        Check(api_->RegisterCustomOpsLibrary_V2(options_.get(), extension.c_str())));
  }
  // The session is thrown away: packing its weights would only cost memory.
  return Set("session.disable_prepacking", "1");
}

Status OrtSessionBuilder::Set(const char* key, const std::string& value) {
  return Check(api_->AddSessionConfigEntry(options_.get(), key, value.c_str()));
}

Status OrtSessionBuilder::Optimise(GraphOptimizationLevel level) {
  return Check(api_->SetSessionGraphOptimizationLevel(options_.get(), level));
}

Status OrtSessionBuilder::WriteTo(const std::string& path) {
  return Check(api_->SetOptimizedModelFilePath(options_.get(), path.c_str()));
}

Result<std::span<const std::byte>> OrtSessionBuilder::Map(const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(MappedFile mapped, MapFile(path, path));
  files_.push_back(std::move(mapped));
  return files_.back().bytes();
}

Status OrtSessionBuilder::AddFile(const LinkedFile& file) {
  TRIMS_ASSIGN_OR_RETURN(const std::span<const std::byte> mapped, Map(file.path));
  const char* name = file.name.c_str();
  const size_t length = mapped.size();
  // ONNX Runtime takes a pointer to non-const and only reads.
  auto* bytes = reinterpret_cast<char*>(const_cast<std::byte*>(mapped.data()));
  return Check(
      api_->AddExternalInitializersFromFilesInMemory(options_.get(), &name, &bytes, &length, 1));
}

Status OrtSessionBuilder::FromMappedFile(const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(const std::span<const std::byte> mapped, Map(path));
  return FromBytes(mapped);
}

Status OrtSessionBuilder::AddWeight(const OrtWeight& weight) {
  OrtValue* value = nullptr;
  // ONNX Runtime takes a pointer to non-const and only reads.
  TRIMS_RETURN_IF_ERROR(Check(api_->CreateTensorWithDataAsOrtValue(
      memory_.get(), const_cast<std::byte*>(weight.bytes.data()), weight.bytes.size(),
      weight.shape.data(), weight.shape.size(),
      static_cast<ONNXTensorElementDataType>(weight.onnx_type), &value)));
  values_.emplace_back(value, api_->ReleaseValue);
  return Check(api_->AddInitializer(options_.get(), weight.name.c_str(), value));
}

Status OrtSessionBuilder::FromFile(const std::string& path) {
  OrtSession* session = nullptr;
  TRIMS_RETURN_IF_ERROR(
      Check(api_->CreateSession(env_.get(), path.c_str(), options_.get(), &session)));
  api_->ReleaseSession(session);
  return Status();
}

Status OrtSessionBuilder::FromBytes(std::span<const std::byte> model) {
  OrtSession* session = nullptr;
  TRIMS_RETURN_IF_ERROR(Check(api_->CreateSessionFromArray(env_.get(), model.data(), model.size(),
                                                           options_.get(), &session)));
  api_->ReleaseSession(session);
  return Status();
}

}  // namespace trims

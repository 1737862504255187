#include "demo/loaded_model.h"

#include <sys/stat.h>

#include <utility>

#include "trims/client.h"
#include "trims/onnxruntime.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/sys.h"

namespace trims::demo {
namespace {

class SharedModel final : public LoadedModel {
 public:
  explicit SharedModel(onnxruntime::Session session) : session_(std::move(session)) {}
  Ort::Session& session() override { return session_.session(); }

 private:
  onnxruntime::Session session_;
};

class FileModel final : public LoadedModel {
 public:
  FileModel(const std::string& path, const Ort::SessionOptions& options)
      : session_(RuntimeEnv(), path.c_str(), options) {}
  Ort::Session& session() override { return session_; }

 private:
  Ort::Session session_;
};

class PreparedModel final : public LoadedModel {
 public:
  PreparedModel(Mapping bytes, const Ort::SessionOptions& options)
      : bytes_(std::move(bytes)), session_(RuntimeEnv(), bytes_.data(), bytes_.size(), options) {}
  Ort::Session& session() override { return session_; }

 private:
  Mapping bytes_;
  Ort::Session session_;
};

Ort::SessionOptions PlainOptions(const Arguments& arguments) {
  Ort::SessionOptions options;
  if (arguments.threads > 0) options.SetIntraOpNumThreads(arguments.threads);
  return options;
}

Ort::SessionOptions PreparedOptions(const Arguments& arguments) {
  Ort::SessionOptions options = PlainOptions(arguments);
  options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  options.AddConfigEntry("session.disable_prepacking", "1");
  options.AddConfigEntry("session.load_model_format", "ORT");
  options.AddConfigEntry("session.use_ort_model_bytes_directly", "1");
  options.AddConfigEntry("session.use_ort_model_bytes_for_initializers", "1");
  return options;
}

Result<Mapping> MapFile(const std::string& path) {
  const UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0) return ErrnoStatus("open '" + path + "'");
  if (info.st_size <= 0) return Status(StatusCode::kDataLoss, "'" + path + "' is empty");
  return Mapping::OfFile(fd.get(), static_cast<size_t>(info.st_size), PROT_READ);
}

Result<onnxruntime::Session> OpenShared(Client& client, const std::string& reference,
                                        const Arguments& arguments) {
  const onnxruntime::Options options{.intra_op_threads = arguments.threads, .env = &RuntimeEnv()};
  if (arguments.tier.empty()) return onnxruntime::Session::Open(client, reference, options);
  TRIMS_ASSIGN_OR_RETURN(Model model,
                         client.Open(reference, {.variant = Variant::kOrt,
                                                 .variant_key = onnxruntime::VariantKey(),
                                                 .tier = arguments.tier}));
  if (model.info().memory == HandleKind::kCudaDevice) {
    return Status(StatusCode::kInvalidArgument,
                  arguments.tier + " is a GPU's memory, which this function can't read");
  }
  return onnxruntime::Session::Over(std::move(model), options);
}

std::string DescribeOpen(const OpenInfo& info) {
  return std::string("\"mode\": \"trims\", \"pages\": \"") + std::string(PagesName(info.pages)) +
         "\", \"hit\": " + (info.hit ? "true" : "false");
}

}  // namespace

const Ort::Env& RuntimeEnv() {
  static const Ort::Env* const env = new Ort::Env(ORT_LOGGING_LEVEL_ERROR, "function");
  return *env;
}

void LoadedModels::Add(std::unique_ptr<LoadedModel> model) {
  models_.push_back(std::move(model));
  sessions_.push_back(&models_.back()->session());
}

Result<LoadedModels> LoadedModels::Load(const Arguments& arguments) {
  LoadedModels out;
  if (arguments.mode == Mode::kTrims) {
    TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect());
    for (const std::string& reference : arguments.models) {
      TRIMS_ASSIGN_OR_RETURN(onnxruntime::Session session,
                             OpenShared(client, reference, arguments));
      out.description_ = DescribeOpen(session.model().info());
      out.Add(std::make_unique<SharedModel>(std::move(session)));
    }
    return out;
  }
  const bool prepared = arguments.mode == Mode::kPrepared;
  out.description_ = prepared ? "\"mode\": \"prepared\"" : "\"mode\": \"file\"";
  for (const std::string& path : arguments.models) {
    if (prepared) {
      TRIMS_ASSIGN_OR_RETURN(Mapping bytes, MapFile(path));
      out.Add(std::make_unique<PreparedModel>(std::move(bytes), PreparedOptions(arguments)));
    } else {
      out.Add(std::make_unique<FileModel>(path, PlainOptions(arguments)));
    }
  }
  return out;
}

}  // namespace trims::demo

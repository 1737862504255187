#include "admin/triton.h"

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "admin/answers.h"
#include "admin/json_fields.h"
#include "base/macros.h"
#include "base/shown_name.h"

namespace trims::admin {
namespace {

constexpr std::string_view kModels = "/v2/repository/models/";
constexpr std::chrono::minutes kLoadPatience{5};
constexpr std::chrono::seconds kUnloadPatience{5};

// The most prepared one first: what a framework maps without copying.
constexpr std::array<std::string_view, 3> kByPreparation = {"ort", "tensors", "files"};

Result<Json> BodyOf(const HttpRequest& request) {
  if (request.body.empty()) return Json::object();
  Json json = ParseJson(request.body);
  if (json.is_object()) return json;
  return Status(StatusCode::kInvalidArgument, "the body is no JSON object", R"({"ready": true})");
}

Status ReadParameters(const Json& body, TritonCall* call) {
  for (const auto& [name, value] : FieldOf(body, "parameters").items()) {
    if (name == "variant" && value.is_string()) {
      call->variant = value.get<std::string>();
    } else if (name == "tier" && value.is_string()) {
      call->tier = value.get<std::string>();
    } else if (call->kind == TritonCall::Kind::kLoad) {
      return Status(StatusCode::kInvalidArgument,
                    "the parameter '" + ShownName(name) + "' of a load: expected variant and tier",
                    R"({"parameters": {"variant": "ort"}})");
    }
  }
  return Status();
}

// "/v2/repository/models/NAME/load": NAME may have a namespace.
std::optional<TritonCall> CallOfPath(std::string_view path) {
  if (path == "/v2/repository/index") return TritonCall{};
  if (!path.starts_with(kModels)) return std::nullopt;
  path.remove_prefix(kModels.size());
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view verb = path.substr(slash + 1);
  TritonCall call{.model = std::string(path.substr(0, slash))};
  if (verb == "load") {
    call.kind = TritonCall::Kind::kLoad;
  } else if (verb == "unload") {
    call.kind = TritonCall::Kind::kUnload;
  } else {
    return std::nullopt;
  }
  return call;
}

// As Triton names them: READY is resident, LOADING is on its way, UNAVAILABLE is in the catalog alone.
std::string_view StateOf(const Json& model) {
  bool loading = false;
  for (const Json& variant : ListOf(model, "variants")) {
    const std::string state = TextOf(variant, "state");
    if (state == "resident") return "READY";
    if (state == "loading" || state == "reserved") loading = true;
  }
  return loading ? "LOADING" : "UNAVAILABLE";
}

HttpResponse AnswerIndex(const TritonCall& call, DaemonLink& link) {
  const Result<std::string> list = link.List();
  if (!list.ok()) return ErrorAnswer(list.status());
  const Json document = ParseJson(*list);
  if (!document.is_object()) {
    return ErrorAnswer(Status(StatusCode::kInternal, "trimsd's answer is no JSON object"));
  }
  Json index = Json::array();
  for (const Json& model : ListOf(document, "models")) {
    const std::string_view state = StateOf(model);
    if (call.ready_only && state != "READY") continue;
    index.push_back({{"name", TextOf(model, "name")},
                     {"version", TextOf(model, "version")},
                     {"state", state},
                     {"reason", ""}});
  }
  return JsonAnswer(DumpJson(index));
}

// Of those that the model has. The document's own order is by kind.
Result<Variant> ChooseVariant(const TritonCall& call, DaemonLink& link) {
  if (!call.variant.empty()) return VariantFromName(call.variant);
  TRIMS_ASSIGN_OR_RETURN(const std::string shown, link.Show(call.model));
  const Json document = ParseJson(shown);
  const Json& variants = ListOf(document, "variants");
  for (const std::string_view kind : kByPreparation) {
    for (const Json& variant : variants) {
      if (TextOf(variant, "kind") == kind) return VariantFromName(kind);
    }
  }
  return Status(StatusCode::kInternal, "trimsd's answer names no variant of " + call.model);
}

HttpResponse AnswerLoad(const TritonCall& call, DaemonLink& link) {
  const Result<Variant> variant = ChooseVariant(call, link);
  if (!variant.ok()) return ErrorAnswer(variant.status());
  OpenOptions options;
  options.variant = *variant;
  options.tier = call.tier;
  options.deadline = kLoadPatience;
  const Status loaded = link.Load(call.model, options);
  return loaded.ok() ? JsonAnswer("{}") : ErrorAnswer(loaded);
}

// What is in use goes with its last lease, as Triton's own finishes what it has begun. The catalog keeps the model.
HttpResponse AnswerUnload(const TritonCall& call, DaemonLink& link) {
  ResidentOptions options;
  if (!call.variant.empty()) {
    const Result<Variant> variant = VariantFromName(call.variant);
    if (!variant.ok()) return ErrorAnswer(variant.status());
    options.variants = {*variant};
  }
  options.tier = call.tier;
  options.when_idle = true;
  options.timeout = kUnloadPatience;
  const Result<std::string> evicted = link.Evict(call.model, options);
  return evicted.ok() ? JsonAnswer("{}") : ErrorAnswer(evicted.status());
}

}  // namespace

Result<TritonCall> ParseTritonCall(const HttpRequest& request) {
  std::optional<TritonCall> call = CallOfPath(request.path);
  if (!call) {
    return Status(StatusCode::kNotFound, "there is no '" + ShownName(request.path) + "'",
                  "of Triton's protocol there are /v2/repository/index and "
                  "/v2/repository/models/NAME/load and /unload");
  }
  TRIMS_ASSIGN_OR_RETURN(const Json body, BodyOf(request));
  const Json& ready = FieldOf(body, "ready");
  call->ready_only = ready.is_boolean() && ready.get<bool>();
  TRIMS_RETURN_IF_ERROR(ReadParameters(body, &*call));
  return *std::move(call);
}

HttpResponse AnswerTriton(const TritonCall& call, DaemonLink& link) {
  switch (call.kind) {
    case TritonCall::Kind::kIndex:
      return AnswerIndex(call, link);
    case TritonCall::Kind::kLoad:
      return AnswerLoad(call, link);
    case TritonCall::Kind::kUnload:
      return AnswerUnload(call, link);
  }
  return ErrorAnswer(Status(StatusCode::kInternal, "an unknown call"));
}

}  // namespace trims::admin

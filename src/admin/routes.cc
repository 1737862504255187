#include "admin/routes.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "admin/answers.h"
#include "admin/event_stream.h"
#include "admin/explain_query.h"
#include "admin/json_fields.h"
#include "admin/metrics.h"
#include "admin/pages.h"
#include "admin/policy_body.h"
#include "admin/query.h"
#include "admin/triton.h"
#include "base/macros.h"
#include "base/shown_name.h"

namespace trims::admin {
namespace {

constexpr std::string_view kModel = "/v1/models/";

Route At(HttpResponse answer) { return {.answer = std::move(answer), .ask = {}}; }
Route Asking(std::function<HttpResponse(DaemonLink&)> ask, Pace pace = Pace::kQuick) {
  return {.answer = std::nullopt, .ask = std::move(ask), .pace = pace};
}

HttpResponse NoSuchPath(const std::string& path) {
  return ErrorAnswer(404, {.code = "NOT_FOUND",
                           .message = "there is no '" + ShownName(path) + "'",
                           .hint = "/v1/openapi.json says what there is"});
}

HttpResponse WrongMethod(const HttpRequest& request, const std::string& allowed) {
  HttpResponse answer =
      ErrorAnswer(405, {.code = "UNIMPLEMENTED",
                        .message = "'" + ShownName(request.path) + "' takes " + allowed + ", not " +
                                   ShownName(request.method)});
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

HttpResponse Alive() { return JsonAnswer(R"({"alive":true})"); }

// Whether it would serve an open: the status says whether it drains.
HttpResponse Ready(DaemonLink& link) {
  const Result<std::string> status = link.GetStatus();
  if (!status.ok()) return ErrorAnswer(status.status());
  const Json document = ParseJson(*status);
  const Json& draining = FieldOf(document, "draining");
  if (!draining.is_boolean() || !draining.get<bool>()) return JsonAnswer(R"({"ready":true})");
  return ErrorAnswer(Status(StatusCode::kUnavailable, "the daemon drains: it gives no new leases",
                            "trims drain --off"));
}

HttpResponse Metrics(DaemonLink& link) {
  HttpResponse answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = MetricsPage(link.GetStatus());
  return answer;
}

Route ModelRoute(const HttpRequest& request, std::string reference) {
  if (request.method == "GET") {
    return Asking([reference = std::move(reference)](DaemonLink& link) {
      return DocumentAnswer(link.Show(reference));
    });
  }
  if (request.method == "DELETE") {
    return Asking([reference = std::move(reference)](DaemonLink& link) {
      return DocumentAnswer(link.Remove(reference));
    });
  }
  return At(WrongMethod(request, "GET, DELETE"));
}

// What is asked of another tier than the host's says so in the query; what is changed, in the body.
Status ReadPolicyQuery(const HttpRequest& request, PolicyOptions* options) {
  constexpr char kPolicyForm[] = "GET /v1/policy?tier=disk, or PUT with a body";
  TRIMS_RETURN_IF_ERROR(CheckQuery(request, kPolicyForm));
  for (const auto& [name, value] : request.query) {
    if (name != "tier" || request.method != "GET") return NotInQuery(name, value, kPolicyForm);
    options->tier = value;
  }
  return Status();
}

Route PolicyRoute(const HttpRequest& request) {
  PolicyOptions options;
  if (const Status query = ReadPolicyQuery(request, &options); !query.ok())
    return At(ErrorAnswer(query));
  if (request.method == "PUT") {
    Result<PolicyOptions> parsed = ParsePolicyBody(request.body);
    if (!parsed.ok()) return At(ErrorAnswer(parsed.status()));
    options = *std::move(parsed);
  } else if (request.method != "GET") {
    return At(WrongMethod(request, "GET, PUT"));
  }
  return Asking([options = std::move(options)](DaemonLink& link) {
    return DocumentAnswer(link.Policy(options));
  });
}

Route EventsRoute(const HttpRequest& request) {
  if (request.method != "GET") return At(WrongMethod(request, "GET"));
  Result<EventsOptions> options = EventsOptionsOf(request);
  if (!options.ok()) return At(ErrorAnswer(options.status()));
  return Asking(
      [options = *std::move(options)](DaemonLink& link) { return AnswerEvents(options, link); });
}

Route ExplainRoute(const HttpRequest& request) {
  if (request.method != "GET") return At(WrongMethod(request, "GET"));
  Result<ExplainQuery> query = ExplainQueryOf(request);
  if (!query.ok()) return At(ErrorAnswer(query.status()));
  return Asking([query = *std::move(query)](DaemonLink& link) {
    return DocumentAnswer(link.Explain(query.reference, query.options));
  });
}

using Ask = HttpResponse (*)(DaemonLink&);
constexpr std::array kAsked = std::to_array<std::pair<std::string_view, Ask>>({
    {"/readyz", Ready},
    {"/metrics", Metrics},
    {"/v1/status", [](DaemonLink& link) { return DocumentAnswer(link.GetStatus()); }},
    {"/v1/models", [](DaemonLink& link) { return DocumentAnswer(link.List()); }},
});

Route GetRoute(const HttpRequest& request) {
  std::optional<HttpResponse> page = PageAt(request.path);
  const bool alive = request.path == "/healthz";
  Ask found = nullptr;
  for (const auto& [path, ask] : kAsked) {
    if (path == request.path) found = ask;
  }
  if (!page && !alive && found == nullptr) return At(NoSuchPath(request.path));
  if (request.method != "GET") return At(WrongMethod(request, "GET"));
  if (alive) return At(Alive());
  return page ? At(*std::move(page)) : Asking(found);
}

Route TritonRouteOf(const HttpRequest& request) {
  Result<TritonCall> call = ParseTritonCall(request);
  if (!call.ok()) return At(InTritonsForm(ErrorAnswer(call.status())));
  if (request.method != "POST") return At(InTritonsForm(WrongMethod(request, "POST")));
  const Pace pace = call->kind == TritonCall::Kind::kLoad ? Pace::kSlow : Pace::kQuick;
  return Asking([call = *std::move(call)](
                    DaemonLink& link) { return InTritonsForm(AnswerTriton(call, link)); },
                pace);
}

}  // namespace

Route FindRoute(const HttpRequest& request) {
  if (request.path == "/v1/policy") return PolicyRoute(request);
  if (request.path == "/v1/events") return EventsRoute(request);
  if (request.path == "/v1/explain") return ExplainRoute(request);
  if (request.path.starts_with(kModel))
    return ModelRoute(request, request.path.substr(kModel.size()));
  if (request.path.starts_with("/v2/")) return TritonRouteOf(request);
  return GetRoute(request);
}

}  // namespace trims::admin

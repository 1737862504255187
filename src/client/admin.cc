#include "trims/admin.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/macros.h"
#include "client/client_impl.h"
#include "wire/protocol.h"

namespace trims {
namespace {

// `on_progress` outlives it.
std::function<bool(const wire::ProgressReply&)> Telling(
    const std::function<void(const Progress&)>& on_progress) {
  if (!on_progress) return {};
  return [&on_progress](const wire::ProgressReply& reply) {
    on_progress({.stage = reply.stage, .done = reply.done, .total = reply.total});
    return true;
  };
}

Status CheckTimeout(std::chrono::milliseconds timeout) {
  if (timeout.count() > 0) return {};
  return Status(StatusCode::kInvalidArgument, "a timeout that has passed");
}

wire::ControlRequest About(wire::ControlVerb verb, std::string_view reference,
                           const ResidentOptions& options) {
  return {.verb = verb,
          .reference = reference,
          .tier = options.tier,
          .variants = options.variants,
          .wait = options.wait,
          .when_idle = options.when_idle};
}

}  // namespace

Result<Admin> Admin::Connect(const ClientOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect(options));
  return Admin(std::move(client));
}

Admin::Admin(Client client) : client_(std::move(client)) {}

Result<std::string> Admin::Add(std::string_view reference, std::string_view source,
                               const AddOptions& options) {
  if (options.timeout.count() <= 0)
    return Status(StatusCode::kInvalidArgument, "a timeout that has passed");
  if (options.keep_for.count() < 0 || options.keep_for > kLongestWait) {
    return Status(StatusCode::kInvalidArgument, "versions are kept for a year at most, not for " +
                                                    std::to_string(options.keep_for.count()) +
                                                    " seconds");
  }
  return client_.impl_->AskForDocument(
      wire::AddRequest{.reference = reference,
                       .source = source,
                       .variants = options.variants,
                       .precision = options.precision,
                       .onnxruntime_extensions = {options.onnxruntime_extensions.begin(),
                                                  options.onnxruntime_extensions.end()},
                       .keep_versions = options.keep_versions,
                       .keep_for_s = static_cast<uint32_t>(options.keep_for.count()),
                       .granularity = options.granularity},
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::Remove(std::string_view reference) {
  return client_.impl_->AskForDocument(
      wire::RemoveRequest{reference},
      {.patience = client_.impl_->document_timeout(), .repeatable = false, .on_progress = {}});
}

Result<std::string> Admin::List() {
  return client_.impl_->AskForDocument(
      wire::ListRequest{}, {.patience = client_.impl_->document_timeout(), .on_progress = {}});
}

Result<std::string> Admin::Show(std::string_view reference) {
  return client_.impl_->AskForDocument(
      wire::ShowRequest{reference},
      {.patience = client_.impl_->document_timeout(), .on_progress = {}});
}

Result<std::string> Admin::GetStatus() {
  return client_.impl_->AskForDocument(
      wire::StatusRequest{}, {.patience = client_.impl_->document_timeout(), .on_progress = {}});
}

Result<std::string> Admin::Verify(std::string_view reference, const VerifyOptions& options) {
  if (options.timeout.count() <= 0)
    return Status(StatusCode::kInvalidArgument, "a timeout that has passed");
  return client_.impl_->AskForDocument(
      wire::VerifyRequest{.reference = reference, .bytes_per_second = options.bytes_per_second},
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::Policy(const PolicyOptions& options) {
  return client_.impl_->AskForDocument(
      wire::PolicyRequest{.tier = options.tier,
                          .eviction = options.eviction,
                          .admission = options.admission,
                          .reclaim = options.reclaim,
                          .budget = options.budget,
                          .quota = options.quota},
      {.patience = client_.impl_->document_timeout(), .on_progress = {}});
}

Result<std::string> Admin::Pin(std::string_view reference, const ResidentOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  return client_.impl_->AskForDocument(
      About(wire::ControlVerb::kPin, reference, options),
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::Unpin(std::string_view reference, const ResidentOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  return client_.impl_->AskForDocument(
      About(wire::ControlVerb::kUnpin, reference, options),
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::Prefetch(std::string_view reference, const ResidentOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  return client_.impl_->AskForDocument(
      About(wire::ControlVerb::kPrefetch, reference, options),
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::Evict(std::string_view reference, const ResidentOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  return client_.impl_->AskForDocument(
      About(wire::ControlVerb::kEvict, reference, options),
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::KeepAlive(std::string_view name, std::string_view keep_alive) {
  return client_.impl_->AskForDocument(
      wire::ControlRequest{
          .verb = wire::ControlVerb::kKeepAlive, .reference = name, .keep_alive = keep_alive},
      {.patience = client_.impl_->document_timeout(), .on_progress = {}});
}

Result<std::string> Admin::Demote(std::string_view reference, const ResidentOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  return client_.impl_->AskForDocument(
      About(wire::ControlVerb::kDemote, reference, options),
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

Result<std::string> Admin::Explain(std::string_view reference, const ResidentOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  return client_.impl_->AskForDocument(About(wire::ControlVerb::kExplain, reference, options),
                                       {.patience = options.timeout, .on_progress = {}});
}

Result<std::string> Admin::Drain(const DrainOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckTimeout(options.timeout));
  const auto verb = options.on ? wire::ControlVerb::kDrain : wire::ControlVerb::kUndrain;
  return client_.impl_->AskForDocument(wire::ControlRequest{.verb = verb, .wait = options.wait},
                                       {.patience = options.timeout, .on_progress = {}});
}

Result<std::string> Admin::SetAlias(std::string_view alias, std::string_view reference) {
  return client_.impl_->AskForDocument(
      wire::ControlRequest{
          .verb = wire::ControlVerb::kSetAlias, .reference = reference, .alias = alias},
      {.patience = client_.impl_->document_timeout(), .repeatable = false, .on_progress = {}});
}

Result<std::string> Admin::Rollback(std::string_view alias) {
  return client_.impl_->AskForDocument(
      wire::ControlRequest{.verb = wire::ControlVerb::kRollback, .alias = alias},
      {.patience = client_.impl_->document_timeout(), .repeatable = false, .on_progress = {}});
}

Result<std::string> Admin::DeleteAlias(std::string_view alias) {
  return client_.impl_->AskForDocument(
      wire::ControlRequest{.verb = wire::ControlVerb::kDeleteAlias, .alias = alias},
      {.patience = client_.impl_->document_timeout(), .repeatable = false, .on_progress = {}});
}

Result<std::string> Admin::Aliases() {
  return client_.impl_->AskForDocument(
      wire::ControlRequest{.verb = wire::ControlVerb::kListAliases},
      {.patience = client_.impl_->document_timeout(), .on_progress = {}});
}

Result<std::string> Admin::Events(const EventsOptions& options) {
  if (options.wait.count() < 0) return Status(StatusCode::kInvalidArgument, "a negative wait");
  const auto wait = std::min<int64_t>(options.wait.count(), wire::kMaxEventsWaitMs);
  return client_.impl_->AskForDocument(
      wire::EventsRequest{.since = options.since,
                          .opens_since = options.opens_since,
                          .kinds = {options.kinds.begin(), options.kinds.end()},
                          .opens = options.opens,
                          .model = options.model,
                          .wait_ms = static_cast<uint32_t>(wait)},
      {.patience = client_.impl_->document_timeout() + std::chrono::milliseconds(wait),
       .on_progress = {}});
}

Result<std::string> Admin::Push(std::string_view reference, std::string_view destination,
                                const PushOptions& options) {
  if (options.timeout.count() <= 0)
    return Status(StatusCode::kInvalidArgument, "a timeout that has passed");
  return client_.impl_->AskForDocument(
      wire::PushRequest{.reference = reference, .destination = destination},
      {.patience = options.timeout, .on_progress = Telling(options.on_progress)});
}

}  // namespace trims

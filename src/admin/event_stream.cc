#include "admin/event_stream.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admin/answers.h"
#include "admin/json_fields.h"
#include "admin/query.h"
#include "base/macros.h"
#include "base/shown_name.h"

namespace trims::admin {
namespace {

// A server that ends waits for it, and so long a place is kept for who has hung up.
constexpr std::chrono::milliseconds kWait{1000};
constexpr int kQuietWaits = 15;

constexpr char kEventsForm[] =
    "/v1/events?since=NUMBER&kind=segment&kind=model&model=NAME&opens=true, each if wanted";

Result<uint64_t> NumberOf(const std::string& text, const char* name) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return Status(StatusCode::kInvalidArgument,
                std::string(name) + " is '" + ShownName(text) + "': expected a number",
                kEventsForm);
}

Status TakeParameter(const std::string& name, const std::string& value, EventsOptions* options) {
  if (name == "since") {
    TRIMS_ASSIGN_OR_RETURN(options->since, NumberOf(value, "since"));
  } else if (name == "kind") {
    options->kinds.push_back(value);
  } else if (name == "model") {
    options->model = value;
  } else if (name == "opens" && value == "true") {
    options->opens = true;
  } else {
    return NotInQuery(name, value, kEventsForm);
  }
  return Status();
}

uint64_t NumberIn(const Json& object, std::string_view name) {
  const Json& field = FieldOf(object, name);
  return field.is_number_unsigned() ? field.get<uint64_t>() : 0;
}

std::string Named(const std::string& event, const Json& data) {
  return "event: " + event + "\ndata: " + DumpJson(data) + "\n\n";
}

// Of opens there is no id: they have numbers of their own.
std::string TextOfBatch(const Json& batch) {
  std::string text;
  const uint64_t lost = NumberIn(batch, "lost");
  const uint64_t opens_lost = NumberIn(batch, "opens_lost");
  if (lost > 0 || opens_lost > 0) {
    text += Named("lost", {{"lost", lost}, {"opens_lost", opens_lost}});
  }
  for (const Json& event : ListOf(batch, "events")) {
    const std::string kind = TextOf(event, "kind");
    if (!kind.starts_with("open.")) {
      text += "id: " + std::to_string(NumberIn(event, "sequence")) + "\n";
    }
    text += Named(kind, event);
  }
  return text;
}

// Asks on where the last batch ended.
Result<std::string> NextText(EventsOptions* options, DaemonLink& link) {
  TRIMS_ASSIGN_OR_RETURN(const std::string document, link.Events(*options));
  const Json batch = ParseJson(document);
  options->since = NumberIn(batch, "next");
  options->opens_since = NumberIn(batch, "opens_next");
  options->wait = kWait;
  return TextOfBatch(batch);
}

}  // namespace

Result<EventsOptions> EventsOptionsOf(const HttpRequest& request) {
  TRIMS_RETURN_IF_ERROR(CheckQuery(request, kEventsForm, /*several=*/"kind"));
  EventsOptions options{.wait = std::chrono::milliseconds(0)};
  for (const auto& [name, value] : request.query) {
    TRIMS_RETURN_IF_ERROR(TakeParameter(name, value, &options));
  }
  if (request.last_event_id) {
    TRIMS_ASSIGN_OR_RETURN(options.since, NumberOf(*request.last_event_id, "Last-Event-ID"));
  }
  return options;
}

HttpResponse AnswerEvents(EventsOptions options, DaemonLink& link) {
  Result<std::string> first = NextText(&options, link);
  if (!first.ok()) return ErrorAnswer(first.status());
  HttpResponse answer;
  answer.content_type = "text/event-stream; charset=utf-8";
  answer.body = ": what the daemon does\n\n" + *std::move(first);
  answer.more = [options, quiet = 0](DaemonLink& own) mutable -> std::optional<std::string> {
    Result<std::string> text = NextText(&options, own);
    if (!text.ok()) return std::nullopt;  // who reads connects anew, and is told why
    if (!text->empty()) quiet = 0;
    if (text->empty() && ++quiet % kQuietWaits == 0) return ": nothing new\n\n";
    return *std::move(text);
  };
  return answer;
}

}  // namespace trims::admin

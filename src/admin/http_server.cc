#include "admin/http_server.h"

#include <microhttpd.h>
#include <poll.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "admin/answer_room.h"
#include "admin/answers.h"
#include "admin/crowd.h"
#include "admin/exchange.h"
#include "admin/piece_stream.h"
#include "admin/routes.h"
#include "base/log.h"
#include "base/mutex.h"

namespace trims::admin {
namespace {

// Beside those that Crowd lets stay: those whose end it has just asked for.
constexpr size_t kLeaving = 32;

constexpr char kTooManyWait[] = "too many requests wait for the daemon";
constexpr char kTooManyListen[] = "too many listen to the events";

// Of every answer. The page may load nothing but its own files, and nobody may frame it.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
};

HttpResponse Busy(std::string why) {
  HttpResponse answer = ErrorAnswer(
      503,
      {.code = "RESOURCE_EXHAUSTED", .message = std::move(why), .hint = "try again in a moment"});
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

int SocketOf(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

// Of a connection that stands still the library doesn't see the end. One that has ended meanwhile may be another's by now: then its
// stream has ended, and whatever this says changes nothing.
bool HasHungUp(int fd) {
  pollfd socket{.fd = fd, .events = POLLRDHUP, .revents = 0};
  return ::poll(&socket, 1, 0) > 0 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Paths are decoded by DecodeTarget, which refuses what is ambiguous.
size_t LeaveEscapes(void*, MHD_Connection*, char* text) {
  return std::char_traits<char>::length(text);
}

// A body on its way, with its room: the library owns it from then on, and sends it without a copy.
struct Outgoing {
  std::string body;
  AnswerRoom* room;
};

void EndOutgoing(void* pointer) {
  const std::unique_ptr<Outgoing> outgoing(static_cast<Outgoing*>(pointer));
  outgoing->room->Give(outgoing->body.size());
}

// nullptr: no memory.
MHD_Response* ResponseOf(std::string body, AnswerRoom* room) {
  auto outgoing = std::make_unique<Outgoing>(Outgoing{std::move(body), room});
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      outgoing->body.size(), outgoing->body.data(), &EndOutgoing, outgoing.get());
  if (response == nullptr) {
    room->Give(outgoing->body.size());
    return nullptr;
  }
  static_cast<void>(outgoing.release());  // EndOutgoing has it
  return response;
}

// The HTTP library's part of a stream.
class StreamReader {
 public:
  static MHD_Response* Make(std::shared_ptr<PieceStream> stream) {
    auto* held = new std::shared_ptr<PieceStream>(std::move(stream));
    MHD_Response* response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBlock, &Read, held, &Free);
    if (response == nullptr) Free(held);
    return response;
  }

 private:
  static constexpr size_t kBlock = size_t{16} * 1024;

  static ssize_t Read(void* held, uint64_t, char* to, size_t most) {
    PieceStream& stream = **static_cast<std::shared_ptr<PieceStream>*>(held);
    const size_t taken = stream.Take(to, most);
    return taken == 0 && stream.ended() ? MHD_CONTENT_READER_END_OF_STREAM
                                        : static_cast<ssize_t>(taken);
  }
  static void Free(void* held) {
    auto* stream = static_cast<std::shared_ptr<PieceStream>*>(held);
    (*stream)->Abandon();
    delete stream;
  }
};

void LogAnswered(const HttpRequest& request, const HttpResponse& answer) {
  // Whoever is refused must not fill the log.
  const bool refused = answer.status >= 400 && answer.status < 500;
  if (request.method == "GET" || refused) {
    LogDebug("http.answered", {{"path", request.path}, {"status", answer.status}});
  } else {
    LogInfo("http.answered",
            {{"method", request.method}, {"path", request.path}, {"status", answer.status}});
  }
}

MHD_Result SendResponse(MHD_Connection* connection, const HttpRequest& request,
                        const HttpResponse& answer, MHD_Response* response) {
  LogAnswered(request, answer);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  for (const auto& [name, value] : kHeaders) MHD_add_response_header(response, name, value);
  for (const auto& [name, value] : answer.headers)
    MHD_add_response_header(response, name.c_str(), value.c_str());
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result SendAnswer(MHD_Connection* connection, const HttpRequest& request, HttpResponse answer,
                      AnswerRoom* room) {
  if (!room->Take(answer.body.size())) {
    answer = Busy("too many answers wait to be read");
    if (!room->Take(answer.body.size())) return MHD_NO;
  }
  MHD_Response* response = ResponseOf(std::move(answer.body), room);
  return SendResponse(connection, request, answer, response);
}

Crowd::Member* MemberOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Crowd::Member*>(info->socket_context);
}

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(const HttpServerOptions& options)
      : options_(options),
        crowd_(options.limits.connections),
        answer_room_(options.limits.answer_bytes) {}

  ~Impl() {
    if (daemon_ == nullptr) return;
    const UniqueFd listening(MHD_quiesce_daemon(daemon_));
    EndJobs();
    MHD_stop_daemon(daemon_);
  }

  Status Listen(UniqueFd listening) {
    const HttpLimits& limits = options_.limits;
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &OnRequest,
        this, MHD_OPTION_LISTEN_SOCKET, listening.get(), MHD_OPTION_CONNECTION_LIMIT,
        static_cast<unsigned>(limits.connections + kLeaving), MHD_OPTION_CONNECTION_TIMEOUT,
        static_cast<unsigned>(limits.silence.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        limits.header_bytes, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        &LeaveEscapes, nullptr, MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, this,
        MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this, MHD_OPTION_END);
    if (daemon_ == nullptr)
      return Status(StatusCode::kResourceExhausted, "the HTTP server could not be started");
    static_cast<void>(listening.release());  // it closes it
    return Status();
  }

 private:
  static void OnConnection(void* self, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode code) {
    Crowd& crowd = static_cast<Impl*>(self)->crowd_;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
      return crowd.Leave(static_cast<Crowd::Member*>(*context));
    *context = crowd.Enter(SocketOf(connection));
  }

  static void OnCompleted(void* self, MHD_Connection* connection, void** context,
                          MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(std::exchange(*context, nullptr));
    if (Crowd::Member* member = MemberOf(connection))
      static_cast<Impl*>(self)->crowd_.Answered(member);
  }

  // Called with the headers, then with each piece of the body, then without one; and once more when a connection that was
  // suspended goes on.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* target,
                              const char* method, const char*, const char* data, size_t* size,
                              void** context) {
    auto* impl = static_cast<Impl*>(self);
    auto* exchange = static_cast<Exchange*>(*context);
    if (exchange == nullptr) {
      exchange = new Exchange(connection, target, method, impl->options_);
      *context = exchange;
      if (Crowd::Member* member = MemberOf(connection); member != nullptr && exchange->is_known)
        impl->crowd_.Known(member);
      if (!exchange->answer) return MHD_YES;  // go on with the body
      return impl->Send(connection, exchange);
    }
    if (*size > 0) {
      const bool goes_on = exchange->TakeBody(data, *size);
      *size = 0;
      return goes_on ? MHD_YES : MHD_NO;
    }
    return impl->Answer(connection, exchange);
  }

  MHD_Result Answer(MHD_Connection* connection, Exchange* exchange) {
    if (!exchange->asked && Ask(connection, exchange)) return MHD_YES;
    if (Crowd::Member* member = MemberOf(connection)) crowd_.Answered(member);
    return Send(connection, exchange);
  }
  MHD_Result Send(MHD_Connection* connection, Exchange* exchange) {
    if (exchange->answer->more) return SendStream(connection, exchange);
    return SendAnswer(connection, exchange->request(), *std::move(exchange->answer), &answer_room_);
  }

  // The answer's body, and then what a job of the stream's own makes, until nobody reads it.
  MHD_Result SendStream(MHD_Connection* connection, Exchange* exchange) {
    const HttpResponse& answer = *exchange->answer;
    auto stream = std::make_shared<PieceStream>(
        answer.body, [connection] { MHD_suspend_connection(connection); },
        [connection] { MHD_resume_connection(connection); });
    if (!StreamBegins(stream))
      return SendAnswer(connection, exchange->request(), Busy(kTooManyListen), &answer_room_);
    const bool taken =
        options_.streams != nullptr &&
        options_.streams->TryRun([this, stream, more = answer.more,
                                  fd = SocketOf(connection)](DaemonLink& link) {
          for (std::optional<std::string> piece = ""; piece && stream->Push(*std::move(piece));) {
            piece = HasHungUp(fd) ? std::nullopt : more(link);
          }
          stream->End();
          StreamEnds(stream);
        });
    if (!taken) {
      StreamEnds(stream);
      return SendAnswer(connection, exchange->request(), Busy(kTooManyListen), &answer_room_);
    }
    return SendResponse(connection, exchange->request(), answer,
                        StreamReader::Make(std::move(stream)));
  }

  // Whether the exchange is a job's now, which goes on with the connection: then it must not be touched.
  bool Ask(MHD_Connection* connection, Exchange* exchange) {
    exchange->asked = true;
    if (Crowd::Member* member = MemberOf(connection)) crowd_.Asked(member);
    if (exchange->too_large()) exchange->answer = BodyTooLarge(options_.limits.body_bytes);
    if (!exchange->answer) exchange->answer = RefuseBody(exchange->request());
    if (exchange->answer) return false;
    Route route = FindRoute(exchange->request());
    exchange->answer = std::move(route.answer);
    return !exchange->answer && AskDaemon(std::move(route), connection, exchange);
  }

  // The connection stands still until the job's answer is there.
  bool AskDaemon(Route route, MHD_Connection* connection, Exchange* exchange) {
    JobPool* pool = route.pace == Pace::kSlow ? options_.slow : options_.quick;
    if (!JobBegins()) {
      exchange->answer = Busy(kTooManyWait);
      return false;
    }
    MHD_suspend_connection(connection);
    const bool taken =
        pool->TryRun([this, connection, exchange, ask = std::move(route.ask)](DaemonLink& link) {
          Finish(connection, exchange, ask(link));
        });
    if (!taken) Finish(connection, exchange, Busy(kTooManyWait));
    return true;
  }

  void Finish(MHD_Connection* connection, Exchange* exchange, HttpResponse answer) {
    exchange->answer = std::move(answer);
    MHD_resume_connection(connection);
    JobEnds();
  }

  // None any more once the server ends: a connection that stands still then can't be closed.
  bool JobBegins() TRIMS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (ending_) return false;
    ++jobs_;
    return true;
  }
  void JobEnds() TRIMS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (--jobs_ == 0) no_jobs_.NotifyAll();
  }
  bool StreamBegins(const std::shared_ptr<PieceStream>& stream) TRIMS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (ending_) return false;
    ++jobs_;
    streams_.insert(stream);
    return true;
  }
  void StreamEnds(const std::shared_ptr<PieceStream>& stream) TRIMS_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      streams_.erase(stream);
    }
    JobEnds();
  }
  void EndJobs() TRIMS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ending_ = true;
    for (const std::shared_ptr<PieceStream>& stream : streams_) stream->End();
    while (jobs_ > 0) no_jobs_.Wait(mutex_);
  }

  const HttpServerOptions options_;
  MHD_Daemon* daemon_ = nullptr;
  Crowd crowd_;
  AnswerRoom answer_room_;
  Mutex mutex_;
  CondVar no_jobs_;
  size_t jobs_ TRIMS_GUARDED_BY(mutex_) = 0;  // streams among them
  std::set<std::shared_ptr<PieceStream>> streams_ TRIMS_GUARDED_BY(mutex_);
  bool ending_ TRIMS_GUARDED_BY(mutex_) = false;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::Start(UniqueFd listening,
                                                      const HttpServerOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  const Status started = impl->Listen(std::move(listening));
  if (!started.ok()) return started;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace trims::admin

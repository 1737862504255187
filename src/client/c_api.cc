// The C ABI over the C++ one: converts, checks handles and lets no exception out.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "trims/c.h"
#include "trims/client.h"
#include "trims/model.h"

#include "client/c_handles.h"

struct trims_client {
  trims::Client client;
};
struct trims_model {
  trims::Model model;
};

namespace {

using trims::Status;
using trims::StatusCode;
using trims::c::Guarded;
using trims::c::Missing;
using trims::c::Received;
using trims::c::TextOf;

// The enums of trims/c.h are written out for C; they are cast from and to these.
constexpr bool IsCode(int value, StatusCode code) { return value == static_cast<int>(code); }
static_assert(IsCode(TRIMS_OK, StatusCode::kOk));
static_assert(IsCode(TRIMS_INVALID_ARGUMENT, StatusCode::kInvalidArgument));
static_assert(IsCode(TRIMS_NOT_FOUND, StatusCode::kNotFound));
static_assert(IsCode(TRIMS_ALREADY_EXISTS, StatusCode::kAlreadyExists));
static_assert(IsCode(TRIMS_PERMISSION_DENIED, StatusCode::kPermissionDenied));
static_assert(IsCode(TRIMS_TOO_LARGE, StatusCode::kTooLarge));
static_assert(IsCode(TRIMS_QUOTA_EXCEEDED, StatusCode::kQuotaExceeded));
static_assert(IsCode(TRIMS_RESOURCE_EXHAUSTED, StatusCode::kResourceExhausted));
static_assert(IsCode(TRIMS_FAILED_PRECONDITION, StatusCode::kFailedPrecondition));
static_assert(IsCode(TRIMS_DEADLINE_EXCEEDED, StatusCode::kDeadlineExceeded));
static_assert(IsCode(TRIMS_UNAVAILABLE, StatusCode::kUnavailable));
static_assert(IsCode(TRIMS_DATA_LOSS, StatusCode::kDataLoss));
static_assert(IsCode(TRIMS_UNIMPLEMENTED, StatusCode::kUnimplemented));
static_assert(IsCode(TRIMS_CANCELLED, StatusCode::kCancelled));
static_assert(IsCode(TRIMS_INTERNAL, StatusCode::kInternal));
static_assert(TRIMS_VARIANT_FILES == static_cast<int>(trims::Variant::kFiles));
static_assert(TRIMS_VARIANT_TENSORS == static_cast<int>(trims::Variant::kTensors));
static_assert(TRIMS_VARIANT_ORT == static_cast<int>(trims::Variant::kOrt));

std::function<bool(const trims::LoadProgress&)> ProgressOf(const trims_open_options& options) {
  if (options.progress == nullptr) return {};
  return [call = options.progress,
          context = options.progress_context](const trims::LoadProgress& load) {
    const trims_load_progress told = {
        .tier = load.tier.c_str(),
        .bytes_done = load.bytes_done,
        .bytes_total = load.bytes_total,
        .bytes_per_second = load.bytes_per_second,
        .remaining_ms = load.remaining ? load.remaining->count() : -1};
    return call(&told, context) == 0;
  };
}

trims_tensor ViewOf(const trims::TensorView& view) {
  return {.name = view.name.data(),
          .shape = view.shape.data(),
          .rank = view.shape.size(),
          .data = view.bytes.data(),
          .size = view.bytes.size(),
          .dtype = static_cast<int>(view.dtype)};
}

trims_file ViewOf(const trims::FileView& view) {
  return {.name = view.name.data(),
          .data = view.bytes.data(),
          .size = view.bytes.size(),
          .fd = view.fd};
}

Status NoSuchEntry(size_t i) {
  return Status(StatusCode::kInvalidArgument, "there is no entry " + std::to_string(i));
}

const trims::OpenInfo& InfoOf(const trims_model* model) {
  static const trims::OpenInfo& none = *new trims::OpenInfo;
  return model == nullptr ? none : model->model.info();
}

}  // namespace

int trims_status_code(const trims_status* status) {
  return status == nullptr ? TRIMS_OK : static_cast<int>(status->status.code());
}
const char* trims_status_message(const trims_status* status) {
  return status == nullptr ? "" : status->status.message().c_str();
}
const char* trims_status_hint(const trims_status* status) {
  return status == nullptr ? "" : status->status.hint().c_str();
}
void trims_status_free(trims_status* status) { trims::c::Free(status); }
const char* trims_status_code_name(int code) {
  const bool fits = code >= 0 && code <= UINT8_MAX;
  return trims::StatusCodeName(static_cast<StatusCode>(fits ? code : UINT8_MAX)).data();
}

const char* trims_version(void) { return TRIMS_VERSION; }

trims_status* trims_client_connect(const trims_client_options* options, trims_client** client) {
  return Guarded([&]() -> Status {
    if (client == nullptr) return Missing("the place for the client");
    const trims_client_options given = Received(options, TRIMS_CLIENT_OPTIONS_INIT);
    trims::Result<trims::Client> made = trims::Client::Connect(
        {.socket_path = TextOf(given.socket_path), .client_name = TextOf(given.client_name)});
    if (!made.ok()) return std::move(made).status();
    *client = new trims_client{*std::move(made)};
    return Status();
  });
}

void trims_client_free(trims_client* client) { delete client; }

trims_status* trims_client_open(trims_client* client, const char* reference,
                                const trims_open_options* options, trims_model** model) {
  return Guarded([&]() -> Status {
    if (client == nullptr || reference == nullptr || model == nullptr)
      return Missing("client, reference or the place for the model");
    const trims_open_options given = Received(options, TRIMS_OPEN_OPTIONS_INIT);
    if (given.variant < 0 || given.variant > TRIMS_VARIANT_ORT)
      return Status(StatusCode::kInvalidArgument, "no variant " + std::to_string(given.variant));
    const uint64_t deadline = std::min<uint64_t>(given.deadline_ms, UINT32_MAX);
    trims::Result<trims::Model> made =
        client->client.Open(reference, {.variant = static_cast<trims::Variant>(given.variant),
                                        .variant_key = TextOf(given.variant_key),
                                        .deadline = std::chrono::milliseconds(deadline),
                                        .tier = TextOf(given.tier),
                                        .progress = ProgressOf(given)});
    if (!made.ok()) return std::move(made).status();
    *model = new trims_model{*std::move(made)};
    return Status();
  });
}

void trims_model_close(trims_model* model) { delete model; }

const char* trims_model_reference(const trims_model* model) {
  return InfoOf(model).reference.c_str();
}
const char* trims_model_digest(const trims_model* model) { return InfoOf(model).digest.c_str(); }
const char* trims_model_variant_key(const trims_model* model) {
  return InfoOf(model).variant_key.c_str();
}
const char* trims_model_tier(const trims_model* model) { return InfoOf(model).tier.c_str(); }
int trims_model_variant(const trims_model* model) {
  return static_cast<int>(InfoOf(model).variant);
}
int trims_model_hit(const trims_model* model) { return InfoOf(model).hit ? 1 : 0; }
uint64_t trims_model_waited_us(const trims_model* model) {
  return static_cast<uint64_t>(InfoOf(model).waited.count());
}

const void* trims_model_data(const trims_model* model) {
  return model == nullptr ? nullptr : model->model.bytes().data();
}
uint64_t trims_model_size(const trims_model* model) {
  return model == nullptr ? 0 : model->model.bytes().size();
}

size_t trims_model_tensor_count(const trims_model* model) {
  return model == nullptr ? 0 : model->model.tensor_count();
}

trims_status* trims_model_tensor_at(const trims_model* model, size_t i, trims_tensor* tensor) {
  return Guarded([&]() -> Status {
    if (model == nullptr || tensor == nullptr) return Missing("model or the place for the tensor");
    const trims::TensorView view = model->model.tensor(i);
    if (view.name.empty()) return NoSuchEntry(i);
    *tensor = ViewOf(view);
    return Status();
  });
}

trims_status* trims_model_tensor(const trims_model* model, const char* name, trims_tensor* tensor) {
  return Guarded([&]() -> Status {
    if (model == nullptr || name == nullptr || tensor == nullptr)
      return Missing("model, name or the place for the tensor");
    const trims::Result<trims::TensorView> view = model->model.Tensor(name);
    if (!view.ok()) return view.status();
    *tensor = ViewOf(*view);
    return Status();
  });
}

const char* trims_dtype_name(int dtype) {
  const bool fits = dtype >= 0 && dtype <= UINT8_MAX;
  return trims::DTypeName(static_cast<trims::DType>(fits ? dtype : 0)).data();
}
size_t trims_dtype_size(int dtype) {
  const bool fits = dtype >= 0 && dtype <= UINT8_MAX;
  return trims::DTypeSize(static_cast<trims::DType>(fits ? dtype : 0));
}

size_t trims_dtype_bits(int dtype) {
  const bool fits = dtype >= 0 && dtype <= UINT8_MAX;
  return trims::DTypeBits(static_cast<trims::DType>(fits ? dtype : 0));
}

const char* trims_model_tensor_type(const trims_model* model, const char* name) {
  if (model == nullptr || name == nullptr) return "";
  try {
    const trims::Result<trims::TensorView> view = model->model.Tensor(name);
    return view.ok() ? view->type_name.data() : "";
  } catch (const std::exception&) {  // bad_alloc: nothing else throws here
    return "";
  }
}

size_t trims_model_file_count(const trims_model* model) {
  return model == nullptr ? 0 : model->model.file_count();
}

trims_status* trims_model_file_at(const trims_model* model, size_t i, trims_file* file) {
  return Guarded([&]() -> Status {
    if (model == nullptr || file == nullptr) return Missing("model or the place for the file");
    const trims::FileView view = model->model.file(i);
    if (view.name.empty()) return NoSuchEntry(i);
    *file = ViewOf(view);
    return Status();
  });
}

trims_status* trims_model_file(const trims_model* model, const char* name, trims_file* file) {
  return Guarded([&]() -> Status {
    if (model == nullptr || name == nullptr || file == nullptr)
      return Missing("model, name or the place for the file");
    const trims::Result<trims::FileView> view = model->model.File(name);
    if (!view.ok()) return view.status();
    *file = ViewOf(*view);
    return Status();
  });
}

const char* trims_model_metadata(const trims_model* model, const char* key) {
  if (model == nullptr || key == nullptr) return "";
  const std::string_view value = model->model.Metadata(key);
  return value.data() == nullptr ? "" : value.data();
}

size_t trims_model_extent_count(const trims_model* model) {
  return model == nullptr ? 0 : model->model.extent_count();
}
int trims_model_extent_fd(const trims_model* model, size_t i) {
  return model == nullptr ? -1 : model->model.extent_fd(i);
}

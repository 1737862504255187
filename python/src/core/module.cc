// trims._core: Client, Admin and Model as Python sees them. trims/__init__.py is what users import.
//
// Every call that may wait (connecting, opening, adding) releases the GIL. A PyModel holds its
// trims::Model through a shared_ptr, as do the ByteViews made from it; close() gives up the
// PyModel's part only, so that no array ever loses its pages.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "trims/admin.h"
#include "trims/client.h"
#include "trims/trace.h"

#include "adapters/mxnet/shared_weights.h"
#include "base/ort_variant_key.h"
#include "byte_view.h"
#include "client/autostart.h"
#include "dlpack.h"
#include "errors.h"
#include "source/typed_source.h"

namespace trims::python {
namespace {

namespace nb = nanobind;

class PyModel {
 public:
  explicit PyModel(Model model) : model_(std::make_shared<Model>(std::move(model))) {}

  const std::shared_ptr<Model>& get() const {
    if (!model_) Raise(Status(StatusCode::kFailedPrecondition, "the model is closed"));
    return model_;
  }
  bool closed() const { return model_ == nullptr; }
  void Close() { model_.reset(); }

 private:
  std::shared_ptr<Model> model_;
};

using PyTensor = std::tuple<std::string, std::string, std::vector<uint64_t>, ByteView>;
using PyFile = std::tuple<std::string, ByteView, int>;

PyTensor TensorTuple(const std::shared_ptr<Model>& model, const TensorView& tensor) {
  return {std::string(tensor.name), std::string(tensor.type_name),
          std::vector<uint64_t>(tensor.shape.begin(), tensor.shape.end()),
          ByteView{model, tensor.bytes}};
}

PyFile FileTuple(const std::shared_ptr<Model>& model, const FileView& file) {
  return {std::string(file.name), ByteView{model, file.bytes}, file.fd};
}

nb::dict InfoDict(const OpenInfo& info) {
  nb::dict out;
  out["reference"] = info.reference;
  out["digest"] = info.digest;
  out["variant"] = std::string(VariantName(info.variant));
  out["variant_key"] = info.variant_key;
  out["tier"] = info.tier;
  out["device"] = info.device;
  out["on_gpu"] = info.memory == HandleKind::kCudaDevice;
  out["pages"] = std::string(PagesName(info.pages));
  out["hit"] = info.hit;
  out["waited_us"] = info.waited.count();
  return out;
}

std::vector<std::string> TensorNames(const Model& model) {
  std::vector<std::string> names;
  for (size_t i = 0; i < model.tensor_count(); ++i) names.emplace_back(model.tensor(i).name);
  return names;
}

std::vector<std::string> FileNames(const Model& model) {
  std::vector<std::string> names;
  for (size_t i = 0; i < model.file_count(); ++i) names.emplace_back(model.file(i).name);
  return names;
}

void DefineModel(nb::module_& module) {
  nb::class_<PyModel>(module, "Model")
      .def_prop_ro("closed", &PyModel::closed)
      .def("close", &PyModel::Close)
      .def("info", [](const PyModel& self) { return InfoDict(self.get()->info()); })
      .def("metadata",
           [](const PyModel& self, const std::string& key) {
             return std::string(self.get()->Metadata(key));
           })
      .def("tensor_names", [](const PyModel& self) { return TensorNames(*self.get()); })
      .def("tensor_count", [](const PyModel& self) { return self.get()->tensor_count(); })
      .def(
          "dlpack",
          [](const PyModel& self, const std::string& name) {
            return DlpackOf(self.get(), ValueOrRaise(self.get()->Tensor(name)));
          },
          nb::arg("name"))
      .def("tensor",
           [](const PyModel& self, const std::string& name) {
             return TensorTuple(self.get(), ValueOrRaise(self.get()->Tensor(name)));
           })
      .def("file_names", [](const PyModel& self) { return FileNames(*self.get()); })
      .def("file_count", [](const PyModel& self) { return self.get()->file_count(); })
      .def("file", [](const PyModel& self, const std::string& name) {
        return FileTuple(self.get(), ValueOrRaise(self.get()->File(name)));
      });
}

template <typename Call>
auto WithoutGil(const Call& call) {
  nb::gil_scoped_release released;
  return call();
}

// Holds what a callable raised until the call into the library has ended, which nothing may be thrown
// through. Used and destroyed with the GIL held.
class RaisedInCallback {
 public:
  // Calls `call`, unless something was raised before; whether it returned.
  template <typename Call>
  bool Run(const Call& call) {
    if (error_) return false;
    try {
      call();
    } catch (nb::python_error& error) {
      error_ = std::make_unique<nb::python_error>(std::move(error));
    }
    return error_ == nullptr;
  }
  void Rethrow() {
    if (error_) throw nb::python_error(std::move(*error_));
  }

 private:
  std::unique_ptr<nb::python_error> error_;
};

// trims.open() makes a trims.LoadProgress of them.
void TellLoad(const nb::object& callable, const LoadProgress& load) {
  nb::object remaining = nb::none();
  if (load.remaining) remaining = nb::cast(std::chrono::duration<double>(*load.remaining).count());
  callable(load.tier, load.bytes_done, load.bytes_total, load.bytes_per_second, remaining);
}

PyModel OpenModel(Client& client, const std::string& reference, const std::string& variant,
                  const std::string& variant_key, uint32_t deadline_ms, const std::string& tier,
                  const nb::object& progress, const std::string& traceparent) {
  RaisedInCallback raised;
  OpenOptions options{.variant = ValueOrRaise(VariantFromName(variant)),
                      .variant_key = variant_key,
                      .deadline = std::chrono::milliseconds(deadline_ms),
                      .tier = tier,
                      .traceparent = traceparent};
  if (!progress.is_none()) {
    options.progress = [&](const LoadProgress& load) {
      const nb::gil_scoped_acquire held;
      return raised.Run([&] { TellLoad(progress, load); });
    };
  }
  Result<Model> opened = WithoutGil([&] { return client.Open(reference, options); });
  raised.Rethrow();
  return PyModel(ValueOrRaise(std::move(opened)));
}

void DefineClient(nb::module_& module) {
  nb::class_<Client>(module, "Client")
      .def_static(
          "connect",
          [](const std::string& socket_path, const std::string& name) {
            const ClientOptions options{.socket_path = socket_path, .client_name = name};
            return ValueOrRaise(WithoutGil([&] { return Client::Connect(options); }));
          },
          nb::arg("socket_path") = "", nb::arg("name") = "")
      .def("open", &OpenModel, nb::arg("reference"), nb::arg("variant"),
           nb::arg("variant_key") = "", nb::arg("deadline_ms") = 0, nb::arg("tier") = "",
           nb::arg("progress") = nb::none(), nb::arg("traceparent") = "");
}

// `progress` is called with the GIL held; the first exception that it raises is raised by the call
// once it ends.
class ProgressCaller {
 public:
  explicit ProgressCaller(nb::object callable) : callable_(std::move(callable)) {}

  void operator()(const Progress& progress) {
    nb::gil_scoped_acquire held;
    if (callable_.is_none()) return;
    raised_.Run([&] { callable_(std::string(progress.stage), progress.done, progress.total); });
  }
  void Rethrow() { raised_.Rethrow(); }

 private:
  nb::object callable_;
  RaisedInCallback raised_;
};

using ResidentCall = Result<std::string> (Admin::*)(std::string_view, const ResidentOptions&);

std::string CallResident(Admin& admin, ResidentCall call, const std::string& reference,
                         const std::vector<std::string>& variants, const std::string& tier,
                         bool wait, bool when_idle, nb::object progress, uint32_t timeout_ms) {
  ProgressCaller caller(std::move(progress));
  ResidentOptions options{.tier = tier, .wait = wait, .when_idle = when_idle};
  for (const std::string& name : variants)
    options.variants.push_back(ValueOrRaise(VariantFromName(name)));
  options.on_progress = [&caller](const Progress& report) { caller(report); };
  if (timeout_ms > 0) options.timeout = std::chrono::milliseconds(timeout_ms);
  Result<std::string> done = WithoutGil([&] { return (admin.*call)(reference, options); });
  caller.Rethrow();
  return ValueOrRaise(std::move(done));
}

template <ResidentCall call>
void DefineResident(nb::class_<Admin>& admin, const char* name) {
  admin.def(
      name,
      [](Admin& self, const std::string& reference, const std::vector<std::string>& variants,
         const std::string& tier, bool wait, bool when_idle, nb::object progress,
         uint32_t timeout_ms) {
        return CallResident(self, call, reference, variants, tier, wait, when_idle,
                            std::move(progress), timeout_ms);
      },
      nb::arg("reference"), nb::arg("variants"), nb::arg("tier"), nb::arg("wait"),
      nb::arg("when_idle"), nb::arg("progress").none(), nb::arg("timeout_ms"));
}

void DefineControl(nb::class_<Admin>& admin) {
  DefineResident<&Admin::Pin>(admin, "pin");
  DefineResident<&Admin::Unpin>(admin, "unpin");
  DefineResident<&Admin::Prefetch>(admin, "prefetch");
  DefineResident<&Admin::Evict>(admin, "evict");
  DefineResident<&Admin::Demote>(admin, "demote");
  DefineResident<&Admin::Explain>(admin, "explain");
  admin
      .def("drain",
           [](Admin& self, bool on, bool wait, uint32_t timeout_ms) {
             DrainOptions options{.on = on, .wait = wait};
             if (timeout_ms > 0) options.timeout = std::chrono::milliseconds(timeout_ms);
             return ValueOrRaise(WithoutGil([&] { return self.Drain(options); }));
           })
      .def("set_alias",
           [](Admin& self, const std::string& alias, const std::string& reference) {
             return ValueOrRaise(WithoutGil([&] { return self.SetAlias(alias, reference); }));
           })
      .def("delete_alias",
           [](Admin& self, const std::string& alias) {
             return ValueOrRaise(WithoutGil([&] { return self.DeleteAlias(alias); }));
           })
      .def("rollback",
           [](Admin& self, const std::string& alias) {
             return ValueOrRaise(WithoutGil([&] { return self.Rollback(alias); }));
           })
      .def("aliases",
           [](Admin& self) { return ValueOrRaise(WithoutGil([&] { return self.Aliases(); })); });
}

std::string AddModel(Admin& admin, const std::string& reference, const std::string& source,
                     const std::vector<std::string>& variants, const std::string& precision,
                     const std::string& granularity,
                     const std::vector<std::string>& onnxruntime_extensions, uint32_t keep_versions,
                     uint32_t keep_for_s, nb::object progress, uint32_t timeout_ms) {
  ProgressCaller caller(std::move(progress));
  AddOptions options;
  for (const std::string& name : variants)
    options.variants.push_back(ValueOrRaise(VariantFromName(name)));
  options.precision = precision;
  options.granularity = granularity;
  options.onnxruntime_extensions = onnxruntime_extensions;
  options.keep_versions = keep_versions;
  options.keep_for = std::chrono::seconds(keep_for_s);
  options.on_progress = [&caller](const Progress& report) { caller(report); };
  if (timeout_ms > 0) options.timeout = std::chrono::milliseconds(timeout_ms);
  Result<std::string> added = WithoutGil([&] { return admin.Add(reference, source, options); });
  caller.Rethrow();
  return ValueOrRaise(std::move(added));
}

std::string NextEvents(Admin& admin, std::optional<uint64_t> since,
                       std::optional<uint64_t> opens_since, const std::vector<std::string>& kinds,
                       bool opens, const std::string& model, uint32_t wait_ms) {
  const EventsOptions options{.since = since,
                              .opens_since = opens_since,
                              .kinds = kinds,
                              .opens = opens,
                              .model = model,
                              .wait = std::chrono::milliseconds(wait_ms)};
  return ValueOrRaise(WithoutGil([&] { return admin.Events(options); }));
}

void DefineAdmin(nb::module_& module) {
  nb::class_<Admin> admin_class(module, "Admin");
  DefineControl(admin_class);
  admin_class
      .def_static(
          "connect",
          [](const std::string& socket_path, const std::string& name) {
            const ClientOptions options{.socket_path = socket_path, .client_name = name};
            return ValueOrRaise(WithoutGil([&] { return Admin::Connect(options); }));
          },
          nb::arg("socket_path") = "", nb::arg("name") = "")
      .def("add", &AddModel, nb::arg("reference"), nb::arg("source"), nb::arg("variants"),
           nb::arg("precision"), nb::arg("granularity"), nb::arg("onnxruntime_extensions"),
           nb::arg("keep_versions"), nb::arg("keep_for_s"), nb::arg("progress").none(),
           nb::arg("timeout_ms") = 0)
      .def("remove",
           [](Admin& admin, const std::string& reference) {
             return ValueOrRaise(WithoutGil([&] { return admin.Remove(reference); }));
           })
      .def("list",
           [](Admin& admin) { return ValueOrRaise(WithoutGil([&] { return admin.List(); })); })
      .def("show",
           [](Admin& admin, const std::string& reference) {
             return ValueOrRaise(WithoutGil([&] { return admin.Show(reference); }));
           })
      .def(
          "policy",
          [](Admin& admin, const std::string& tier, const std::string& eviction,
             const std::string& admission, const std::string& reclaim, const std::string& budget,
             const std::string& quota) {
            const PolicyOptions options{.tier = tier,
                                        .eviction = eviction,
                                        .admission = admission,
                                        .reclaim = reclaim,
                                        .budget = budget,
                                        .quota = quota};
            return ValueOrRaise(WithoutGil([&] { return admin.Policy(options); }));
          },
          nb::arg("tier"), nb::arg("eviction"), nb::arg("admission"), nb::arg("reclaim"),
          nb::arg("budget"), nb::arg("quota"))
      .def("keep_alive",
           [](Admin& admin, const std::string& name, const std::string& keep_alive) {
             return ValueOrRaise(WithoutGil([&] { return admin.KeepAlive(name, keep_alive); }));
           })
      .def("events", &NextEvents, nb::arg("since").none(), nb::arg("opens_since").none(),
           nb::arg("kinds"), nb::arg("opens"), nb::arg("model"), nb::arg("wait_ms"))
      .def("status", [](Admin& admin) {
        return ValueOrRaise(WithoutGil([&] { return admin.GetStatus(); }));
      });
}

}  // namespace
}  // namespace trims::python

NB_MODULE(_core, module) {
  namespace nb = nanobind;
  namespace python = trims::python;
  python::DefineByteView(module);
  python::DefineModel(module);
  python::DefineClient(module);
  python::DefineAdmin(module);
  module.def("user_socket_path", &trims::UserSocketPath);
  module.def("system_socket_path", &trims::SystemSocketPath);
  // The socket of a daemon; `program` is the trimsd to start where none answers, "" for the
  // library's own search.
  module.def("ensure_daemon", [](const std::string& program) {
    const trims::AutostartOptions options{.program = program};
    return python::ValueOrRaise(python::WithoutGil([&] { return trims::EnsureDaemon(options); }));
  });
  module.def("trace_enabled", &trims::TraceEnabled);
  // Times of time.monotonic_ns(), which is the same clock.
  module.def("record_trace_span", [](const std::string& name, int64_t begin_ns, int64_t end_ns) {
    using std::chrono::nanoseconds;
    const std::chrono::steady_clock::time_point zero;
    trims::RecordTraceSpan(name, zero + nanoseconds(begin_ns), zero + nanoseconds(end_ns));
  });
  // Paths come as bytes, since they may be no UTF-8.
  module.def("source_url", [](nb::bytes source, nb::bytes working_folder, bool follow_links) {
    const std::string_view typed(source.c_str(), source.size());
    const std::string folder(working_folder.c_str(), working_folder.size());
    return python::ValueOrRaise(python::WithoutGil(
        [&] { return trims::TypedSourceUrl(typed, folder, {.follow_links = follow_links}); }));
  });
  // trims.mxnet's, see adapters/mxnet/shared_weights.h.
  module.def("keep_mxnet_weights", [](const std::string& library) {
    const trims::Status kept = trims::mxnet::KeepSharedWeights(library);
    if (!kept.ok()) python::Raise(kept);
  });
  module.def("add_mxnet_weights", &trims::mxnet::AddSharedWeights);
  module.def("ort_variant_key",
             [](const std::string& version) { return trims::OrtVariantKey(version); });
}

// trims-prepare: turns a model file or folder into prepared variants. Run by trimsd as a child
// (ingest/preparer.h), and by hand: trims-prepare --source model.onnx --out folder
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/macros.h"
#include "base/variants.h"
#include "prepare/die_with_parent.h"
#include "prepare/prepare.h"
#include "prepare/sandbox.h"
#include "prepare/scout.h"
#include "source/file_tree.h"
#include "source/source_uri.h"

namespace trims {
namespace {

struct Flags {
  std::string source;
  std::string out;
  std::vector<std::string> variants;
  std::string precision;
  std::string onnxruntime_library;
  std::vector<std::string> onnxruntime_extensions;
  int progress_fd = -1;
  uint64_t ort_bytes_limit = kDefaultOrtBytesLimit;
  uint64_t steady_min_bytes = kDefaultSteadyMinBytes;
  uint64_t memory_limit = uint64_t{16} << 30;
  uint64_t time_limit = 900;
  bool layers = false;
  bool undigested = false;
  bool sandbox_check = false;
};

void AddFlags(CLI::App* app, Flags* flags) {
  app->add_option("--source", flags->source, "A model file or a folder (a path or a file:// URL)");
  app->add_option("--out", flags->out, "An empty folder; made if it is not there");
  app->add_option("--variant", flags->variants,
                  "files, tensors or ort; again for more (default: all that the format allows)")
      ->allow_extra_args(false)
      ->delimiter(',');
  app->add_option(
      "--precision", flags->precision,
      "Of weights that are there in several, e.g. fp16 (default: those without one in their name)");
  app->add_option("--progress-fd", flags->progress_fd, "Descriptor for JSON lines of progress");
  app->add_option("--onnxruntime-library", flags->onnxruntime_library,
                  "ONNX Runtime's shared library; otherwise $TRIMS_ONNXRUNTIME_LIBRARY");
  app->add_option("--onnxruntime-extension", flags->onnxruntime_extensions,
                  "A library of custom operators of the model; again for more")
      ->allow_extra_args(false);
  app->add_option("--ort-bytes-limit", flags->ort_bytes_limit,
                  "Models beyond so many bytes keep their weights as named tensors");
  app->add_option("--steady-min-bytes", flags->steady_min_bytes,
                  "Weights from so many bytes on get a form that computes fast without packing");
  app->add_option("--memory-limit", flags->memory_limit, "Bytes of memory this process may take")
      ->check(CLI::Range(uint64_t{1} << 26, uint64_t{1} << 46));
  app->add_option("--time-limit", flags->time_limit, "Seconds of processor time it may take")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 24));
  app->add_flag("--layers", flags->layers,
                "Lay tensors so that each long layer begins at a multiple of 2 MiB");
  app->add_flag(
      "--undigested", flags->undigested,
      "Hash nothing: digests are zeros, since the caller knows them (with --variant files)");
  app->add_flag("--sandbox-check", flags->sandbox_check,
                "Print as JSON what this process can be confined by, and end");
}

// Absolute, with the folder made if it is not there. Resolved now: in the sandbox nothing above it
// can be looked at.
Result<std::string> OutFolderPath(const std::string& out) {
  std::error_code error;
  std::filesystem::create_directories(out, error);
  const std::filesystem::path path = std::filesystem::canonical(out, error);
  if (!error) return path.string();
  return Status(StatusCode::kInvalidArgument, "--out '" + out + "': " + error.message());
}

Result<SourceUri> SourceOf(const std::string& source) {
  if (source.starts_with("file:/")) return ParseSourceUri(source);
  if (const Result<SourceUri> uri = ParseSourceUri(source); uri.ok()) {
    return Status(
        StatusCode::kInvalidArgument,
        "--source '" + uri->ToString() + "' is on a network: expected a path or a file:// URL",
        "trims add downloads it");
  }
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(source, error);
  if (source.empty() || error) {
    return Status(StatusCode::kInvalidArgument, "--source '" + source + "' is no path");
  }
  return SourceUri::OfPath(path.lexically_normal().string());
}

// As absolute paths, under which they are loaded now and registered in the sandbox.
Result<std::vector<std::string>> LoadExtensions(const std::vector<std::string>& paths) {
  std::vector<std::string> loaded;
  for (const std::string& path : paths) {
    loaded.push_back(std::filesystem::absolute(path).lexically_normal().string());
    TRIMS_RETURN_IF_ERROR(OrtLibrary::LoadExtension(loaded.back()));
  }
  return loaded;
}

// The library first: loading it must not need more of the file system than the sandbox leaves.
Result<OrtLibrary> LoadOrt(const Flags& flags, const std::vector<Variant>& variants) {
  for (const Variant variant : variants) {
    if (variant == Variant::kOrt) return OrtLibrary::Load(flags.onnxruntime_library);
  }
  if (variants.empty()) return OrtLibrary::Load(flags.onnxruntime_library);
  return Status(StatusCode::kUnimplemented, "ONNX Runtime was not loaded");
}

SandboxOptions SandboxFor(const Flags& flags) {
  return {.sources = {},
          .out = {},
          .library_folder = {},
          .memory_limit = flags.memory_limit,
          .cpu_limit = std::chrono::seconds(flags.time_limit),
          .progress_fd = flags.progress_fd};
}

// Where links lead is looked up now: in the sandbox only what they mean may be opened.
Result<std::vector<std::string>> ReachOf(const PrepareOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At(options.source));
  TRIMS_RETURN_IF_ERROR(tree.List().status());
  for (const std::string& name : options.companions) {
    const Status included = tree.Include(name);
    if (!included.ok() && included.code() != StatusCode::kNotFound) return included;
  }
  return tree.Reach();
}

Result<Manifest> Execute(const Flags& flags, PrepareProgress& progress) {
  if (flags.progress_fd >= 0) TRIMS_RETURN_IF_ERROR(DieWithParent(flags.progress_fd));
  PrepareOptions options;
  options.ort_bytes_limit = flags.ort_bytes_limit;
  options.steady_min_bytes = flags.steady_min_bytes;
  TRIMS_ASSIGN_OR_RETURN(options.variants, VariantsFromNames(flags.variants));
  options.precision = flags.precision;
  options.layers = flags.layers;
  options.undigested = flags.undigested;
  TRIMS_ASSIGN_OR_RETURN(options.source, SourceOf(flags.source));
  TRIMS_ASSIGN_OR_RETURN(options.out, OutFolderPath(flags.out));
  SandboxOptions sandbox = SandboxFor(flags);
  options.companions = ScoutCompanions(options.source, sandbox);
  TRIMS_ASSIGN_OR_RETURN(sandbox.sources, ReachOf(options));
  const Result<OrtLibrary> ort = LoadOrt(flags, options.variants);
  if (ort.ok()) {
    TRIMS_ASSIGN_OR_RETURN(options.onnxruntime_extensions,
                           LoadExtensions(flags.onnxruntime_extensions));
  }
  sandbox.out = options.out;
  if (ort.ok()) sandbox.library_folder = std::filesystem::path(ort->path()).parent_path().string();
  TRIMS_ASSIGN_OR_RETURN(const SandboxReport report, ApplySandbox(sandbox));
  options.sandbox = Describe(report);
  return Prepare(options, ort, progress);
}

int CheckSandbox(const Flags& flags) {
  const Result<SandboxReport> report = ApplySandbox(SandboxFor(flags));
  if (!report.ok()) {
    std::fprintf(stderr, "trims-prepare: %s\n", report.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", ToJson(*report).c_str());
  return 0;
}

void PrintSummary(const Flags& flags, const Manifest& manifest) {
  std::printf("%s  %s\n", manifest.digest.c_str(), flags.out.c_str());
  for (const ManifestVariant& variant : manifest.variants) {
    const std::string name(VariantName(variant.kind));
    std::printf("  %-8s %12llu bytes  %s\n", name.c_str(),
                static_cast<unsigned long long>(variant.FootprintBytes()), variant.key.c_str());
  }
  std::printf("  sandbox: %s\n", manifest.sandbox.c_str());
  for (const std::string& note : manifest.notes) std::printf("  note: %s\n", note.c_str());
}

int Main(const Flags& flags) {
  if (flags.sandbox_check) return CheckSandbox(flags);
  const std::unique_ptr<PrepareProgress> progress =
      flags.progress_fd >= 0 ? MakeJsonProgress(flags.progress_fd) : MakeTerminalProgress();
  try {
    const Result<Manifest> manifest = Execute(flags, *progress);
    if (manifest.ok() && flags.progress_fd < 0) PrintSummary(flags, *manifest);
    if (!manifest.ok()) progress->Fail(manifest.status());
    return manifest.ok() ? 0 : 1;
  } catch (const std::bad_alloc&) {
    progress->Fail(Status(StatusCode::kResourceExhausted, "the model needs more than the " +
                                                              std::to_string(flags.memory_limit) +
                                                              " bytes of memory allowed"));
    return 1;
  }
}

}  // namespace
}  // namespace trims

int main(int argc, char** argv) {
  CLI::App app("Turns a model file or folder into the variants that TrIMS shares.");
  trims::Flags flags;
  trims::AddFlags(&app, &flags);
  CLI11_PARSE(app, argc, argv);
  if (!flags.sandbox_check && (flags.source.empty() || flags.out.empty())) {
    std::fprintf(stderr, "trims-prepare: --source and --out are needed (see --help)\n");
    return 2;
  }
  const int status = trims::Main(flags);
  std::fflush(nullptr);
  // Nothing at exit is worth running inside the sandbox: not ONNX Runtime's destructors, and no
  // leak checker that traces.
  std::_Exit(status);
}

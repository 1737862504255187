// Writes the seeds of the wire's fuzzers: write_seeds FOLDER (tests/fuzz/corpus). Run it when a
// message changes.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "base/mapping.h"
#include "support/index_builder.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace {

using namespace trims::wire;  // NOLINT(google-build-using-namespace)

std::string root;

void Write(const std::string& fuzzer, const std::string& name, std::span<const std::byte> bytes) {
  const std::filesystem::path folder = std::filesystem::path(root) / fuzzer;
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

void WriteRequests() {
  RequestEncoder encoder;
  const auto write = [&](const char* name, const Request& request) {
    Write("fuzz_wire_request", name, encoder.Encode(request));
  };
  write("open", {.id = 1,
                 .client = "client",
                 .body = OpenRequest{
                     .reference = "team/ocr:3",
                     .variant = trims::Variant::kOrt,
                     .variant_key = "ort-1.32.0;level=all;cpu=avx2",
                     .deadline_ms = 500,
                     .tier = "gpu:0",
                     .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  write("open_runs",
        {.id = 2, .client = {}, .body = OpenRequest{.reference = "ocr", .runs = true}});
  write("add_blocks", {.id = 3,
                       .client = "trims",
                       .body = AddRequest{.reference = "ocr",
                                          .source = "file:///models/ocr.onnx",
                                          .variants = {},
                                          .granularity = "block"}});
  write("open_short", {.id = 2, .client = {}, .body = OpenRequest{.reference = "ocr"}});
  write("close", {.id = 0, .client = {}, .body = CloseRequest{7}});
  write("add", {.id = 3,
                .client = "trims",
                .body = AddRequest{.reference = "ocr",
                                   .source = "file:///models/ocr.onnx",
                                   .variants = {trims::Variant::kOrt, trims::Variant::kFiles}}});
  write("remove", {.id = 4, .client = {}, .body = RemoveRequest{"ocr"}});
  write("list", {.id = 5, .client = "trims", .body = ListRequest{}});
  write("show", {.id = 6, .client = {}, .body = ShowRequest{"ocr@sha256:abc"}});
  write("status", {.id = 7, .client = {}, .body = StatusRequest{}});
  write("cancel", {.id = 0, .client = {}, .body = CancelRequest{7}});
  write("push", {.id = 9, .client = {}, .body = PushRequest{"ocr", "file:///exports/ocr"}});
  write("control", {.id = 12,
                    .client = "trims",
                    .body = ControlRequest{.verb = ControlVerb::kPrefetch,
                                           .reference = "team/ocr:3",
                                           .alias = "prod",
                                           .tier = "device:0",
                                           .variants = {trims::Variant::kOrt},
                                           .wait = true}});
  write("policy", {.id = 10,
                   .client = {},
                   .body = PolicyRequest{.tier = "host",
                                         .eviction = "gdsf",
                                         .admission = "tinylfu",
                                         .reclaim = "lazy",
                                         .budget = "50%"}});
  write("events", {.id = 13,
                   .client = "trims",
                   .body = EventsRequest{.since = 17,
                                         .opens_since = 0,
                                         .kinds = {"segment", "open.miss"},
                                         .opens = true,
                                         .model = "team/ocr:3",
                                         .wait_ms = 5000}});
  write("verify", {.id = 8, .client = {}, .body = VerifyRequest{"ocr", 1 << 20}});
}

void WriteReplies() {
  ReplyEncoder encoder;
  const ExtentInfo extents[] = {{4096, trims::Pages::kSmall},
                                {1 << 30, trims::Pages::kTransparentHuge}};
  Write("fuzz_wire_reply", "open",
        encoder.Open(1, {.lease = 9,
                         .reference = "default/ocr:1",
                         .digest = std::string(64, 'a'),
                         .variant = trims::Variant::kTensors,
                         .variant_key = "key",
                         .index_length = 512,
                         .extents = extents,
                         .hit = true,
                         .waited_us = 3,
                         .tier = "host"}));
  const ExtentInfo handles[] = {{4096, trims::Pages::kSmall, trims::HandleKind::kCudaIpc},
                                {1 << 30, trims::Pages::kSmall, trims::HandleKind::kCudaIpc}};
  Write("fuzz_wire_reply", "open_cuda_ipc",
        encoder.Open(1, {.lease = 9,
                         .reference = "default/ocr:1",
                         .digest = std::string(64, 'a'),
                         .variant = trims::Variant::kTensors,
                         .index_length = 512,
                         .extents = handles,
                         .tier = "device:0",
                         .device = "cuda:0",
                         .device_uuid = "5d5d5d5d-5d5d-5d5d-5d5d-5d5d5d5d5d00"}));
  const uint64_t lengths[] = {(3 << 20) + 5};
  const RunInfo runs[] = {{1, 2 << 20, 2 << 20}, {0, 0, 4096}, {1, 8 << 20, (1 << 20) - 4091}};
  Write("fuzz_wire_reply", "open_runs",
        encoder.Open(1, {.lease = 9,
                         .reference = "default/ocr:1",
                         .digest = std::string(64, 'a'),
                         .variant = trims::Variant::kTensors,
                         .index_length = 512,
                         .extents = extents,
                         .tier = "host",
                         .lengths = lengths,
                         .runs = runs}));
  Write("fuzz_wire_reply", "document", encoder.Document(2, {.length = 100}));
  Write("fuzz_wire_reply", "progress", encoder.Progress(3, {"read", 1, 2, 3}));
  Write("fuzz_wire_reply", "waiting", encoder.Waiting(5, {.deadline_ms = 60000}));
  Write("fuzz_wire_reply", "error",
        encoder.Error(4, trims::Status(trims::StatusCode::kNotFound, "no model", "trims ls")));
}

void WriteIndexes() {
  trims::test::IndexSpec spec;
  spec.length = trims::kHugePageSize + 1000;
  spec.extents = {{0, 4096}, {trims::kHugePageSize, 1000}};
  spec.tensors = {{.name = "a.weight", .shape = {2, 3}, .offset = 256, .length = 24},
                  {.name = "b.bias", .shape = {2}, .offset = 512, .length = 8}};
  spec.files = {{.name = "config.json", .offset = 0, .length = 100, .extent = 0},
                {.name = "sub/model.bin",
                 .offset = trims::kHugePageSize,
                 .length = 1000,
                 .extent = 1,
                 .alone = true}};
  spec.metadata = {{"format", "onnx"}};
  Write("fuzz_wire_index", "full", trims::test::BuildIndex(spec));
  spec.tensors.clear();
  Write("fuzz_wire_index", "files", trims::test::BuildIndex(spec));
  spec.files.clear();
  Write("fuzz_wire_index", "bare", trims::test::BuildIndex(spec));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_seeds FOLDER\n");
    return 2;
  }
  root = argv[1];
  WriteRequests();
  WriteReplies();
  WriteIndexes();
  return 0;
}

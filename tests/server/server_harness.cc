#include "server/server_harness.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <future>

#include "base/fault.h"
#include "format/chunk_digests.h"
#include "server/raw_client.h"
#include "wire/channel.h"

namespace trims::test {
namespace {

constexpr uint64_t kBudget = uint64_t{1} << 30;
constexpr uint64_t kExtentBytes = 4096;

Result<SealedExtent> Bytes(std::string_view name, uint64_t length) {
  return SealedCopy(name, std::vector<std::byte>(length, std::byte{7}));
}

Result<ResidentBytes> MakeBytes(const ManifestVariant& variant) {
  Result<SealedExtent> index = Bytes("index", variant.index_length);
  if (!index.ok()) return index.status();
  ResidentBytes bytes{.index = HandleOf(*std::move(index)), .extents = {}};
  for (const ManifestExtent& extent : variant.extents) {
    Result<SealedExtent> made = Bytes("extent", extent.length);
    if (!made.ok()) return made.status();
    bytes.extents.push_back(HandleOf(*std::move(made)));
  }
  return bytes;
}

CatalogEntry EntryOf(const std::string& name, size_t extents) {
  Manifest manifest;
  manifest.digest = std::string(64 - name.size() % 64, 'a') + std::string(name.size() % 64, 'b');
  manifest.format = "files";
  manifest.source = "file:///nowhere";
  ManifestVariant variant;
  variant.folder = "files";
  variant.index_path = "index";
  variant.index_length = 64;
  variant.index_sha256 = manifest.digest;
  for (size_t i = 0; i < extents; ++i) {
    variant.extents.push_back({.length = kExtentBytes,
                               .sha256 = manifest.digest,
                               .xxh3 = std::vector<uint64_t>(ChunkCount(kExtentBytes)),
                               .pieces = {}});
  }
  manifest.variants.push_back(std::move(variant));
  return MakeCatalogEntry("default/" + name, "1", std::move(manifest), 0);
}

}  // namespace

void HeldTier::Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) {
  if (hold_) controls_.push_back(request.control);
  auto finish = [request = std::move(request), done = std::move(done)] {
    if (request.control->cancelled()) return done(Status(StatusCode::kCancelled, "cancelled"));
    done(MakeBytes(request.image->variant));
  };
  if (hold_) return held_.push_back(std::move(finish));
  post_(std::move(finish));
}

void HeldTier::Release(ResidentBytes bytes, LetGoCalls calls) {
  static_cast<void>(ResidentBytes(std::move(bytes)));
  post_(std::move(calls.freed));
}

void HeldTier::AdvanceHeld(uint64_t bytes) {
  for (const auto& control : controls_) control->Advance(bytes);
}

void HeldTier::FinishHeld() {
  hold_ = false;
  controls_.clear();
  for (std::function<void()>& finish : std::exchange(held_, {})) finish();
}

ServerHarness::ServerHarness(ServerOptions options) {
  std::signal(SIGPIPE, SIG_IGN);
  loop_ = *EventLoop::Create();
  tier_ = std::make_unique<HeldTier>(kBudget, loop_->poster());
  worker_ = std::make_unique<PostingWorker>(loop_->poster());
  ManagerOptions manager_options;
  manager_ =
      std::make_unique<Manager>(manager_options, ManagerDependencies{.clock = &clock_,
                                                                     .timers = loop_.get(),
                                                                     .catalog = &catalog_,
                                                                     .tiers = {tier_.get()},
                                                                     .preparer = &preparer_,
                                                                     .worker = worker_.get()});
  Result<UniqueFd> listening = wire::ListenOn(socket_path_, 0600, 4096);
  EXPECT_TRUE(listening.ok()) << listening.status().ToString();
  server_ =
      *Server::Start(std::move(options), {loop_.get(), manager_.get()}, *std::move(listening));
  thread_ = std::thread([this] { loop_->Run(); });
}

ServerHarness::~ServerHarness() {
  OnLoop([this] {
    server_.reset();
    manager_.reset();
  });
  loop_->Stop();
  thread_.join();
}

void ServerHarness::OnLoop(std::function<void()> call) {
  std::promise<void> done;
  loop_->Post([&] {
    call();
    done.set_value();
  });
  done.get_future().wait();
}

void ServerHarness::RunTimersDueWithin(Duration delay) {
  std::promise<void> done;
  OnLoop([&] { loop_->CallAfter(delay, [&] { done.set_value(); }); });
  done.get_future().wait();
}

void ServerHarness::AddModel(const std::string& name, size_t extents) {
  OnLoop([&] { catalog_.Put(EntryOf(name, extents), [](const Status&) {}); });
}

void ServerHarness::HoldLoads() {
  OnLoop([this] { tier_->set_hold(true); });
}

void ServerHarness::AdvanceLoads(uint64_t bytes) {
  OnLoop([&] { tier_->AdvanceHeld(bytes); });
}

void ServerHarness::ReleaseLoads() {
  OnLoop([this] { tier_->FinishHeld(); });
}

void ServerHarness::StopServer() {
  OnLoop([this] { server_->Stop(); });
}

ServerCounters ServerHarness::Counters() {
  ServerCounters counters;
  OnLoop([&] { counters = server_->counters(); });
  return counters;
}

size_t ServerHarness::Connections() {
  return StatusDocument()["server"]["connections"].get<size_t>() - 1;
}

nlohmann::json ServerHarness::StatusDocument() {
  if (own_client_ == nullptr) own_client_ = std::make_unique<RawClient>(socket_path_);
  EXPECT_TRUE(own_client_->Document(wire::ListRequest{}).ok());
  const Result<std::string> document = own_client_->Document(wire::StatusRequest{});
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? nlohmann::json::parse(*document, nullptr, false) : nlohmann::json();
}

size_t ServerHarness::Descriptors() {
  StatusDocument();
  OnLoop([] {});
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries))) - 1;  // its own
}

}  // namespace trims::test

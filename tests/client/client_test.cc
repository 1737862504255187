#include "trims/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstring>
#include <span>
#include <thread>
#include <vector>

#include "trims/admin.h"

#include "client/fake_model.h"
#include "support/open_fds.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using test::FakeDaemon;
using test::FakeIndex;
using test::FakeModel;
using test::IndexSpec;
using test::OpenFds;
using test::ScratchFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Client ConnectTo(const FakeDaemon& daemon) {
  return Client::Connect({.socket_path = daemon.path(), .client_name = "test"}).value();
}

TEST(ClientTest, OpensMapsAndLooksUp) {
  FakeModel fake;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    const auto& open = std::get<wire::OpenRequest>(request.body);
    EXPECT_EQ(open.reference, "ocr");
    EXPECT_EQ(open.variant, Variant::kTensors);
    EXPECT_EQ(open.variant_key, "key");
    EXPECT_EQ(open.deadline_ms, 1234U);
    EXPECT_EQ(open.tier, "host");
    EXPECT_EQ(request.client, "test");
    fake.Serve(request, peer);
  });
  Client client = ConnectTo(daemon);
  Result<Model> model = client.Open("ocr", {.variant = Variant::kTensors,
                                            .variant_key = "key",
                                            .deadline = std::chrono::milliseconds(1234),
                                            .tier = "host"});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->info().reference, "default/ocr:1");
  EXPECT_EQ(model->info().digest, "abc");
  EXPECT_EQ(model->info().tier, "host");
  EXPECT_EQ(model->info().pages, Pages::kTransparentHuge);
  EXPECT_TRUE(model->info().hit);
  EXPECT_EQ(model->bytes().size(), kHugePageSize + 3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(model->bytes().data()) % kHugePageSize, 0U);
  EXPECT_EQ(model->bytes()[63], std::byte{63});
  const Result<TensorView> weight = model->Tensor("weight");
  ASSERT_TRUE(weight.ok());
  EXPECT_EQ(weight->dtype, DType::kF32);
  EXPECT_THAT(weight->shape, ElementsAre(2, 2));
  EXPECT_EQ(weight->bytes.data(), model->bytes().data() + 16);
  EXPECT_EQ(weight->bytes.size(), 16U);
  EXPECT_EQ(model->tensor_count(), 2U);
  EXPECT_EQ(model->tensor(0).name, "bias");
  EXPECT_EQ(weight->type_name, "F32");
  EXPECT_EQ(model->tensor(2).name, "");
  EXPECT_EQ(model->Metadata("format"), "onnx");
  EXPECT_EQ(model->Metadata("other"), "");
  EXPECT_EQ(model->extent_count(), 2U);
  EXPECT_GE(model->extent_fd(1), 0);
  EXPECT_EQ(model->extent_fd(2), -1);
}

TEST(ClientTest, ATypeThatNobodyKnowsIsGivenByItsName) {
  IndexSpec spec = FakeIndex();
  spec.tensors[0].dtype = index::DType::Unknown;
  spec.tensors[0].type_name = "F3_NEW";
  FakeModel fake(spec);
  FakeDaemon daemon(
      [&](const wire::Request& request, FakeDaemon::Peer& peer) { fake.Serve(request, peer); });
  Result<Client> client = Client::Connect({.socket_path = daemon.path()});
  ASSERT_TRUE(client.ok());
  Result<Model> model = client->Open("ocr");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  const TensorView tensor = model->tensor(0);
  EXPECT_EQ(tensor.name, "bias");
  EXPECT_EQ(tensor.dtype, DType::kUnknown);
  EXPECT_EQ(tensor.type_name, "F3_NEW");
  EXPECT_EQ(tensor.bytes.size(), 8U);
}

TEST(ClientTest, WithoutADeadlineTheDaemonsDefaultIsWaitedFor) {
  FakeModel fake;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    EXPECT_EQ(std::get<wire::OpenRequest>(request.body).deadline_ms, 0U);
    peer.Send(peer.encoder.Waiting(request.id, {.deadline_ms = 90'000}));
    fake.Serve(request, peer);
  });
  EXPECT_TRUE(ConnectTo(daemon).Open("ocr").ok());
}

// Of an open that is answered with these extents, whose lease must be closed.
Status RefusalOf(std::span<const wire::ExtentInfo> extents) {
  FakeModel fake;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    wire::OpenReply reply = fake.Reply(9);
    reply.extents = extents;
    peer.Send(peer.encoder.Open(request.id, reply), fake.fds());
  });
  Client client = ConnectTo(daemon);
  Status status = client.Open("ocr").status();
  daemon.AwaitCloses(1);
  EXPECT_THAT(daemon.closed_leases(), ElementsAre(9));
  return status;
}

TEST(ClientTest, AnExtentOfAnUnknownKindIsRefusedAndItsLeaseClosed) {
  const wire::ExtentInfo extents[] = {{64, Pages::kSmall, static_cast<HandleKind>(4)},
                                      {3, Pages::kSmall}};
  const Status status = RefusalOf(extents);
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("kind of memory (4)"));
}

// The first descriptor has the size of a handle, the second has another.
TEST(ClientTest, AHandleOfCudaIpcThatIsNoneIsNonsenseAndItsLeaseClosed) {
  const wire::ExtentInfo extents[] = {{64, Pages::kSmall, HandleKind::kCudaIpc},
                                      {3, Pages::kSmall, HandleKind::kCudaIpc}};
  const Status status = RefusalOf(extents);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("no handle of CUDA IPC"));
}

TEST(ClientTest, AFileAloneInItsExtentHasADescriptor) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  const FileView config = model.File("config.json").value();
  char text[4] = {};
  EXPECT_EQ(::pread(config.fd, text, sizeof(text), 0), 3);
  EXPECT_STREQ(text, "{ }");
  EXPECT_EQ(std::memcmp(config.bytes.data(), "{ }", 3), 0);
  EXPECT_EQ(model.File("part")->fd, -1);
  EXPECT_EQ(model.file_count(), 2U);
  EXPECT_EQ(model.file(1).name, "part");
  EXPECT_EQ(model.file(2).name, "");
}

TEST(ClientTest, WhatWasReceivedCannotBeWritten) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  auto* start = const_cast<std::byte*>(model.bytes().data());
  EXPECT_NE(::mprotect(start, 4096, PROT_READ | PROT_WRITE), 0);
  EXPECT_EQ(::mmap(nullptr, 64, PROT_READ | PROT_WRITE, MAP_SHARED, model.extent_fd(0), 0),
            MAP_FAILED);
}

TEST(ClientTest, AnUnknownNameSuggestsNearOnes) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  const Status tensor = model.Tensor("wieght").status();
  EXPECT_EQ(tensor.code(), StatusCode::kNotFound);
  EXPECT_EQ(tensor.hint(), "'weight'");
  EXPECT_EQ(model.File("config.jsn").status().hint(), "'config.json'");
  EXPECT_EQ(model.File("entirely different").status().hint(), "");
}

TEST(ClientTest, CloseTellsTheDaemonOnceAndEndsTheViews) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  Client client = ConnectTo(daemon);
  Model first = client.Open("ocr").value();
  { const Model second = client.Open("ocr").value(); }
  first.Close();
  first.Close();
  daemon.AwaitCloses(2);
  EXPECT_THAT(daemon.closed_leases(), ElementsAre(2, 1));
  EXPECT_EQ(first.tensor_count(), 0U);
  EXPECT_EQ(first.Tensor("weight").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(first.extent_fd(0), -1);
  EXPECT_EQ(daemon.connections(), 1);
}

TEST(ClientTest, AFailedRequestKeepsNoLeaseOfAModelThatIsClosed) {
  FakeModel fake;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    if (std::get<wire::OpenRequest>(request.body).reference == "ocr")
      return fake.Serve(request, peer);
    peer.Error(request.id + 1, Status(StatusCode::kNotFound, "nobody asked"));
  });
  Client client = ConnectTo(daemon);
  Model closed = client.Open("ocr").value();
  const Model kept = client.Open("ocr").value();  // and with it the connection
  EXPECT_EQ(client.Open("out-of-step").status().code(), StatusCode::kInternal);
  closed.Close();
  // Comes over a connection of its own, which the daemon looks at after the older one.
  const Model later = client.Open("ocr").value();
  EXPECT_EQ(daemon.connections(), 2);
  EXPECT_THAT(daemon.closed_leases(), ElementsAre(1));
}

TEST(ClientTest, AModelOutlivesItsClientAndTheDaemon) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  Model model = ConnectTo(daemon).Open("ocr").value();
  daemon.Restart();
  EXPECT_EQ(model.Tensor("bias")->bytes[3], std::byte{3});
  model.Close();
}

TEST(ClientTest, AnErrorOfTheDaemonComesThrough) {
  const Status told(StatusCode::kTooLarge, "9 GB into 1 GB", "a larger --host-budget");
  FakeDaemon daemon([&](const auto& request, auto& peer) { peer.Error(request.id, told); });
  Client client = ConnectTo(daemon);
  EXPECT_EQ(client.Open("ocr").status(), told);
  EXPECT_EQ(client.Open("ocr").status(), told);
  EXPECT_EQ(daemon.connections(), 1);
}

TEST(ClientTest, ARestartedDaemonIsFoundAgain) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  Client client = ConnectTo(daemon);
  ASSERT_TRUE(client.Open("ocr").ok());
  daemon.Restart();
  EXPECT_TRUE(client.Open("ocr").ok());
  EXPECT_EQ(daemon.connections(), 2);
}

TEST(ClientTest, ADaemonThatAlwaysHangsUpIsUnavailable) {
  FakeDaemon daemon([](const auto&, auto& peer) { peer.HangUp(); });
  Client client = ConnectTo(daemon);
  EXPECT_EQ(client.Open("ocr").status().code(), StatusCode::kUnavailable);
  EXPECT_LE(daemon.connections(), 2);
}

TEST(ClientTest, AChildGetsAConnectionOfItsOwnAndLeavesTheParentsLease) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  Client client = ConnectTo(daemon);
  Model model = client.Open("ocr").value();
  const pid_t child = ::fork();
  if (child == 0) {
    model.Close();  // the parent's lease: nothing is sent
    ::_exit(client.Open("ocr").ok() ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  EXPECT_EQ(state, 0);
  EXPECT_EQ(daemon.connections(), 2);
  EXPECT_TRUE(client.Open("ocr").ok());  // after the child: the daemon has read all that it sent
  daemon.AwaitCloses(1);
  EXPECT_THAT(daemon.closed_leases(), ::testing::Not(::testing::Contains(1)));
}

TEST(ClientTest, ThreadsShareAClient) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  Client client = ConnectTo(daemon);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) EXPECT_TRUE(client.Open("ocr").value().Tensor("bias").ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  daemon.AwaitCloses(200);
}

TEST(ClientTest, BadArgumentsAreRefusedBeforeAnythingIsSent) {
  FakeDaemon daemon([](const auto&, auto&) { ADD_FAILURE() << "sent"; });
  Client client = ConnectTo(daemon);
  EXPECT_EQ(client.Open("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(client.Open(std::string(513, 'x')).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(client.Open("a", {.deadline = std::chrono::milliseconds(-1)}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(client.Open("a", {.tier = "GPU 0"}).status().code(), StatusCode::kInvalidArgument);
  const Client moved = std::move(client);
  EXPECT_EQ(client.Open("a").status().code(), StatusCode::kFailedPrecondition);  // NOLINT
}

// What a daemon that lies could answer; all of it must be an error without a leak.
struct Lie {
  const char* name;
  std::function<void(const FakeModel&, wire::OpenReply*, std::vector<int>*)> tell;
};

class LyingDaemonTest : public ::testing::TestWithParam<Lie> {};

TEST_P(LyingDaemonTest, IsAnErrorAndNothingLeaks) {
  FakeModel fake;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    wire::OpenReply reply = fake.Reply(1);
    std::vector<int> fds = fake.fds();
    GetParam().tell(fake, &reply, &fds);
    peer.Send(peer.encoder.Open(request.id, reply), fds);
  });
  Client client = ConnectTo(daemon);
  (void)client.Open("warm");
  const size_t before = OpenFds();
  const Status status = client.Open("ocr").status();
  EXPECT_EQ(status.code(), StatusCode::kInternal) << status.ToString();
  EXPECT_LE(OpenFds(), before + 1);  // a connection dropped or made on either side
}

const wire::ExtentInfo kTooLong[] = {{65, Pages::kSmall}, {3, Pages::kSmall}};
const wire::ExtentInfo kEndless[] = {{UINT64_MAX, Pages::kSmall}, {3, Pages::kSmall}};
// Of runs: `fake` has extents of 64 and of 3 bytes.
template <size_t N>
constexpr auto TellRuns(const std::array<wire::RunInfo, N>& runs) {
  return [&runs](const auto&, wire::OpenReply* reply, auto*) {
    static constexpr uint64_t kLengths[] = {64, 3};
    reply->lengths = kLengths;
    reply->runs = runs;
  };
}
constexpr std::array kNoSuchExtent = {wire::RunInfo{2, 0, 64}, wire::RunInfo{1, 0, 3}};
constexpr std::array kBeyondExtent = {wire::RunInfo{0, 0, 64}, wire::RunInfo{1, 4096, 3}};
constexpr std::array kOverflows = {wire::RunInfo{0, 0, 64},
                                   wire::RunInfo{1, UINT64_MAX - 4095, 4098}};
constexpr std::array kAtNoPage = {wire::RunInfo{0, 61, 3}, wire::RunInfo{1, 0, 3}};
constexpr std::array kTooShort = {wire::RunInfo{0, 0, 64}};
constexpr std::array kTooMany = {wire::RunInfo{0, 0, 64}, wire::RunInfo{1, 0, 3},
                                 wire::RunInfo{1, 0, 3}};
constexpr std::array kBeyondRange = {wire::RunInfo{0, 0, 64}, wire::RunInfo{0, 0, 64}};
constexpr std::array kOfNoBytes = {wire::RunInfo{0, 0, 0}, wire::RunInfo{1, 0, 3}};
constexpr std::array kCutAtNoPage = {wire::RunInfo{1, 0, 3}, wire::RunInfo{0, 0, 61},
                                     wire::RunInfo{1, 0, 3}};

const Lie kLies[] = {
    {"RunOfNoExtent", TellRuns(kNoSuchExtent)},
    {"RunBeyondItsExtent", TellRuns(kBeyondExtent)},
    {"RunWhoseEndOverflows", TellRuns(kOverflows)},
    {"RunThatBeginsAtNoPage", TellRuns(kAtNoPage)},
    {"RunsThatEndTooEarly", TellRuns(kTooShort)},
    {"RunsThatMakeNothing", TellRuns(kTooMany)},
    {"RunBeyondTheRange", TellRuns(kBeyondRange)},
    {"RunOfNoBytes", TellRuns(kOfNoBytes)},
    {"RunThatLiesAtNoPage", TellRuns(kCutAtNoPage)},
    {"RunOfAPartOfADevicesAllocation",
     [](const auto&, wire::OpenReply* reply, auto*) {
       static constexpr wire::ExtentInfo kOnDevice[] = {
           {64, Pages::kSmall, HandleKind::kSimulatedDevice},
           {3, Pages::kSmall, HandleKind::kSimulatedDevice}};
       static constexpr uint64_t kLengths[] = {60, 3};
       static constexpr wire::RunInfo kRuns[] = {{0, 0, 60}, {1, 0, 3}};
       reply->extents = kOnDevice;
       reply->lengths = kLengths;
       reply->runs = kRuns;
     }},
    {"RunsWithoutLengths", [](const auto&, auto* reply, auto*) { reply->runs = kTooShort; }},
    {"RunsOfEndlessLengths",
     [](const auto&, auto* reply, auto*) {
       static constexpr uint64_t kLengths[] = {UINT64_MAX};
       reply->lengths = kLengths;
       reply->runs = kTooShort;
     }},
    {"TooFewDescriptors", [](const auto&, auto*, auto* fds) { fds->pop_back(); }},
    {"NoDescriptors", [](const auto&, auto*, auto* fds) { fds->clear(); }},
    {"TooManyDescriptors", [](const auto&, auto*, auto* fds) { fds->push_back(fds->front()); }},
    {"EndlessIndex", [](const auto&, auto* reply, auto*) { reply->index_length = UINT64_MAX; }},
    {"LongerExtent", [](const auto&, auto* reply, auto*) { reply->extents = kTooLong; }},
    {"EndlessExtent", [](const auto&, auto* reply, auto*) { reply->extents = kEndless; }},
};
INSTANTIATE_TEST_SUITE_P(All, LyingDaemonTest, ::testing::ValuesIn(kLies),
                         [](const auto& lie) { return std::string(lie.param.name); });

TEST(ClientTest, WhatIsPutTogetherIsOneRange) {
  FakeModel fake;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    EXPECT_TRUE(std::get<wire::OpenRequest>(request.body).runs);
    static constexpr uint64_t kLengths[] = {64, 3};
    static constexpr wire::RunInfo kRuns[] = {{0, 0, 64}, {1, 0, 3}};
    wire::OpenReply reply = fake.Reply(1);
    reply.lengths = kLengths;
    reply.runs = kRuns;
    peer.Send(peer.encoder.Open(request.id, reply), fake.fds());
  });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  EXPECT_EQ(model.bytes()[1], std::byte{1});
  EXPECT_EQ(model.bytes()[kHugePageSize], std::byte{'{'});
  EXPECT_EQ(model.Tensor("bias").value().bytes.size(), 8U);
  EXPECT_EQ(model.File("config.json").value().fd, -1);  // no descriptor is of it alone
  EXPECT_EQ(model.extent_count(), 2U);
  EXPECT_EQ(model.extent_fd(0), -1);
}

TEST(ClientTest, OtherAnswersAreTheDaemonsDefect) {
  FakeDaemon daemon([](const wire::Request& request, FakeDaemon::Peer& peer) {
    const std::string_view reference = std::get<wire::OpenRequest>(request.body).reference;
    if (reference == "document") return peer.Document(request.id, "{}");
    if (reference == "other-id")
      return peer.Error(request.id + 1, Status(StatusCode::kNotFound, ""));
    peer.Send(test::ToBytes("garbage that is long enough to be looked at"));
  });
  Client client = ConnectTo(daemon);
  EXPECT_EQ(client.Open("document").status().code(), StatusCode::kInternal);
  EXPECT_EQ(client.Open("other-id").status().code(), StatusCode::kInternal);
  EXPECT_EQ(client.Open("garbage").status().code(), StatusCode::kInvalidArgument);
}

TEST(ClientTest, ALyingIndexIsDataLossOnLookUp) {
  IndexSpec spec = FakeIndex();
  spec.tensors[0].offset = 60;            // past the end of the first extent
  spec.tensors[1].shape = {2, 3};         // not its length
  spec.files[0].extent = 9;               // none
  spec.files[1].offset = UINT64_MAX - 1;  // far out
  FakeModel fake(spec);
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  for (const char* name : {"bias", "weight"})
    EXPECT_EQ(model.Tensor(name).status().code(), StatusCode::kDataLoss) << name;
  for (const char* name : {"config.json", "part"})
    EXPECT_EQ(model.File(name).status().code(), StatusCode::kDataLoss) << name;
  EXPECT_THAT(model.tensor(0).bytes, IsEmpty());
}

TEST(ClientTest, AnIndexThatIsShorterThanSaidIsDataLossOnLookUp) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) {
    wire::OpenReply reply = fake.Reply(1);
    reply.index_length += 1;
    peer.Send(peer.encoder.Open(request.id, reply), fake.fds());
  });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  EXPECT_EQ(model.bytes()[1], std::byte{1});
  EXPECT_EQ(model.Tensor("bias").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(model.File("part").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(model.tensor_count(), 0u);
  EXPECT_EQ(model.Metadata("format"), "");
}

TEST(ClientTest, ManyThreadsMayLookUpFirst) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  const Model model = ConnectTo(daemon).Open("ocr").value();
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { found += model.Tensor("weight").ok() && model.file_count() == 2; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, 4);
}

TEST(ConnectTest, SaysWhyNot) {
  const ScratchFolder folder;
  const ClientOptions nothing{.socket_path = folder / "trimsd.sock"};
  const std::string start = "start one: trimsd --socket " + nothing.socket_path + " &";
  const Status missing = Client::Connect(nothing).status();
  EXPECT_EQ(missing.code(), StatusCode::kUnavailable);
  EXPECT_EQ(missing.hint(), start);
  { const auto left = wire::ListenOn(nothing.socket_path, 0600, 1); }
  const Status stale = Client::Connect(nothing).status();
  EXPECT_EQ(stale.code(), StatusCode::kUnavailable);
  EXPECT_EQ(stale.hint(), start);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0770), 0);
  const Status status = Client::Connect(nothing).status();
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.hint(), HasSubstr("chmod go-w"));
}

TEST(ConnectTest, ARefusalThatNeedsNoRequestIsHeard) {
  const ScratchFolder folder;
  const UniqueFd listener = wire::ListenOn(folder / "trimsd.sock", 0600, 1).value();
  Client client = Client::Connect({.socket_path = folder / "trimsd.sock"}).value();
  {
    const UniqueFd peer = sys::Accept(listener.get());
    wire::ReplyEncoder encoder;
    const Status refusal(StatusCode::kQuotaExceeded, "too many connections");
    ASSERT_TRUE(wire::SendFrame(peer.get(), encoder.Error(0, refusal), {}).ok());
  }
  EXPECT_EQ(client.Open("ocr").status().code(), StatusCode::kQuotaExceeded);
}

TEST(ConnectTest, TheEnvironmentNamesTheSocket) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  ::setenv("TRIMS_SOCKET", daemon.path().c_str(), 1);
  EXPECT_TRUE(Client::Connect().ok());
  ::unsetenv("TRIMS_SOCKET");
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(UserSocketPath(), "/run/user/7/trims/trimsd.sock");
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(UserSocketPath(), "/tmp/trims-" + std::to_string(::geteuid()) + "/trimsd.sock");
}

}  // namespace
}  // namespace trims

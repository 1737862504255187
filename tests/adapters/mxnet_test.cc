// trims::mxnet on checkpoints of real networks against a real trimsd: MXPredCreate's own answers, no copies,
// errors that say why.
#include "trims/mxnet.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mxnet/c_predict_api.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "trims/admin.h"

#include "e2e/daemon/daemon_process.h"
#include "format/model_bytes.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using mxnet::Predictor;
using ::testing::HasSubstr;

constexpr size_t kClasses = 1000;

// What only this process has: neither shared pages nor files'.
uint64_t OwnBytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    if (line.starts_with("Anonymous:")) return std::stoull(line.substr(line.find(':') + 1)) * 1024;
  }
  return 0;
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<float> Picture(uint32_t pixels) {
  std::vector<float> values(size_t{3} * pixels * pixels);
  uint32_t state = 2019;
  for (float& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) / 16777216.0f;
  }
  return values;
}

// MXNet's own predict API, of the same library.
class OwnPredictor {
 public:
  OwnPredictor(const std::string& prefix, uint32_t pixels) {
    library_ = ::dlopen(TRIMS_MXNET_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    const std::string symbol = ReadWhole(prefix + "-symbol.json");
    const std::string parameters = ReadWhole(prefix + "-0000.params");
    const char* keys[] = {"data"};
    const uint32_t begins[] = {0, 4};
    const uint32_t shape[] = {1, 3, pixels, pixels};
    made_ = Call<decltype(&MXPredCreate)>("MXPredCreate")(symbol.c_str(), parameters.data(),
                                                          static_cast<int>(parameters.size()), 1, 0,
                                                          1, keys, begins, shape, &handle_) == 0;
  }
  ~OwnPredictor() { Call<decltype(&MXPredFree)>("MXPredFree")(handle_); }
  OwnPredictor(const OwnPredictor&) = delete;
  OwnPredictor& operator=(const OwnPredictor&) = delete;

  std::vector<float> Answer(const std::vector<float>& picture) {
    std::vector<float> classes(made_ ? kClasses : 0);
    const auto size = static_cast<uint32_t>(picture.size());
    const bool well = made_ &&
                      Call<decltype(&MXPredSetInput)>("MXPredSetInput")(
                          handle_, "data", picture.data(), size) == 0 &&
                      Call<decltype(&MXPredForward)>("MXPredForward")(handle_) == 0 &&
                      Call<decltype(&MXPredGetOutput)>("MXPredGetOutput")(
                          handle_, 0, classes.data(), kClasses) == 0;
    return well ? classes : std::vector<float>();
  }

 private:
  template <typename Function>
  Function Call(const char* name) const {
    return reinterpret_cast<Function>(::dlsym(library_, name));
  }

  void* library_ = nullptr;
  PredictorHandle handle_ = nullptr;
  bool made_ = false;
};

class MxnetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.ready()) << daemon_.Log();
    client_.emplace(*daemon_.Connect());
  }

  // A network of the table as a checkpoint; the prefix.
  std::string Checkpoint(const std::string& network) {
    const std::string prefix = folder_ / network;
    const std::string program = "import sys; sys.path.insert(0, '" TRIMS_SOURCE_FOLDER
                                "/bench')\nfrom networks import mxnet_file, table\n"
                                "mxnet_file.write(table.named(sys.argv[1]), sys.argv[2])";
    EXPECT_EQ(ChildProcess::Start(
                  {TRIMS_SOURCE_FOLDER "/.venv/bin/python", "-B", "-c", program, network, prefix})
                  .Wait(),
              0);
    return prefix;
  }

  void Add(const std::string& name, const std::string& prefix) {
    Result<Admin> admin = Admin::Connect({.socket_path = daemon_.socket()});
    ASSERT_TRUE(admin.ok()) << admin.status().ToString();
    const Result<std::string> added =
        admin->Add(name, "file://" + prefix + "-0000.params", {.variants = {Variant::kTensors}});
    ASSERT_TRUE(added.ok()) << added.status().ToString();
  }

  Result<Predictor> Open(const std::string& name, uint32_t pixels) {
    return Predictor::Open(*client_, name, {{"data", {1, 3, pixels, pixels}}},
                           {.library = TRIMS_MXNET_LIBRARY});
  }

  static std::vector<float> Answer(Predictor& predictor, const std::vector<float>& picture) {
    std::vector<float> classes(kClasses);
    Status status = predictor.SetInput("data", picture);
    if (status.ok()) status = predictor.Forward();
    if (status.ok()) status = predictor.GetOutput(0, classes);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return classes;
  }

  Status WhyNot(const std::string& name, const std::vector<mxnet::Input>& inputs) {
    return Predictor::Open(*client_, name, inputs, {.library = TRIMS_MXNET_LIBRARY}).status();
  }

  const ScratchFolder folder_;
  DaemonProcess daemon_{folder_.path()};
  std::optional<Client> client_;
};

TEST_F(MxnetTest, AnswersAreThoseOfMxnetsOwnPredictApiToTheLastBit) {
  for (const auto& [network, pixels] : {std::pair{"squeezenet-1.1", 227U}, {"resnet18-v2", 224U}}) {
    SCOPED_TRACE(network);
    const std::string prefix = Checkpoint(network);
    Add(network, prefix);
    Result<Predictor> shared = Open(network, pixels);
    ASSERT_TRUE(shared.ok()) << shared.status().ToString();
    OwnPredictor own(prefix, pixels);
    std::vector<float> picture = Picture(pixels);
    for (int i = 0; i < 3; ++i) {
      const std::vector<float> answer = Answer(*shared, picture);
      EXPECT_EQ(answer, own.Answer(picture)) << "computation " << i;
      EXPECT_NE(answer, std::vector<float>(kClasses));
      std::ranges::reverse(picture);
    }
    EXPECT_EQ(shared->output_count(), size_t{1});
    EXPECT_EQ(*shared->OutputShape(0), (std::vector<uint32_t>{1, kClasses}));
  }
}

TEST_F(MxnetTest, APredictorHasNoCopyOfTheWeights) {
  const std::string prefix = Checkpoint("resnet18-v2");
  Add("net", prefix);
  const std::vector<float> picture = Picture(224);
  const uint64_t weights = std::filesystem::file_size(prefix + "-0000.params");
  {
    Result<Predictor> first = Open("net", 224);  // what the runtime allocates once in a process
    ASSERT_TRUE(first.ok()) << first.status().ToString();
    Answer(*first, picture);
  }
  const uint64_t before = OwnBytes();
  Result<Predictor> shared = Open("net", 224);
  ASSERT_TRUE(shared.ok()) << shared.status().ToString();
  Answer(*shared, picture);
  const uint64_t after = OwnBytes();
  EXPECT_LT(after - std::min(before, after), weights / 2) << "activations and scratch memory";
  OwnPredictor own(prefix, 224);
  own.Answer(picture);
  EXPECT_GT(OwnBytes() - after, weights) << "MXPredCreate copies, which this test would see";
}

TEST_F(MxnetTest, APredictorOutlivesClientAndDaemonAndMoves) {
  Add("net", Checkpoint("squeezenet-1.1"));
  Result<Predictor> opened = Open("net", 227);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const std::vector<float> picture = Picture(227);
  const std::vector<float> before = Answer(*opened, picture);
  Predictor moved = *Open("net", 227);
  moved = *std::move(opened);  // ends the one before
  client_.reset();
  daemon_.process().Signal(SIGKILL);
  daemon_.process().Wait();
  EXPECT_EQ(Answer(moved, picture), before);
  EXPECT_EQ(moved.model().info().variant, Variant::kTensors);
}

TEST_F(MxnetTest, ThreadsHavePredictorsOfTheirOwnOverOneModel) {
  Add("net", Checkpoint("squeezenet-1.1"));
  const std::vector<float> picture = Picture(227);
  Result<Predictor> first = Open("net", 227);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  const std::vector<float> expected = Answer(*first, picture);
  std::vector<std::vector<float>> seen(3);
  {
    std::vector<std::jthread> threads;
    for (std::vector<float>& out : seen) {
      threads.emplace_back([&] {
        Result<Client> client = daemon_.Connect();
        Result<Predictor> own = Predictor::Open(*client, "net", {{"data", {1, 3, 227, 227}}},
                                                {.library = TRIMS_MXNET_LIBRARY});
        if (own.ok()) out = Answer(*own, picture);
      });
    }
  }
  EXPECT_THAT(seen, ::testing::Each(expected));
}

TEST_F(MxnetTest, ErrorsOfInputsSayWhatWasExpected) {
  Add("net", Checkpoint("squeezenet-1.1"));
  const Status unknown = WhyNot("net", {{"picture", {1, 3, 227, 227}}});
  EXPECT_EQ(unknown.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(unknown.message(), "the network has no input 'picture': expected data");
  const Status none = WhyNot("net", {});
  EXPECT_EQ(none.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(none.message(), HasSubstr("don't say what shapes"));
  const Status channels = WhyNot("net", {{"data", {1, 4, 227, 227}}});
  EXPECT_EQ(channels.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(channels.message(),
              HasSubstr("is of shape 64x3x3x3; with these inputs the network needs 64x4x3x3"));
  const Status rank = WhyNot("net", {{"data", {1, 3}}});
  EXPECT_EQ(rank.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(rank.message(),
              HasSubstr("the inputs' shapes don't fit: MXNet: MXSymbolInferShapeEx: "));

  Result<Predictor> opened = Open("net", 227);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  std::vector<float> values(10);
  EXPECT_THAT(opened->SetInput("data", values).message(),
              HasSubstr("'data' has 154587 elements, found 10"));
  EXPECT_THAT(opened->SetInput("x", values).message(), HasSubstr("'x' is none of the inputs"));
  EXPECT_EQ(opened->GetOutput(0, values).code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(opened->Forward().ok());
  EXPECT_THAT(opened->GetOutput(0, values).message(),
              HasSubstr("output 0 has 1000 elements, found 10"));
  EXPECT_THAT(opened->OutputShape(1).status().message(),
              HasSubstr("there are 1 outputs, found the number 1"));
}

// data + w, which is of floats, and then outputs of kOtherTypes.
constexpr char kManyTypes[] =
    R"({"nodes":[{"op":"null","name":"data","inputs":[]},{"op":"null","name":"w","inputs":[]},
{"op":"elemwise_add","name":"sum","inputs":[[0,0,0],[1,0,0]]},
{"op":"Cast","name":"d","attrs":{"dtype":"float64"},"inputs":[[2,0,0]]},
{"op":"shape_array","name":"s","inputs":[[2,0,0]]},
{"op":"Cast","name":"h","attrs":{"dtype":"float16"},"inputs":[[2,0,0]]},
{"op":"Cast","name":"i","attrs":{"dtype":"int32"},"inputs":[[2,0,0]]},
{"op":"Cast","name":"b","attrs":{"dtype":"uint8"},"inputs":[[2,0,0]]}],
"arg_nodes":[0,1],"heads":[[2,0,0],[3,0,0],[4,0,0],[5,0,0],[6,0,0],[7,0,0]],
"attrs":{"mxnet_version":["int",10901]}})";
constexpr const char* kOtherTypes[] = {"float64", "int64", "float16", "int32", "uint8"};

TEST_F(MxnetTest, OutputsThatAreNoFloatsAreRefusedWithTheirType) {
  folder_.Write("types-symbol.json", kManyTypes);
  folder_.Write("types-0000.params",
                MxnetListBytes({MxnetArrayBytes(MxnetVersion::kV2, {1, 4}, 0,
                                                Raw<float>({1.0F, 2.0F, 3.0F, 4.0F}))},
                               {"arg:w"}));
  Add("types", folder_ / "types");
  Result<Predictor> opened =
      Predictor::Open(*client_, "types", {{"data", {1, 4}}}, {.library = TRIMS_MXNET_LIBRARY});
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  ASSERT_TRUE(opened->SetInput("data", std::vector<float>(4, 1.0F)).ok());
  ASSERT_TRUE(opened->Forward().ok());
  std::vector<float> sums(4);
  EXPECT_TRUE(opened->GetOutput(0, sums).ok());
  EXPECT_THAT(sums, ::testing::ElementsAre(2, 3, 4, 5));
  ASSERT_EQ(opened->output_count(), 1 + std::size(kOtherTypes));
  for (size_t i = 1; i < opened->output_count(); ++i) {
    // As many as there are elements, so that nothing but their type is wrong.
    std::vector<float> values(opened->OutputShape(i)->back() == 2 ? 2 : 4, -1.0F);
    const Status status = opened->GetOutput(i, values);
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << status.ToString();
    EXPECT_EQ(status.message(), "output " + std::to_string(i) + " is of " + kOtherTypes[i - 1] +
                                    ": expected float32");
    EXPECT_THAT(values, ::testing::Each(-1.0F));
  }
}

TEST_F(MxnetTest, ErrorsOfModelsSayWhatToDo) {
  EXPECT_EQ(WhyNot("nobody", {}).code(), StatusCode::kNotFound);
  const std::string prefix = Checkpoint("squeezenet-1.1");
  std::filesystem::create_directory(folder_ / "alone");
  std::filesystem::copy(prefix + "-0000.params", folder_ / "alone/net-0000.params");
  Add("alone", folder_ / "alone/net");
  const Status alone = WhyNot("alone", {{"data", {1, 3, 227, 227}}});
  EXPECT_EQ(alone.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(alone.message(), HasSubstr("was added without a symbol"));
  EXPECT_THAT(alone.hint(), HasSubstr("PREFIX-symbol.json beside it"));
  // A symbol that needs what the parameters have not.
  std::string symbol = ReadWhole(prefix + "-symbol.json");
  const std::string bias = "\"conv1_bias\"";
  symbol.replace(symbol.find(bias), bias.size(), "\"conv1_other\"");
  folder_.Write("alone/net-symbol.json", symbol);
  Add("lacking", folder_ / "alone/net");
  const Status lacking = WhyNot("lacking", {{"data", {1, 3, 227, 227}}});
  EXPECT_EQ(lacking.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(lacking.message(), HasSubstr("has no 'arg:conv1_other', which its symbol needs"));
  const std::string operation = "\"Convolution\"";
  symbol.replace(symbol.find(operation), operation.size(), "\"Konvolution\"");
  folder_.Write("alone/net-symbol.json", symbol);
  Add("odd", folder_ / "alone/net");
  const Status odd = WhyNot("odd", {{"data", {1, 3, 227, 227}}});
  EXPECT_EQ(odd.code(), StatusCode::kInternal);
  EXPECT_THAT(odd.message(), HasSubstr("MXNet: MXSymbolCreateFromJSON: "));
}

}  // namespace
}  // namespace trims::test

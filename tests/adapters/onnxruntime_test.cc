// trims::onnxruntime on real models against a real trimsd: equal answers, no copies, errors that
// say why.
#include "trims/onnxruntime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "adapters/ort_fixture.h"
#include "format/model_bytes.h"

namespace trims {
namespace {

using test::Answer;
using test::OnnxRuntimeTest;
using test::Outputs;
using test::PrivateBytes;
using test::RealModel;
using test::WorstError;
using ::testing::HasSubstr;
using ::testing::Not;

// ONNX Runtime alone, over a private copy of the bytes that the MRM shares.
Outputs RunPrivateCopy(const Model& prepared, const RealModel& model) {
  const FileView file = prepared.file(0);
  const std::vector<std::byte> copy(file.bytes.begin(), file.bytes.end());
  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  options.SetIntraOpNumThreads(1);
  options.AddConfigEntry("session.load_model_format", "ORT");
  options.AddConfigEntry("session.disable_prepacking", "1");
  Ort::Session session(onnxruntime::SharedEnv(), copy.data(), copy.size(), options);
  return Answer(session, model);
}

TEST_F(OnnxRuntimeTest, AnswersOfEveryRealModelEqualThoseOfOnnxRuntimeAlone) {
  for (const RealModel& model : models_) {
    SCOPED_TRACE(model.name);
    Register(model);
    onnxruntime::Session shared = Open(model.name, {.intra_op_threads = 1});
    const Outputs outputs = Answer(shared.session(), model);
    ASSERT_FALSE(outputs.empty());
    EXPECT_EQ(outputs, RunPrivateCopy(shared.model(), model)) << "not bit for bit";
    Ort::Session original(onnxruntime::SharedEnv(), model.path.c_str(), Ort::SessionOptions());
    EXPECT_LE(WorstError(outputs, Answer(original, model)), 1e-4);
  }
}

TEST_F(OnnxRuntimeTest, PrepackingChangesSpeedAndNotAnswers) {
  Register(models_[0]);
  onnxruntime::Session packed = Open("ocr", {.prepacking = true, .memory_arena = false});
  onnxruntime::Session plain = Open("ocr");
  EXPECT_LE(WorstError(Answer(packed.session(), models_[0]), Answer(plain.session(), models_[0])),
            1e-4);
}

TEST_F(OnnxRuntimeTest, ASessionHasNoCopyOfTheWeights) {
  Register(models_[0]);
  Open("ocr");  // what the runtime allocates once in a process
  const uint64_t before = PrivateBytes();
  onnxruntime::Session session = Open("ocr");
  const uint64_t weights = session.model().file(0).bytes.size();
  EXPECT_GT(weights, uint64_t{50'000'000});
  const uint64_t after = PrivateBytes();
  EXPECT_LT(after - std::min(before, after), weights / 10);
}

TEST_F(OnnxRuntimeTest, MetadataOfTheModelIsThere) {
  Register(models_[5]);
  onnxruntime::Session session = Open("text-rec");
  Ort::AllocatorWithDefaultOptions allocator;
  const Ort::AllocatedStringPtr characters =
      session->GetModelMetadata().LookupCustomMetadataMapAllocated("character", allocator);
  ASSERT_NE(characters, nullptr);
  EXPECT_GT(std::strlen(characters.get()), size_t{10'000});
}

TEST_F(OnnxRuntimeTest, ASessionOutlivesClientAndDaemonAndMoves) {
  Register(models_[6]);
  onnxruntime::Session session = Open("vad");
  const Outputs before = Answer(session.session(), models_[6]);
  session = Open("vad");  // ends the old session before the bytes under it
  client_.reset();
  daemon_.process().Signal(SIGKILL);
  daemon_.process().Wait();
  const onnxruntime::Session& moved = session;
  EXPECT_EQ(Answer(session.session(), models_[6]), before);
  EXPECT_EQ(moved.model().info().variant, Variant::kOrt);
}

TEST_F(OnnxRuntimeTest, ThreadsShareOneSession) {
  Register(models_[6]);
  onnxruntime::Session session = Open("vad", {.intra_op_threads = 1});
  const Outputs expected = Answer(session.session(), models_[6]);
  std::vector<Outputs> seen(4);
  {
    std::vector<std::jthread> threads;
    for (Outputs& out : seen) {
      threads.emplace_back([&] { out = Answer(session.session(), models_[6]); });
    }
  }
  EXPECT_THAT(seen, ::testing::Each(expected));
}

TEST_F(OnnxRuntimeTest, UserOptionsAreKeptAndNotChanged) {
  Register(models_[6]);
  Ort::SessionOptions options;
  options.AddConfigEntry("session.intra_op.allow_spinning", "0");
  onnxruntime::Session session = Open("vad", {.session_options = &options});
  EXPECT_FALSE(options.HasConfigEntry("session.load_model_format"));
  EXPECT_FALSE(Answer(session.session(), models_[6]).empty());
}

TEST_F(OnnxRuntimeTest, ErrorsSayWhy) {
  Register(models_[6]);
  const Result<onnxruntime::Session> missing = onnxruntime::Session::Open(*client_, "vadd");
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.status().ToString(), HasSubstr("vad"));

  const Result<Model> other =
      client_->Open("vad", {.variant = Variant::kOrt, .variant_key = "ort-0.1"});
  EXPECT_EQ(other.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(other.status().message(), HasSubstr(onnxruntime::VariantKey()));

  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(ORT_ENABLE_BASIC);
  Result<Model> prepared = client_->Open("vad", {.variant = Variant::kOrt});
  ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
  const Result<onnxruntime::Session> wrong =
      onnxruntime::Session::Over(*std::move(prepared), {.session_options = &options});
  EXPECT_EQ(wrong.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(wrong.status().message(), HasSubstr("level of graph optimisation"));
  EXPECT_THAT(wrong.status().message(), Not(HasSubstr("added without")));  // it wasn't asked for
}

// The host budget has room for one of the model's variants, and the first takes it.
TEST_F(OnnxRuntimeTest, WhyTheModelsOwnFileCantBeOpenedIsSaid) {
  const RealModel& model = models_[6];
  const test::ScratchFolder folder;
  test::DaemonProcess small(
      folder.path(), {"--onnxruntime-library", TRIMS_ONNXRUNTIME_LIBRARY, "--host-budget", "4MiB"});
  ASSERT_TRUE(small.ready()) << small.Log();
  Result<Admin> admin = Admin::Connect({.socket_path = small.socket()});
  ASSERT_TRUE(admin->Add("vad", "file://" + model.path).ok());
  ASSERT_TRUE(admin->Add("plain", "file://" + model.path, {.variants = {Variant::kFiles}}).ok());
  Client client = *small.Connect();
  Result<Model> held = client.Open("vad", {.variant = Variant::kOrt});
  ASSERT_TRUE(held.ok()) << held.status().ToString();

  Ort::SessionOptions level;
  level.SetGraphOptimizationLevel(ORT_ENABLE_BASIC);  // can't be honoured
  Ort::SessionOptions affinity;
  affinity.AddConfigEntry("session.intra_op_thread_affinities", "none");  // ONNX Runtime refuses it
  affinity.SetIntraOpNumThreads(2);
  for (const auto& [name, options] :
       {std::pair{"vad", &level}, {"vad", &affinity}, {"plain", &level}}) {
    const Status status =
        onnxruntime::Session::Open(
            client, name, {.session_options = options, .deadline = std::chrono::milliseconds(200)})
            .status();
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("(files)"));
    EXPECT_THAT(status.hint(), HasSubstr("--host-budget"));
  }
}

TEST_F(OnnxRuntimeTest, ASessionThatWaitsTellsHowFarTheLoadIs) {
  Register(models_[0]);
  std::vector<LoadProgress> told;
  Open(models_[0].name, {.progress = [&](const LoadProgress& load) {
         told.push_back(load);
         return true;
       }});
  ASSERT_FALSE(told.empty());
  EXPECT_GT(told.front().bytes_total, 0u);
}

// Each makes the session take the model's own file.
TEST_F(OnnxRuntimeTest, OptionsThatTheOptimisedFormCantHonour) {
  Register(models_[0]);
  using Change = std::function<void(Ort::SessionOptions&)>;
  const std::vector<Change> changes = {
      [](auto& o) { o.SetGraphOptimizationLevel(ORT_DISABLE_ALL); },
      [](auto& o) { o.SetGraphOptimizationLevel(ORT_ENABLE_BASIC); },
      [](auto& o) { o.SetGraphOptimizationLevel(ORT_ENABLE_EXTENDED); },
      [](auto& o) { o.AddConfigEntry("session.disable_quant_qdq", "1"); },
      [](auto& o) { o.AddConfigEntry("optimization.disable_specified_optimizers", "Reshape"); },
  };
  for (const Change& change : changes) {
    Ort::SessionOptions options;
    change(options);
    onnxruntime::Session session = Open("ocr", {.session_options = &options});
    EXPECT_EQ(session.form(), onnxruntime::Form::kOriginal);
    EXPECT_NE(session.why_original(), "");
    Ort::Session plain(onnxruntime::SharedEnv(), models_[0].path.c_str(), options);
    EXPECT_LE(WorstError(Answer(session.session(), models_[0]), Answer(plain, models_[0])), 1e-5);
  }
}

TEST_F(OnnxRuntimeTest, FixedDimensionsAreSeen) {
  Register(models_[0]);
  const auto batch = [](Ort::Session& session) {
    return session.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
  };
  onnxruntime::Session free = Open("ocr");
  const std::vector<int64_t> shape = batch(free.session());
  std::vector<const char*> names(shape.size());
  const Ort::TypeInfo type = free->GetInputTypeInfo(0);
  type.GetTensorTypeAndShapeInfo().GetSymbolicDimensions(names.data(), names.size());
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] >= 0 || *names[i] == '\0') continue;
    Ort::SessionOptions options;
    Ort::ThrowOnError(Ort::GetApi().AddFreeDimensionOverrideByName(options, names[i], 1));
    onnxruntime::Session fixed = Open("ocr", {.session_options = &options});
    EXPECT_EQ(fixed.form(), onnxruntime::Form::kOriginal);
    EXPECT_EQ(batch(fixed.session())[i], 1);
    return;
  }
  FAIL() << "the model has no named dimension";
}

TEST_F(OnnxRuntimeTest, AModelWithoutOrtVariantIsUsedAsItIs) {
  Result<Admin> admin = Admin::Connect({.socket_path = daemon_.socket()});
  ASSERT_TRUE(admin.ok()) << admin.status().ToString();
  const RealModel& model = models_[6];
  const Result<std::string> added =
      admin->Add("plain", "file://" + model.path, {.variants = {Variant::kFiles}});
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  onnxruntime::Session session = Open("plain");
  EXPECT_EQ(session.form(), onnxruntime::Form::kOriginal);
  EXPECT_THAT(session.why_original(), HasSubstr("no ort variant"));
  Ort::Session plain(onnxruntime::SharedEnv(), model.path.c_str(), Ort::SessionOptions());
  EXPECT_EQ(Answer(session.session(), model), Answer(plain, model));
  Register(model);
  EXPECT_EQ(Open("vad").form(), onnxruntime::Form::kBytes);
  EXPECT_EQ(Open("vad", {.original = true}).form(), onnxruntime::Form::kOriginal);
  EXPECT_EQ(Open("vad").GraphName(), Open("vad", {.original = true}).GraphName());
}

// The folder has the weights in a file beside the model.
TEST_F(OnnxRuntimeTest, ExternalDataOfTheOriginalIsGivenFromMemory) {
  const RealModel& model = models_[0];
  const std::string folder = folder_.path() + "/external";
  std::filesystem::create_directory(folder);
  Ort::SessionOptions write;
  write.SetGraphOptimizationLevel(ORT_ENABLE_BASIC);
  write.SetOptimizedModelFilePath((folder + "/model.onnx").c_str());
  write.AddConfigEntry("session.optimized_model_external_initializers_file_name", "weights.bin");
  write.AddConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "256");
  Ort::Session(onnxruntime::SharedEnv(), model.path.c_str(), write);
  Result<Admin> admin = Admin::Connect({.socket_path = daemon_.socket()});
  ASSERT_TRUE(admin.ok()) << admin.status().ToString();
  const Result<std::string> added = admin->Add("external", "file://" + folder);
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  onnxruntime::Session original = Open("external", {.original = true});
  EXPECT_EQ(original.form(), onnxruntime::Form::kOriginal);
  EXPECT_EQ(original.why_original(), "");
  EXPECT_LE(
      WorstError(Answer(original.session(), model), Answer(Open("external").session(), model)),
      1e-4);
}

// y is w of the branch that c chooses, whose four floats lie in `w.bin`.
std::string ModelWithNestedExternalData() {
  using test::Proto;
  const auto value = [](std::string_view name, uint64_t type, const Proto& shape) {
    return Proto().Bytes(1, name).Add(2, Proto().Add(1, Proto().Int(1, type).Add(2, shape)));
  };
  const Proto four = Proto().Add(1, Proto().Int(1, 4));
  const auto branch = [&](std::string_view key, std::string_view out) {
    const Proto node = Proto().Bytes(1, "w").Bytes(2, out).Bytes(4, "Identity");
    const Proto w = test::ExternalData(test::OnnxTensorProto("w", 1, {4}), "w.bin", "0", "16");
    const Proto graph = Proto().Add(1, node).Bytes(2, "g").Add(5, w).Add(12, value(out, 1, four));
    return Proto().Bytes(1, key).Add(6, graph).Int(20, 5);
  };
  const Proto node = Proto().Bytes(1, "c").Bytes(2, "y").Bytes(4, "If");
  const Proto both =
      Proto(node).Add(5, branch("then_branch", "a")).Add(5, branch("else_branch", "b"));
  const Proto graph = Proto()
                          .Add(1, both)
                          .Bytes(2, "g")
                          .Add(11, value("c", 9, Proto()))
                          .Add(12, value("y", 1, four));
  return Proto().Int(1, 8).Add(8, Proto().Int(2, 17)).Add(7, graph).str();
}

// ONNX Runtime would take what lies in the working directory under that name.
TEST_F(OnnxRuntimeTest, NestedExternalDataIsNeverReadFromTheWorkingFolder) {
  const std::filesystem::path folder = folder_.path() + "/nested";
  const std::filesystem::path other = folder_.path() + "/other";
  std::filesystem::create_directory(folder);
  std::filesystem::create_directory(other);
  std::ofstream(folder / "model.onnx", std::ios::binary) << ModelWithNestedExternalData();
  std::ofstream(folder / "w.bin", std::ios::binary) << test::Raw<float>({1, 2, 3, 4});
  std::ofstream(other / "w.bin", std::ios::binary) << test::Raw<float>({7, 7, 7, 7});
  Result<Admin> admin = Admin::Connect({.socket_path = daemon_.socket()});
  ASSERT_TRUE(admin.ok()) << admin.status().ToString();
  ASSERT_TRUE(admin->Add("nested", "file://" + folder.string()).ok());
  ASSERT_TRUE(
      admin->Add("kept", "file://" + folder.string(), {.variants = {Variant::kFiles}}).ok());
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(other);
  EXPECT_EQ(Open("nested").form(), onnxruntime::Form::kBytes);
  const auto original = onnxruntime::Session::Open(*client_, "nested", {.original = true});
  const auto unread = onnxruntime::Session::Open(*client_, "kept");  // nobody looked into the model
  std::filesystem::current_path(before);
  EXPECT_EQ(original.status().code(), StatusCode::kUnimplemented) << original.status().ToString();
  EXPECT_THAT(original.status().hint(), HasSubstr("default options"));
  EXPECT_FALSE(unread.ok());
}

}  // namespace
}  // namespace trims

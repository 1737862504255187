// The `trims` program against a real trimsd and a real trims-prepare.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "e2e/cli/program.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

class CliE2eTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.ready()) << daemon_.Log();
    std::ofstream(folder_ / "small.safetensors", std::ios::binary) << SmallSafetensors(1.0f);
    std::ofstream(folder_ / "other.safetensors", std::ios::binary) << SmallSafetensors(7.0f);
  }

  Ended Trims(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TRIMS_PROGRAM);
    return RunToEnd(arguments, {{"TRIMS_SOCKET", daemon_.socket()}, {"HOME", folder_.path()}});
  }

  // Runs with --json, expects success, returns the document.
  Json Document(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const Ended ended = Trims(arguments);
    EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
    EXPECT_EQ(ended.err, "") << "with --json nothing else is written";
    return Json::parse(ended.out, nullptr, false);
  }

  // Runs with --json, expects that exit code, returns the error.
  Json Error(std::vector<std::string> arguments, int code) {
    arguments.emplace_back("--json");
    const Ended ended = Trims(arguments);
    EXPECT_EQ(ended.code, code) << ended.out << ended.err;
    EXPECT_EQ(ended.err, "");
    const Json document = Json::parse(ended.out, nullptr, false);
    return document.is_object() && document.contains("error") ? document["error"] : Json::object();
  }

  Json AddSmall() { return Document({"add", "small", folder_ / "small.safetensors"}); }

  ScratchFolder folder_;
  DaemonProcess daemon_{folder_.path()};
};

TEST_F(CliE2eTest, AnEmptyNodeSaysHowToAddAModel) {
  const Ended ended = Trims({"ls"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("trims add NAME"));
  EXPECT_EQ(Document({"ls"})["models"], Json::array());
}

TEST_F(CliE2eTest, TakesAnyNameOfAFileAndItsUrl) {
  const std::string path = folder_ / "m\u00fc 100%#1.safetensors";
  std::ofstream(path, std::ios::binary) << SmallSafetensors(1.0f);
  const Json added = Document({"add", "odd", path});
  const std::string source = added["source"];
  EXPECT_EQ(source, "file://" + (folder_ / "m%C3%BC%20100%25%231.safetensors"));
  EXPECT_EQ(Document({"add", "odd", source})["digest"], added["digest"]);
}

TEST_F(CliE2eTest, AddsAModelAndShowsIt) {
  const Json added = AddSmall();
  EXPECT_EQ(added["name"], "default/small");
  EXPECT_EQ(added["format"], "safetensors");
  EXPECT_EQ(added["source_bytes"], SmallSafetensors(1.0f).size());
  EXPECT_EQ(added["source"], "file://" + (folder_ / "small.safetensors"));

  const Json shown = Document({"show", "small"});
  EXPECT_EQ(shown["digest"], added["digest"]);
  EXPECT_EQ(shown["files"].size(), 1u);
  EXPECT_EQ(Document({"ls"})["models"].size(), 1u);
  EXPECT_EQ(Document({"status"})["models"], 1);
}

TEST_F(CliE2eTest, SpeaksToPeopleToo) {
  const Ended added =
      Trims({"add", "small", folder_ / "small.safetensors", "--variant", "tensors"});
  EXPECT_EQ(added.code, 0) << added.err;
  EXPECT_THAT(added.out, StartsWith("added small:"));
  EXPECT_THAT(added.out, HasSubstr("variants tensors"));
  EXPECT_EQ(added.err, "") << "no progress bar where standard error is no terminal";
  EXPECT_THAT(Trims({"ls"}).out, StartsWith("REFERENCE"));
  EXPECT_THAT(Trims({"ls", "--quiet"}).out, StartsWith("small:"));
  EXPECT_THAT(Trims({"show", "small"}).out, HasSubstr("small.safetensors"));
  const std::string status = Trims({"status"}).out;
  EXPECT_THAT(status, HasSubstr("pid " + std::to_string(daemon_.pid())));
  EXPECT_THAT(status, HasSubstr("of 64.0 MiB"));
  EXPECT_THAT(status, HasSubstr(daemon_.socket()));
  EXPECT_THAT(Trims({"rm", "small"}).out, StartsWith("removed small:"));
  for (const char* command : {"ls", "status"}) {
    EXPECT_EQ(Trims({command}).out.find('\x1b'), std::string::npos) << "no colours into a pipe";
  }
}

TEST_F(CliE2eTest, AddingEqualContentAgainIsFine) {
  EXPECT_EQ(AddSmall()["digest"], AddSmall()["digest"]);
  EXPECT_EQ(Document({"ls"})["models"].size(), 1u);
}

TEST_F(CliE2eTest, AVariantThatIsReplacedAgainAndAgainTakesItsRoomOnDiskOnce) {
  const auto bytes = [this] {
    uintmax_t sum = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_ / "data/prepared")) {
      if (entry.is_regular_file()) sum += entry.file_size();
    }
    return sum;
  };
  AddSmall();
  const uintmax_t once = bytes();
  EXPECT_GT(once, 0u);
  for (int i = 0; i < 4; ++i) {
    Document({"add", "small", folder_ / "small.safetensors", "--variant", "tensors"});
    EXPECT_EQ(Document({"show", "small"})["variants"].size(), 2u);
  }
  daemon_.End(SIGTERM);  // what is still to be removed has been then
  EXPECT_EQ(bytes(), once);
}

TEST_F(CliE2eTest, RemovesEveryVersionUnlessOneIsNamed) {
  AddSmall();
  const Json newer = Document({"add", "small", folder_ / "other.safetensors"});
  EXPECT_EQ(Document({"ls"})["models"].size(), 2u);
  const std::string version = newer["version"];
  EXPECT_EQ(Document({"rm", "small:" + version})["removed"].size(), 1u);
  EXPECT_EQ(Document({"rm", "small"})["removed"].size(), 1u);
  EXPECT_EQ(Document({"ls"})["models"].size(), 0u);
}

TEST_F(CliE2eTest, WhatStaysIsSaidAndWhoHoldsAModelIsNamed) {
  AddSmall();
  EXPECT_THAT(Trims({"pin", "small"}).out, ContainsRegex("tensors .* resident +0 +pinned"));
  EXPECT_THAT(Trims({"status"}).out, HasSubstr("resident (pinned)"));
  EXPECT_THAT(std::string(Error({"evict", "small"}, 7)["hint"]), StartsWith("trims unpin "));
  EXPECT_FALSE(Document({"unpin", "small"})["variants"][0]["pinned"]);
  Result<Client> client =
      Client::Connect({.socket_path = daemon_.socket(), .client_name = "resize-fn"});
  ASSERT_TRUE(client.ok());
  Result<Model> held = client->Open("small", {.variant = Variant::kTensors});
  ASSERT_TRUE(held.ok());
  const Ended refused = Trims({"evict", "small"});
  EXPECT_EQ(refused.code, 7);
  EXPECT_THAT(refused.err, HasSubstr("held by resize-fn (pid " + std::to_string(::getpid())));
  EXPECT_THAT(Trims({"evict", "small", "--when-idle"}).out, HasSubstr("goes with its last lease"));
  EXPECT_THAT(Trims({"drain"}).out, ContainsRegex("resize-fn +[0-9]+ +[0-9]+ +1"));
  EXPECT_EQ(client->Open("small", {.variant = Variant::kTensors}).status().code(),
            StatusCode::kUnavailable);
  { const Result<Model> closed = std::move(held); }
  EXPECT_EQ(Document({"drain", "--wait"})["leases"], 0);
  EXPECT_FALSE(Document({"drain", "--off"})["draining"]);
  EXPECT_EQ(Document({"prefetch", "small", "--variant", "files"})["variants"].size(), 1u);
}

TEST_F(CliE2eTest, AnAliasIsMovedAndMovedBack) {
  Document({"add", "small:1", folder_ / "small.safetensors", "--variant", "files"});
  Document({"add", "small:2", folder_ / "other.safetensors", "--variant", "files"});
  EXPECT_THAT(Trims({"alias"}).out, HasSubstr("trims alias prod="));
  EXPECT_EQ(Trims({"alias", "prod=small:1"}).out, "prod means small:1\n");
  EXPECT_EQ(Trims({"alias", "prod=small:2"}).out, "prod means small:2 (before: small:1)\n");
  EXPECT_EQ(Document({"show", "prod"})["version"], "2");
  EXPECT_THAT(std::string(Error({"rm", "small:2"}, 7)["message"]), HasSubstr("prod"));
  EXPECT_EQ(Trims({"rollback", "prod"}).out, "prod means small:1\n");
  EXPECT_EQ(Error({"alias", "prod"}, 2)["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(Document({"alias"})["aliases"].size(), 1u);
  EXPECT_EQ(Trims({"alias", "--delete", "prod"}).out, "forgot prod, which meant small:1\n");
  const Json third = Document({"add", "small:3", folder_ / "small.safetensors", "--variant",
                               "files", "--keep-versions", "2"});
  EXPECT_EQ(third["retired"], Json::array({"default/small:1"}));
  const Json again = Document(
      {"add", "small:3", folder_ / "small.safetensors", "--variant", "files", "--keep-for", "30d"});
  EXPECT_FALSE(again.contains("retired")) << "all were added today";
  EXPECT_THAT(
      std::string(Error({"add", "small:3", folder_ / "small.safetensors", "--keep-for", "a month"},
                        2)["message"]),
      HasSubstr("--keep-for: 'a month' is no duration"));
}

TEST_F(CliE2eTest, AnUnknownModelIsNotFoundAndTheNearOneNamed) {
  AddSmall();
  const Json error = Error({"show", "smal"}, 3);
  EXPECT_EQ(error["code"], "NOT_FOUND");
  EXPECT_THAT(error.dump(), HasSubstr("small"));
  EXPECT_EQ(Error({"rm", "nothing"}, 3)["code"], "NOT_FOUND");
}

TEST_F(CliE2eTest, MistakesHaveTheirCodes) {
  EXPECT_EQ(Error({"add", "bad name!", folder_ / "small.safetensors"}, 2)["code"],
            "INVALID_ARGUMENT");
  EXPECT_EQ(Error({"add", "small", folder_ / "missing"}, 3)["code"], "NOT_FOUND");
  EXPECT_EQ(Error({"add", "small", "gs://bucket/key"}, 1)["code"], "UNIMPLEMENTED");
  EXPECT_EQ(Error({"shwo", "small"}, 2)["hint"], "did you mean 'show'? (trims --help)");
  std::string broken = SmallSafetensors(1.0f);
  std::ofstream(folder_ / "cut.safetensors", std::ios::binary)
      << broken.substr(0, broken.size() - 1);
  EXPECT_EQ(Error({"add", "cut", folder_ / "cut.safetensors", "--variant", "tensors"}, 1)["code"],
            "DATA_LOSS");
  broken[8] = 'x';  // where the header's '{' was
  std::ofstream(folder_ / "broken.safetensors", std::ios::binary) << broken;
  EXPECT_EQ(
      Error({"add", "broken", folder_ / "broken.safetensors", "--variant", "tensors"}, 2)["code"],
      "INVALID_ARGUMENT");
  EXPECT_EQ(Document({"ls"})["models"].size(), 0u) << "a failed add leaves nothing";
}

// The daemon has a budget of 64 MiB.
TEST_F(CliE2eTest, AModelBeyondTheBudgetIsAddedWithAWarning) {
  std::filesystem::resize_file(folder_.Write("large.bin", ""), 66 << 20);
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{}, {"--json"}}) {
    std::vector<std::string> add = {"add", "large", folder_ / "large.bin"};
    add.insert(add.end(), more.begin(), more.end());
    const Ended ended = Trims(add);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.err, ContainsRegex("^warning: variant files .* 69[0-9]{6} bytes, .* "
                                         "67108864 bytes .*--host-budget"));
    EXPECT_THAT(ended.out, HasSubstr("large"));
  }
  EXPECT_EQ(Trims({"add", "small", folder_ / "small.safetensors"}).err, "");
}

TEST_F(CliE2eTest, ShowsWhatIsResidentAndLeased) {
  AddSmall();
  Result<Client> client = Client::Connect({.socket_path = daemon_.socket()});
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  Result<Model> model = client->Open("small", {.variant = Variant::kTensors});
  ASSERT_TRUE(model.ok()) << model.status().ToString();

  const Json status = Document({"status"});
  EXPECT_EQ(status["leases"], 1);
  ASSERT_EQ(status["segments"].size(), 1u);
  EXPECT_EQ(status["segments"][0]["state"], "resident");
  const std::string text = Trims({"status"}).out;
  EXPECT_THAT(text, HasSubstr("1: 0 hits (0 %), 1 miss,"));
  EXPECT_THAT(text, ContainsRegex("small:[0-9a-f]{12} +tensors +host +resident"));
  EXPECT_THAT(Trims({"ls"}).out, ContainsRegex("files,tensors +tensors +1 "));

  // Removed while in use: the lease and its pages stay.
  EXPECT_EQ(Document({"rm", "small"})["removed"].size(), 1u);
  EXPECT_THAT(Trims({"status"}).out, HasSubstr("(removed)"));
  EXPECT_EQ(model->tensor_count(), 1u);
}

TEST_F(CliE2eTest, AFolderThatOthersMayWriteIsRefused) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0777), 0);
  const Json error = Error({"ls"}, 5);
  EXPECT_EQ(error["code"], "PERMISSION_DENIED");
  EXPECT_THAT(error["hint"].get<std::string>(), HasSubstr("chmod"));
  const Ended doctor = Trims({"doctor"});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_THAT(doctor.out, ContainsRegex("fail +socket-folder"));
}

TEST_F(CliE2eTest, TheDoctorFindsTheDaemon) {
  const Ended ended = Trims({"doctor", "--json"});
  const Json document = Json::parse(ended.out);
  EXPECT_EQ(ended.code, document["failures"] == 0 ? 0 : 1);
  for (const Json& check : document["checks"]) {
    if (check["id"] == "daemon" || check["id"] == "socket-folder" ||
        check["id"] == "trims-prepare") {
      EXPECT_EQ(check["level"], "ok") << check;
    }
  }
}

TEST_F(CliE2eTest, AKilledDaemonIsUnavailable) {
  daemon_.End(SIGKILL);
  EXPECT_EQ(Error({"ls"}, 4)["code"], "UNAVAILABLE");
  EXPECT_THAT(Trims({"ls"}).err, HasSubstr("\nnext: "));
}

TEST_F(CliE2eTest, AnAnswerThatIsLostIsAFailure) {
  const Ended ended = RunToEnd({"/bin/bash", "-c", "\"$0\" ls --json > /dev/full", TRIMS_PROGRAM},
                               {{"TRIMS_SOCKET", daemon_.socket()}});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, StartsWith("trims: error: standard output"));
}

TEST_F(CliE2eTest, CompletionKnowsTheModels) {
  AddSmall();
  const Ended ended = RunToEnd({"/bin/bash", "-c",
                                "source <(\"$0\" completion bash); COMP_LINE='trims show sm' "
                                "COMP_POINT=13; _trims \"$0\"; echo \"${COMPREPLY[*]}\"",
                                TRIMS_PROGRAM},
                               {{"TRIMS_SOCKET", daemon_.socket()}});
  EXPECT_THAT(ended.out, StartsWith("small:")) << ended.err;
}

TEST_F(CliE2eTest, EventsTellWhatWasDoneAndGoOnFromANumber) {
  AddSmall();
  Document({"prefetch", "small", "--variant", "tensors"});
  const Ended kept = Trims({"events", "--no-follow", "--json"});
  EXPECT_EQ(kept.code, 0) << kept.err;
  std::vector<Json> events;
  std::istringstream lines(kept.out);
  for (std::string line; std::getline(lines, line);) events.push_back(Json::parse(line));
  ASSERT_EQ(events.size(), 3U) << kept.out;
  EXPECT_EQ(events[0]["kind"], "model.added");
  EXPECT_EQ(events[2]["kind"], "segment.resident");
  const std::string since = std::to_string(events[0]["sequence"].get<uint64_t>());
  const Ended followed = Trims({"events", "--since", since, "--count", "1", "--kind", "segment"});
  EXPECT_EQ(followed.code, 0) << followed.err;
  EXPECT_THAT(followed.out, ContainsRegex("segment.loading +small:.* \\(tensors\\) in host"));
  EXPECT_EQ(Error({"events", "--kind", "nothing"}, 2)["code"], "INVALID_ARGUMENT");
}

TEST_F(CliE2eTest, ExplainSaysBeforehandWhatAnOpenComesTo) {
  AddSmall();
  const Json before = Document({"explain", "small", "--variant", "tensors"});
  EXPECT_EQ(before["served_from"], "disk");
  EXPECT_EQ(before["tiers"][0]["state"], "absent");
  Document({"prefetch", "small", "--variant", "tensors"});
  EXPECT_EQ(Document({"explain", "small", "--variant", "tensors"})["served_from"], "host");
  EXPECT_THAT(Trims({"explain", "small"}).out, HasSubstr("from"));
  EXPECT_EQ(Error({"explain", "smal"}, 3)["code"], "NOT_FOUND");
}

TEST_F(CliE2eTest, TopIntoAPipeIsOneLookAfterTheOther) {
  const Ended ended = Trims({"top", "--count", "2", "--interval", "0.1", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\n'), 2);
  EXPECT_TRUE(Json::parse(ended.out.substr(0, ended.out.find('\n'))).contains("counters"));
  EXPECT_THAT(Trims({"top", "--count", "1"}).out, HasSubstr("host memory"));
}

}  // namespace
}  // namespace trims::test

#include "tools/trims/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trims::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNow = 1795428000;  // 2026-11-23T10:00:00Z

Json Variants() {
  return {{{"kind", "files"},
           {"key", ""},
           {"bytes", 54'525'952},
           {"extents", 1},
           {"state", "absent"},
           {"leases", 0}},
          {{"kind", "ort"},
           {"key", "ort-1.32.0;level=all;cpu=avx512"},
           {"bytes", 56'623'104},
           {"extents", 1},
           {"state", "resident"},
           {"leases", 3}}};
}

Json Model() {
  return {{"reference", "default/ocr:3f1c9a2b77d0"},
          {"name", "default/ocr"},
          {"version", "3f1c9a2b77d0"},
          {"newest", true},
          {"digest", "3f1c9a2b77d0aa"},
          {"format", "onnx"},
          {"source", "file:///models/common.onnx"},
          {"source_bytes", 53'897'625},
          {"added", "2026-11-23T09:57:00Z"},
          {"variants", Variants()}};
}

TEST(RenderListTest, SaysHowToAddTheFirstModel) {
  EXPECT_THAT(RenderList({{"models", Json::array()}}, kNow), HasSubstr("trims add NAME"));
}

TEST(RenderListTest, PrintsALineAModel) {
  Json other = Model();
  other["reference"] = "team/embed:prod";
  other["format"] = "safetensors";
  other["variants"] = Json::array();
  other["added"] = "nonsense";
  EXPECT_EQ(RenderList({{"models", {Model(), other}}}, kNow),
            "REFERENCE         FORMAT           SIZE  VARIANTS   RESIDENT  LEASES  ADDED\n"
            "ocr:3f1c9a2b77d0  onnx         51.4 MiB  files,ort  ort            3  3 min ago\n"
            "team/embed:prod   safetensors  51.4 MiB  -          -              0  -\n");
}

TEST(RenderListTest, PrintsReferencesAlone) {
  EXPECT_EQ(RenderReferences({{"models", {Model()}}}), "ocr:3f1c9a2b77d0\n");
  EXPECT_EQ(RenderReferences(Json::object()), "");
}

TEST(RenderModelTest, PrintsEverythingAboutIt) {
  Json model = Model();
  model["files"] = {
      {{"name", "common.onnx"}, {"bytes", 53'897'625}, {"sha256", "3f1c9a2b77d0aabbccdd"}}};
  model["sandbox"] = "without new privileges, no network";
  model["notes"] = {"no tensors variant: the weights are inside the graph"};
  EXPECT_EQ(RenderModel(model, kNow),
            "reference  ocr:3f1c9a2b77d0  (newest)\n"
            "digest     sha256:3f1c9a2b77d0aa\n"
            "format     onnx\n"
            "source     file:///models/common.onnx\n"
            "size       51.4 MiB in 1 file\n"
            "added      3 min ago\n"
            "sandbox    without new privileges, no network\n"
            "\n"
            "VARIANT      SIZE  STATE     LEASES  BOUND TO\n"
            "files    52.0 MiB  absent         0  -\n"
            "ort      54.0 MiB  resident       3  ort-1.32.0;level=all;cpu=avx512\n"
            "\n"
            "FILE             SIZE  SHA-256\n"
            "common.onnx  51.4 MiB  3f1c9a2b77d0\n"
            "\n"
            "notes\n"
            "  no tensors variant: the weights are inside the graph\n");
}

TEST(RenderModelTest, CutsLongListsOfFiles) {
  Json model = Model();
  model["files"] = Json::array();
  for (int i = 0; i < 30; ++i)
    model["files"].push_back({{"name", "f" + std::to_string(i)}, {"bytes", i}});
  const std::string text = RenderModel(model, kNow);
  EXPECT_THAT(text, HasSubstr("… and 10 more: --json lists them"));
  EXPECT_THAT(text, Not(HasSubstr("f20")));
}

TEST(RenderRemovedTest, NamesWhatWent) {
  EXPECT_EQ(RenderRemoved({{"removed", {{{"reference", "default/ocr:1"}, {"digest", "ab"}}}}}),
            "removed ocr:1\n");
  EXPECT_EQ(RenderRemoved(Json::object()), "nothing was removed\n");
}

Json Segment() {
  return {{"id", 4},
          {"reference", "default/ocr:3f1c9a2b77d0"},
          {"kind", "ort"},
          {"tier", "host"},
          {"state", "resident"},
          {"bytes", 56'623'104},
          {"leases", 0},
          {"opens", 41},
          {"waiters", 0},
          {"pages", "thp"},
          {"idle_ms", 65'000},
          {"removed", false},
          {"failures", 0}};
}

Json ServedStatus() {
  const Json host = {{"name", "host"},
                     {"budget_bytes", uint64_t{4} << 30},
                     {"used_bytes", uint64_t{1} << 30},
                     {"leased_bytes", uint64_t{1} << 30},
                     {"idle_bytes", 0},
                     {"loading_bytes", 0},
                     {"draining_bytes", 0},
                     {"reclaim", "lazy"},
                     {"admission", "all"},
                     {"eviction_policy", "lru"}};
  return {{"tiers", Json::array({host})},
          {"prepared_bytes", uint64_t{3} << 20},
          {"models", 2},
          {"leases", 3},
          {"loads_in_flight", 0},
          {"preparations_in_flight", 1},
          {"waiters", 0},
          {"segments", {Segment()}},
          {"counters",
           {{"opens", 50},
            {"hits", 45},
            {"misses", 2},
            {"joined", 1},
            {"refused", 2},
            {"loads", 2},
            {"load_failures", 0},
            {"bytes_loaded", 108'421'577},
            {"evictions", 1}}},
          {"server",
           {{"version", "0.1.0"},
            {"pid", 4711},
            {"socket", "/run/trims/trimsd.sock"},
            {"uptime_ms", 5'000'000},
            {"connections", 3}}}};
}

TEST(RenderPolicyTest, SaysWhatIsInForceAndWhatThereIs) {
  const Json policy = {{"tier", "host"},
                       {"budget_bytes", 4096},
                       {"used_bytes", 2048},
                       {"reclaim", "lazy"},
                       {"eviction_policy", "lru"},
                       {"admission", "all"},
                       {"eviction_policies", {{{"name", "lru"}, {"summary", "the oldest goes"}}}},
                       {"admissions", {{{"name", "all"}, {"summary", "all are admitted"}}}}};
  EXPECT_EQ(RenderPolicy(policy),
            "host: budget 4.0 KiB, 2.0 KiB used, reclaim lazy, eviction lru, admission all\n"
            "\n"
            "OPTION       NAME\n"
            "--eviction   lru   the oldest goes\n"
            "--admission  all   all are admitted\n");
}

TEST(RenderPolicyTest, TheDiskHasABudgetOnly) {
  EXPECT_EQ(RenderPolicy({{"tier", "disk"}, {"budget_bytes", nullptr}, {"used_bytes", 2048}}),
            "disk: budget none, 2.0 KiB used\n");
}

TEST(RenderStatusTest, SaysHowMuchIsBeyondABudgetThatWasLowered) {
  Json status = ServedStatus();
  status["tiers"][0]["budget_bytes"] = uint64_t{1} << 29;
  EXPECT_THAT(RenderStatus(status), HasSubstr("0 B idle, 512 MiB beyond the budget;"));
}

TEST(RenderStatusTest, SaysWhatBecomesOfTheHostsCopyOfWhatADeviceHas) {
  Json status = ServedStatus();
  EXPECT_THAT(RenderStatus(status), Not(HasSubstr("host copy")));
  status["tiers"].push_back(status["tiers"][0]);
  status["tiers"][1]["name"] = "device:0";
  status["tiers"][1]["host_copy"] = "pin";
  status["segments"][0]["held_for_copy"] = true;
  EXPECT_THAT(RenderStatus(status), HasSubstr("admission all, host copy pin\n"));
  EXPECT_THAT(RenderStatus(status), HasSubstr("resident (held for its copy)"));
}

TEST(RenderStatusTest, OfADevicePiecesAndWhatTheyWasteAreShown) {
  Json status = ServedStatus();
  EXPECT_THAT(RenderStatus(status), Not(HasSubstr("piece")));
  status["tiers"].push_back(status["tiers"][0]);
  status["tiers"][1]["wasted_bytes"] = 1 << 20;
  status["segments"][0]["piece"] = true;
  EXPECT_THAT(RenderStatus(status), HasSubstr("MiB wasted by pieces;"));
  EXPECT_THAT(RenderStatus(status), HasSubstr("(piece)"));
}

TEST(RenderStatusTest, SaysWhatWentForMemoryPressureWhereItIsWatched) {
  Json status = ServedStatus();
  status["pressure"] = {{"file", nullptr}, {"events", 0}, {"bytes_given_up", 0}};
  EXPECT_THAT(RenderStatus(status), Not(HasSubstr("pressure")));
  status["pressure"] = {{"file", "/proc/pressure/memory"}, {"events", 2}, {"bytes_given_up", 1024}};
  EXPECT_THAT(RenderStatus(status),
              HasSubstr("2 events so far, 1.0 KiB given up; /proc/pressure/memory\n"));
}

TEST(RenderStatusTest, ShowsWhatNamespacesTakeWhereThereAreQuotas) {
  Json status = ServedStatus();
  const Json quota = {{"bytes", 4096},
                      {"leases", 9},
                      {"loads", nullptr},
                      {"loads_per_minute", nullptr},
                      {"guaranteed", 1024}};
  const Json team = {{"tier", "host"}, {"namespace", "team"},  {"bytes", 2048}, {"leases", 3},
                     {"refused", 5},   {"loads_in_flight", 1}, {"quota", quota}};
  status["namespaces"] = Json::array({team});
  EXPECT_THAT(
      RenderStatus(status),
      HasSubstr("team       host  2.0 KiB of 4.0 KiB     1.0 KiB  3 of 9      1        5\n"));
}

TEST(RenderStatusTest, NamesWhoKeepsWhatHasLeftItsTier) {
  Json status = ServedStatus();
  status["tiers"][0]["lingering_bytes"] = 2048;
  const Json keeper = {{"program", "python3"}, {"uid", 1000}, {"pid", 12}, {"maps", true}};
  const Json holder = {{"client", ""}, {"uid", 7}, {"pid", 13}};
  Json gone = {{"tier", "host"},
               {"reference", "default/old:v1"},
               {"kind", "files"},
               {"bytes", 2048},
               {"lingering_ms", 65'000},
               {"kept_by", Json::array({keeper})},
               {"last_leased_by", Json::array({holder})}};
  status["lingering"] = Json::array({gone});
  const std::string seen = RenderStatus(status);
  EXPECT_THAT(seen, HasSubstr("0 B idle, 2.0 KiB lingering;"));
  EXPECT_THAT(seen, HasSubstr("python3 pid 12, uid 1000\n"));
  gone["kept_by"] = Json::array();
  status["lingering"] = Json::array({gone});
  EXPECT_THAT(RenderStatus(status), HasSubstr("not seen; last leased by pid 13, uid 7\n"));
}

TEST(RenderStatusTest, NamesWhoHoldsWhatWasRemoved) {
  Json status = ServedStatus();
  status["segments"][0]["removed"] = true;
  const Json holder = {{"client", "ocr"}, {"uid", 7}, {"pid", 13}, {"leases", 1}};
  status["segments"][0]["holders"] = Json::array({holder});
  EXPECT_THAT(RenderStatus(status), HasSubstr(" goes when it is closed by ocr pid 13, uid 7\n"));
}

TEST(RenderStatusTest, IsOneScreen) {
  EXPECT_EQ(
      RenderStatus(ServedStatus()),
      "daemon       trimsd 0.1.0, pid 4711, up 1 h 23 min\n"
      "socket       /run/trims/trimsd.sock\n"
      "host memory  [#######.......................] 1.0 GiB of 4.0 GiB (25 %)\n"
      "             1.0 GiB leased, 0 B idle; reclaim lazy, eviction lru, admission all\n"
      "on disk      3.0 MiB of prepared variants\n"
      "huge pages   54.0 MiB of 54.0 MiB resident\n"
      "models       2\n"
      "leases       3 on 3 connections\n"
      "under way    0 loads, 1 preparation, 0 waiters\n"
      "opens        50: 45 hits (90 %), 2 misses, 1 joined a load, 2 refused\n"
      "loads        2 done (103 MiB), 0 failed; 1 segment evicted\n"
      "\n"
      "SEGMENT           VARIANT  TIER  STATE         SIZE  PAGES  LEASES  OPENS       IDLE\n"
      "ocr:3f1c9a2b77d0  ort      host  resident  54.0 MiB  thp         0     41  1 min 5 s\n");
}

TEST(RenderStatusTest, PointsToTheDoctorWhereHugePagesAreMissing) {
  Json status = ServedStatus();
  status["segments"][0]["pages"] = "4k";
  EXPECT_THAT(RenderStatus(status),
              HasSubstr("0 B of 54.0 MiB resident; trims doctor says how to get more"));
}

TEST(RenderStatusTest, ShowsHowFarEachLoadIs) {
  Json status = ServedStatus();
  EXPECT_THAT(RenderStatus(status), Not(HasSubstr("LOAD ")));
  Json& segment = status["segments"][0];
  segment["state"] = "loading";
  segment["load"] = {{"tier", "host"},
                     {"bytes_done", 14'155'776},
                     {"bytes_total", 56'623'104},
                     {"bytes_per_second", 10'485'760},
                     {"remaining_ms", 4050}};
  EXPECT_THAT(
      RenderStatus(status),
      HasSubstr("LOAD              VARIANT  TIER      DONE        OF              RATE  LEFT\n"
                "ocr:3f1c9a2b77d0  ort      host  13.5 MiB  54.0 MiB  25 %  10.0 MiB/s   5 s\n"));
  segment["load"]["bytes_done"] = 0;
  segment["load"]["bytes_per_second"] = 0;
  segment["load"]["remaining_ms"] = nullptr;
  EXPECT_THAT(RenderStatus(status), HasSubstr("0 B  54.0 MiB  0 %     -     -\n"));
}

TEST(RenderStatusTest, ShowsWhyASegmentFailed) {
  Json status = ServedStatus();
  status["segments"][0]["state"] = "failed";
  status["segments"][0]["failures"] = 2;
  status["segments"][0]["error"] = {
      {"code", "DATA_LOSS"}, {"message", "the file changed"}, {"hint", "trims add it again"}};
  const std::string text = RenderStatus(status);
  EXPECT_THAT(text, HasSubstr("ocr:3f1c9a2b77d0: the file changed\n  next: trims add it again\n"));
  EXPECT_THAT(text, HasSubstr("nothing resident"));
}

TEST(RenderStatusTest, StandsAnEmptyDocument) {
  const std::string text = RenderStatus(Json::object());
  EXPECT_THAT(text, HasSubstr("none yet"));
  EXPECT_THAT(text, HasSubstr("No segments"));
}

}  // namespace
}  // namespace trims::cli

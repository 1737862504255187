#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/trims/raw_terminal.h"
#include "tools/trims/render.h"

namespace trims::cli {
namespace {

TEST(RenderControlTest, SaysWhatIsThereAndWhatStays) {
  const Json model = {{"reference", "default/ocr:3"},
                      {"tier", "host"},
                      {"variants",
                       {{{"kind", "ort"},
                         {"bytes", 56'623'104},
                         {"state", "resident"},
                         {"leases", 2},
                         {"pinned", true},
                         {"leaving", false}},
                        {{"kind", "files"},
                         {"bytes", 4096},
                         {"state", "resident"},
                         {"leases", 1},
                         {"pinned", false},
                         {"leaving", true}}}}};
  EXPECT_EQ(RenderControlled(model),
            "ocr:3 in tier host\n"
            "VARIANT      SIZE  STATE     LEASES  STAYS\n"
            "ort      54.0 MiB  resident       2  pinned\n"
            "files     4.0 KiB  resident       1  goes with its last lease\n");
  EXPECT_EQ(RenderControlled({{"reference", "default/ocr:3"}, {"tier", "host"}}),
            "ocr:3 in tier host: nothing to do\n");
}

TEST(RenderControlTest, SaysWhoADrainWaitsFor) {
  EXPECT_EQ(RenderDrain({{"draining", false}}), "the daemon gives leases again\n");
  EXPECT_EQ(RenderDrain({{"draining", true}, {"leases", 0}}),
            "the daemon gives no new leases; nobody holds any\n");
  const Json holder = {{"client", "resize-fn"}, {"pid", 42}, {"uid", 1000}, {"leases", 2}};
  EXPECT_EQ(RenderDrain({{"draining", true}, {"leases", 2}, {"holders", Json::array({holder})}}),
            "the daemon gives no new leases; 2 leases still held\n"
            "\n"
            "CLIENT     PID   UID  LEASES\n"
            "resize-fn   42  1000       2\n");
}

TEST(RenderControlTest, AliasesSayWhatTheyMeanAndMeant) {
  const Json prod = {{"alias", "default/prod"},
                     {"reference", "default/ocr:3"},
                     {"digest", "0123456789abcdef"},
                     {"moved", "2026-11-27T10:00:00Z"},
                     {"before", {{{"reference", "default/ocr:2"}}}}};
  EXPECT_EQ(RenderAlias(prod), "prod means ocr:3 (before: ocr:2)\n");
  EXPECT_EQ(RenderDeletedAlias(prod), "forgot prod, which meant ocr:3\n");
  EXPECT_EQ(RenderAliases({{"aliases", Json::array({prod})}}),
            "ALIAS  MEANS  DIGEST        MOVED                 BEFORE\n"
            "prod   ocr:3  0123456789ab  2026-11-27T10:00:00Z  ocr:2\n");
  EXPECT_EQ(RenderAliases({{"aliases", Json::array()}}),
            "No aliases yet. Make one:\n  trims alias prod=NAME:VERSION\n");
}

TEST(RenderControlTest, WhatAnOpenWouldComeTo) {
  const Json victim = {
      {"reference", "default/ocr:2"}, {"kind", "ort"}, {"bytes", 1024}, {"score", -21.2307}};
  Json open = {{"reference", "default/bert:1"},
               {"kind", "tensors"},
               {"tier", "host"},
               {"served_from", "disk"},
               {"moves_bytes", 2048},
               {"estimate_us", 3400},
               {"estimate_from", "measured"},
               {"tiers",
                {{{"tier", "host"},
                  {"state", "absent"},
                  {"bytes", 4096},
                  {"leases", 0},
                  {"eviction_policy", "worth"},
                  {"evicts", {victim}}}}}};
  EXPECT_EQ(RenderExplained(open),
            "model  bert:1 (tensors) in tier host\n"
            "host   absent, takes 4.0 KiB, 0 leases\n"
            "from   this disk\n"
            "cost   2.0 KiB in about 3.4 ms, as earlier loads of it took\n"
            "\n"
            "GOES FOR IT  VARIANT  TIER     SIZE  POLICY   SCORE\n"
            "ocr:2        ort      host  1.0 KiB  worth   -21.23\n");
  open["refused"] = {{"code", "TOO_LARGE"}, {"message", "too much"}, {"hint", "less"}};
  open["tiers"] = Json::array();
  EXPECT_EQ(RenderExplained(open),
            "model    bert:1 (tensors) in tier host\n"
            "refused  TOO_LARGE: too much\n"
            "next     less\n");
}

TEST(RenderControlTest, TopSaysWhatWasDoneBetweenTwoLooks) {
  const Json before = {{"server", {{"uptime_ms", 1000}}},
                       {"counters", {{"opens", 10}, {"hits", 10}}}};
  const Json now = {
      {"server", {{"uptime_ms", 3000}}},
      {"counters",
       {{"opens", 110}, {"hits", 85}, {"loads", 1}, {"bytes_loaded", 2048}, {"evictions", 2}}}};
  EXPECT_THAT(RenderTop(now, before),
              ::testing::StartsWith("since the last look: 50 opens/s (75 % hits), 1 load, 2.0 KiB "
                                    "loaded, 2 evicted\n\n"));
  EXPECT_THAT(RenderTop(now, Json::object()), ::testing::StartsWith("since the last look: …\n"));
  EXPECT_THAT(RenderTop(before, now), ::testing::StartsWith("since the last look: …\n"))
      << "another daemon";
}

TEST(RenderControlTest, AScreenIsAsLargeAsItIs) {
  EXPECT_EQ(Cropped("abc\nµµµ\nx\n", 2, 2), "ab\nµµ\n");
  EXPECT_EQ(Cropped("", 2, 2), "");
}

TEST(RenderControlTest, AnEventIsALine) {
  EXPECT_EQ(
      RenderEvent({{"time", "2026-11-27T09:56:46.270690Z"},
                   {"kind", "segment.evicted"},
                   {"model", "default/b:2347"},
                   {"variant", "files"},
                   {"tier", "host"},
                   {"bytes", 3006464},
                   {"reason", "room"},
                   {"for", "default/c:0cf7"},
                   {"eviction_policy", "worth"},
                   {"score", -21.230755769364258}}),
      "2026-11-27T09:56:46.270Z segment.evicted      b:2347 (files) in host, 2.9 MiB, room for "
      "c:0cf7, worth -21.23\n");
  EXPECT_EQ(RenderEvent({{"time", "2026-11-27T09:56:46Z"},
                         {"kind", "leases.ended"},
                         {"client", "resize\x1b[2J"},
                         {"pid", 42},
                         {"leases", 2}}),
            "2026-11-27T09:56:46Z leases.ended         2 leases, by resize\\x1b[2J (pid 42)\n");
  EXPECT_EQ(RenderEvent({{"kind", "a.later.one"}, {"tier", 3}}), " a.later.one          \n")
      << "a daemon may be newer";
  EXPECT_EQ(RenderLost(3, 1), "(3 events and 1 open came and went before they were read)\n");
}

}  // namespace
}  // namespace trims::cli

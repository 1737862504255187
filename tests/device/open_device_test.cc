#include "device/open_device.h"

#include <gtest/gtest.h>

#include <chrono>

namespace trims {
namespace {

TEST(OpenDeviceTest, OfASimulatedOneAllCanBeSaid) {
  const Result<DeviceOptions> parsed =
      ParseDevice("sim:3,capacity=8GiB,link=12GB,latency=10us,granularity=64KiB");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  const auto* options = std::get_if<SimDeviceOptions>(&*parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->number, 3);
  EXPECT_EQ(options->capacity, uint64_t{8} << 30);
  EXPECT_EQ(options->granularity, uint64_t{64} << 10);
  EXPECT_EQ(options->link.bytes_per_second, 12'000'000'000u);
  EXPECT_EQ(options->link.latency, std::chrono::microseconds(10));
}

TEST(OpenDeviceTest, WhatIsNotSaidIsUsual) {
  const Result<std::unique_ptr<Device>> device = OpenDevice("sim:0");
  ASSERT_TRUE(device.ok()) << device.status().ToString();
  const DeviceInfo& info = (*device)->info();
  EXPECT_EQ(info.name, "sim:0");
  EXPECT_EQ(info.capacity, uint64_t{4} << 30);
  EXPECT_EQ(info.granularity, uint64_t{2} << 20);
}

TEST(OpenDeviceTest, TwoHaveTwoUuids) {
  EXPECT_NE((*OpenDevice("sim:0"))->info().uuid, (*OpenDevice("sim:1"))->info().uuid);
  EXPECT_EQ((*OpenDevice("sim:1"))->info().uuid, (*OpenDevice("sim:1"))->info().uuid);
}

TEST(OpenDeviceTest, WhatIsNoDeviceIsRefusedWithAnExample) {
  for (const char* text :
       {"", "sim", "sim:", "sim:x", "sim:-1", "sim:64", "sim:0x", "gpu:0", "sim:0,capacity",
        "sim:0,capacity=lots", "sim:0,colour=red", "sim:0,latency=10", "sim:0,latency=us",
        "sim:0,capacity=1KiB", "sim:0,granularity=3KiB", "sim:0,granularity=0", "sim:0,,"}) {
    const Status status = OpenDevice(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_NE(ParseDevice("sim:0,colour=red").status().hint().find("sim:0"), std::string::npos);
}

TEST(OpenDeviceTest, AWireFromPeersIsItsOwnTheHostsOrNone) {
  const auto parsed = [](const char* text) {
    return std::get<SimDeviceOptions>(ParseDevice(text).value());
  };
  EXPECT_EQ(parsed("sim:0").peers, SimDeviceOptions::Peers::kByHostLink);
  EXPECT_EQ(parsed("sim:0,peer=none").peers, SimDeviceOptions::Peers::kNone);
  EXPECT_EQ(parsed("sim:0,peer=50GB").peers, SimDeviceOptions::Peers::kByOwnLink);
  EXPECT_EQ(parsed("sim:0,peer=50GB").peer_bytes_per_second, 50'000'000'000u);
  EXPECT_EQ(ParseDevice("sim:0,peer=fast").status().code(), StatusCode::kInvalidArgument);
}

TEST(OpenDeviceTest, ACudaDeviceHasAnOrdinalAndMaybeADriver) {
  const Result<DeviceOptions> parsed = ParseDevice("cuda:1,driver=/lib/libcuda.so.1");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  const auto* options = std::get_if<CudaDeviceOptions>(&*parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->ordinal, 1);
  EXPECT_EQ(options->driver, "/lib/libcuda.so.1");
  EXPECT_EQ(options->way, CudaExport::kVirtualMemory);
  EXPECT_EQ(ParseDevice("cuda:0,driver=lib").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseDevice("cuda:0,capacity=1GiB").status().code(), StatusCode::kInvalidArgument);
}

TEST(OpenDeviceTest, HowACudaDevicesMemoryIsSharedIsSaid) {
  const auto way = [](const char* text) {
    return std::get<CudaDeviceOptions>(ParseDevice(text).value()).way;
  };
  EXPECT_EQ(way("cuda:0,export=vmm"), CudaExport::kVirtualMemory);
  EXPECT_EQ(way("cuda:0,export=ipc"), CudaExport::kIpc);
  for (const char* text :
       {"cuda:0,export", "cuda:0,export=", "cuda:0,export=all", "sim:0,export=ipc"}) {
    EXPECT_EQ(ParseDevice(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(OpenDeviceTest, WithoutADriverItSaysWhatToMount) {
  const Status status = OpenDevice("cuda:0,driver=/nowhere/libcuda.so.1").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.hint().find("mount the driver"), std::string::npos);
}

}  // namespace
}  // namespace trims

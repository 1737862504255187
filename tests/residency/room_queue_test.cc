#include "residency/room_queue.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

TEST(RoomQueueTest, GivesRoomInTheOrderOfArrival) {
  Budget budget("host", 100);
  RoomQueue queue(&budget);
  queue.Push(1, 60);
  queue.Push(2, 40);
  EXPECT_EQ(queue.waiting_bytes(), 100u);
  const std::optional<RoomQueue::Grant> first = queue.Next();
  const std::optional<RoomQueue::Grant> second = queue.Next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->segment, 1u);
  EXPECT_EQ(second->segment, 2u);
  EXPECT_EQ(second->room.bytes(), 40u);
  EXPECT_EQ(queue.waiting_bytes(), 0u);
  EXPECT_FALSE(queue.Next());
}

TEST(RoomQueueTest, ALargeOneAtTheHeadIsNotStarvedByTheSmallOnesBehindIt) {
  Budget budget("host", 100);
  RoomQueue queue(&budget);
  std::optional<Reservation> held = *budget.Reserve(50);
  queue.Push(1, 80);
  queue.Push(2, 10);
  EXPECT_FALSE(queue.Next());
  held.reset();
  EXPECT_EQ(queue.Next()->segment, 1u);
}

TEST(RoomQueueTest, OneThatGivesUpLetsTheNextOnesThrough) {
  Budget budget("host", 100);
  RoomQueue queue(&budget);
  const Result<Reservation> held = budget.Reserve(50);
  queue.Push(1, 80);
  queue.Push(2, 10);
  queue.Erase(1);
  queue.Erase(7);  // never was there
  EXPECT_EQ(queue.waiting_bytes(), 10u);
  EXPECT_EQ(queue.Next()->segment, 2u);
}

TEST(RoomQueueTest, WhatIsMissingCountsThoseWhoWaitAndWhatIsOnItsWayOut) {
  Budget budget("host", 100);
  RoomQueue queue(&budget);
  const Result<Reservation> held = budget.Reserve(70);
  EXPECT_EQ(queue.Shortage(30, 0), 0u);
  EXPECT_EQ(queue.Shortage(50, 0), 20u);
  EXPECT_EQ(queue.Shortage(50, 20), 0u);
  queue.Push(1, 25);
  EXPECT_EQ(queue.Shortage(50, 20), 25u);
}

}  // namespace
}  // namespace trims

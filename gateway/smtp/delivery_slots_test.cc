#include "gateway/smtp/delivery_slots.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <vector>

namespace rmail::gateway::smtp {
namespace {

TEST(DeliverySlots, PlacesGoRoundInOrder) {
  boost::asio::io_context loop;
  DeliverySlots slots(2);
  std::vector<int> entered;
  std::vector<std::optional<DeliverySlots::Slot>> held(4);
  for (int i = 0; i < 4; ++i) {
    boost::asio::co_spawn(
        loop,
        [&, i]() -> boost::asio::awaitable<void> {
          held[i].emplace(
              *co_await slots.Enter(std::chrono::steady_clock::now() + std::chrono::hours(1)));
          entered.push_back(i);
        },
        boost::asio::detached);
  }
  loop.poll();
  EXPECT_EQ(entered, (std::vector<int>{0, 1}));
  held[1].reset();
  loop.restart();
  loop.poll();
  EXPECT_EQ(entered, (std::vector<int>{0, 1, 2}));
  held[0].reset();
  held[2].reset();
  loop.restart();
  loop.poll();
  EXPECT_EQ(entered, (std::vector<int>{0, 1, 2, 3}));
  held[3].reset();
}

TEST(DeliverySlots, WaitsNoLongerThanItMay) {
  boost::asio::io_context loop;
  DeliverySlots slots(1);
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::optional<DeliverySlots::Slot>> held(3);
  int answers = 0;
  const auto enter = [&](int i, std::chrono::seconds patience) {
    boost::asio::co_spawn(
        loop,
        [&, i, patience]() -> boost::asio::awaitable<void> {
          std::optional<DeliverySlots::Slot> slot = co_await slots.Enter(now + patience);
          ++answers;
          if (slot.has_value()) held[i].emplace(*std::move(slot));
        },
        boost::asio::detached);
  };
  enter(0, std::chrono::hours(1));
  enter(1, std::chrono::seconds(0));
  loop.run();
  EXPECT_EQ(answers, 2);
  EXPECT_TRUE(held[0].has_value());
  EXPECT_FALSE(held[1].has_value());
  // Who has given up is passed over.
  enter(2, std::chrono::hours(1));
  loop.restart();
  loop.poll();
  held[0].reset();
  loop.restart();
  loop.run();
  EXPECT_TRUE(held[2].has_value());
}

}  // namespace
}  // namespace rmail::gateway::smtp

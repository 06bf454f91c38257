#include "gateway/smtp/delivery_slots.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
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
          held[i].emplace(co_await slots.Enter());
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

}  // namespace
}  // namespace rmail::gateway::smtp

// Turns a callback of another thread into an awaitable.
#ifndef RMAIL_GATEWAY_COMMON_AWAIT_CALLBACK_H_
#define RMAIL_GATEWAY_COMMON_AWAIT_CALLBACK_H_

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace rmail::gateway {

// Calls `start(done)`; `done(result)` may be called once, on any thread, and resumes the coroutine
// on its own executor with the result. `start` is copied into the coroutine's frame, so what it
// captures lives until then.
template <typename Result, typename Start>
boost::asio::awaitable<Result> AwaitCallback(Start start) {
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                 void(Result)>(
      [&start](auto handler) {
        auto work = boost::asio::make_work_guard(handler);
        start([handler = std::move(handler), work = std::move(work)](Result result) mutable {
          auto executor = work.get_executor();
          boost::asio::post(executor, [handler = std::move(handler), work = std::move(work),
                                       result = std::move(result)]() mutable {
            std::move(handler)(std::move(result));
          });
        });
      },
      boost::asio::use_awaitable);
}

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_AWAIT_CALLBACK_H_

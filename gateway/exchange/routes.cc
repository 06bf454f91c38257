#include "gateway/exchange/routes.h"

#include <type_traits>
#include <utility>

#include "gateway/exchange/handlers.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;

http::Response Render(http::Response response) { return response; }

template <typename Answer>
http::Response Render(const Answer& answer) {
  http::Response response;
  response.content_type = kJson;
  response.body = ToJson(answer);
  return response;
}

// Makes a typed handler one of the table.
template <typename Answer, typename Request,
          asio::awaitable<absl::StatusOr<Answer>> (*handle)(Call&, Request)>
asio::awaitable<absl::StatusOr<http::Response>> Serve(Call& call) {
  RMAIL_CO_ASSIGN_OR_RETURN(Request request,
                            Request::From(Input{call.path, call.target, call.json}));
  RMAIL_CO_ASSIGN_OR_RETURN(Answer answer, co_await handle(call, std::move(request)));
  co_return Render(std::move(answer));
}

constexpr std::string_view kMessage = "message/rfc822";

}  // namespace

const std::vector<Route>& Routes() {
  static const auto& routes = *new std::vector<Route>{
      {"POST", "/auth/login", Access::kSecret, Content::kJson, kJson,
       &Serve<LoginAnswer, LoginRequest, &Login>},
      {"GET", "/folders", Access::kAccount, Content::kNone, kJson,
       &Serve<FolderList, ListFoldersRequest, &ListFolders>},
      {"GET", "/folders/{folder}/messages", Access::kAccount, Content::kNone, kJson,
       &Serve<MessagePage, ListMessagesRequest, &ListMessages>},
      {"GET", "/messages/{id}", Access::kAccount, Content::kNone, kJson,
       &Serve<MessageDetail, GetMessageRequest, &GetMessage>},
      {"GET", "/messages/{id}/raw", Access::kAccount, Content::kNone, kMessage,
       &Serve<http::Response, GetMessageRequest, &GetRawMessage>},
  };
  return routes;
}

}  // namespace rmail::gateway::exchange
